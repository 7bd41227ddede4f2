// Training the video UNet from a folder of clips and a configuration.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { latentPixels } from '../../models/svd/latents.js'
import { withWeights } from '../../models/svd/folder.js'
import { UNetSpatioTemporalConditionModel } from '../../models/svd/unet.js'
import { loadWeights, saveWeights } from '../../nn/index.js'
import { reasonOf, replaceFile } from '../../tensor/files/index.js'
import { FileError, type Runtime, type Tensor } from '../../tensor/index.js'
import { runTraining, type RunEvent } from '../run.js'
import { openBase, type Base } from './base.js'
import { fillCache, readCached, type CacheEvent } from './cache.js'
import type { SVDTrainConfig } from './config.js'
import { SVDTask } from './task.js'

/** What a video UNet is trained on, and where its run is kept. */
export interface TrainSVDOptions {
  /** Folder of clips. */
  readonly data: string
  readonly config: SVDTrainConfig
  /** Of the run; see `runTraining`. It holds the cache too, and in the end `unet/`, as diffusers lays it out. */
  readonly folder: string
  readonly signal?: AbortSignal
}

/** Trains a video UNet. Errors: as `openBase`, `fillCache` and `runTraining`. */
export async function* trainSVD(
  runtime: Runtime,
  { data, config, folder, signal }: TrainSVDOptions,
): AsyncGenerator<CacheEvent | RunEvent, void, undefined> {
  const { settings, saveEvery, frames, width, height, checkpointing } = config
  const base = await openBase(config)
  const cache = join(folder, 'cache')
  const clips = yield* fillCache(runtime, base, { data, cache, settings: config, seed: settings.seed, signal })
  const unet = new UNetSpatioTemporalConditionModel(base.unet.config)
  unet.checkpointing = checkpointing
  using task = new SVDTask(runtime, unet, {
    ...config,
    clips: { count: clips.length, read: clip => readCached(clips[clip], base, config) },
    size: { frames, width: width / latentPixels, height: height / latentPixels },
  })
  const { openWeights } = base.unet
  yield* runTraining(runtime, {
    folder,
    task,
    settings,
    saveEvery,
    signal,
    description: { ...config, unet: base.unet.json, clips: clips.map(({ name, key }) => ({ name, key })) },
    begin:
      openWeights && (() => withWeights({ openWeights }, file => loadWeights(runtime, unet.weights, file, { signal }))),
    finish: means => writeUNet(join(folder, 'unet'), unet, base, means),
  })
}

/** Writes a model's part `unet`, in the float type of the base, or f16. */
async function writeUNet(
  folder: string,
  { weights, conv_in }: UNetSpatioTemporalConditionModel,
  { unet: { json, openWeights } }: Base,
  values: ReadonlyMap<string, Tensor>,
): Promise<string> {
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw new FileError({ where: folder, what: 'the folder cannot be made', got: reasonOf(cause) }, { cause })
  })
  const dtype = openWeights ? conv_in.weight.value.dtype : 'f16'
  await saveWeights(join(folder, 'diffusion_pytorch_model.safetensors'), weights, { dtype, values })
  const config = new TextEncoder().encode(`${JSON.stringify(json, undefined, 2)}\n`)
  await replaceFile(join(folder, 'config.json'), append => append(config))
  return folder
}
