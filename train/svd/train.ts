// Training the video UNet from a folder of clips and a configuration.

import { join } from 'node:path'
import { latentPixels } from '../../models/svd/vae-config.js'
import { withWeights } from '../../models/svd/folder.js'
import { UNetSpatioTemporalConditionModel } from '../../models/svd/unet.js'
import { loadWeights } from '../../nn/index.js'
import type { Runtime } from '../../tensor/index.js'
import type { TrainOptions } from '../network.js'
import { runTraining, type RunEvent } from '../run.js'
import { checkSides } from '../settings.js'
import { writeModelPart } from '../write-part.js'
import { openBase } from './base.js'
import { fillCache, readCached, type CacheEvent } from './cache.js'
import type { SVDTrainConfig } from './config.js'
import { SVDTask } from './task.js'

/** Trains a video UNet; the run's folder holds the cache too, and in the end `unet/`. Errors: as `openBase`, `fillCache` and `runTraining`. */
export async function* trainSVD(
  runtime: Runtime,
  { data, config, folder, end, signal }: TrainOptions<SVDTrainConfig>,
): AsyncGenerator<CacheEvent | RunEvent, void, undefined> {
  const { settings, saveEvery, frames, width, height, checkpointing } = config
  const base = await openBase(config)
  const scale = latentPixels(base.vae.config)
  checkSides(config, scale)
  const cache = join(folder, 'cache')
  const clips = yield* fillCache(runtime, base, { data, cache, settings: config, seed: settings.seed, signal })
  const unet = new UNetSpatioTemporalConditionModel(base.unet.config)
  unet.checkpointing = checkpointing
  using task = new SVDTask(runtime, unet, {
    ...config,
    clips: { count: clips.length, read: clip => readCached(clips[clip], base, config) },
    size: { frames, width: width / scale, height: height / scale },
  })
  const { openWeights } = base.unet
  yield* runTraining(runtime, {
    folder,
    task,
    settings,
    saveEvery,
    end,
    signal,
    description: { ...config, unet: base.unet.json, clips: clips.map(({ name, key }) => ({ name, key })) },
    begin:
      openWeights && (() => withWeights({ openWeights }, file => loadWeights(runtime, unet.weights, file, { signal }))),
    finish: values => {
      // In the float type of the base, or f16.
      const dtype = openWeights ? unet.conv_in.weight.value.dtype : 'f16'
      return writeModelPart(join(folder, 'unet'), 'diffusion_pytorch_model', unet.weights, base.unet.json, {
        dtype,
        values,
      })
    },
  })
}
