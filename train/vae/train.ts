// Training a video autoencoder from a folder of clips and a configuration.

import { basename, dirname, join } from 'node:path'
import { readConfigText } from '../../models/checkpoint.js'
import { parseObject } from '../../models/config-reader.js'
import { openModelPart, withWeights } from '../../models/svd/folder.js'
import { videoPixels } from '../../models/svd/preprocess.js'
import { AutoencoderKLTemporalDecoder } from '../../models/svd/vae.js'
import { parseVaeConfig } from '../../models/svd/vae-config.js'
import { loadWeights } from '../../nn/index.js'
import { Generator, NumberError, scope, Tensor, type Runtime } from '../../tensor/index.js'
import { findClips, type FoundClip } from '../clip-folder.js'
import type { TrainOptions } from '../network.js'
import { runTraining, type RunEvent } from '../run.js'
import { checkSides } from '../settings.js'
import type { CacheEvent } from '../svd/cache.js'
import { readClip } from '../svd/clips.js'
import { useMeans, writeModelPart } from '../write-part.js'
import { beginWithColours } from './colours.js'
import type { VaeTrainConfig } from './config.js'
import { VaeTask } from './task.js'

/** Clips whose latents the scaling factor is measured on. */
const measuredClips = 64

/**
 * Trains a video autoencoder, and measures its scaling factor; in the end the run's folder holds `vae/`. Throws a UsageError if the size does not come out even;
 * errors of files and of `runTraining`.
 */
export async function* trainVae(
  runtime: Runtime,
  { data, config, folder, end, signal }: TrainOptions<VaeTrainConfig>,
): AsyncGenerator<CacheEvent | RunEvent, void, undefined> {
  const { vaeConfig: path, base, train, settings, saveEvery } = config
  const text = await readConfigText(dirname(path), basename(path))
  const vae = new AutoencoderKLTemporalDecoder(parseVaeConfig(path, text))
  checkSides(config, vae.scale)
  const begun = base === undefined ? undefined : await openModelPart(base, 'diffusion_pytorch_model', parseVaeConfig)
  const clips = yield* findClips(data, config, signal)
  using task = new VaeTask(runtime, vae, { ...config, clips })
  yield* runTraining(runtime, {
    folder,
    task,
    settings,
    saveEvery,
    end,
    signal,
    description: { ...config, vae: vae.config, clips: clips.map(({ name, key }) => ({ name, key })) },
    begin: () =>
      begun
        ? withWeights(begun, file => loadWeights(runtime, vae.weights, file, { signal }))
        : beginWithColours(runtime, vae, new Generator(settings.seed)),
    finish: async means => {
      await useMeans(runtime, vae.weights, means)
      // Of a frozen encoder it stays as it was.
      const factor =
        begun && train === 'decoder' ? begun.config.scalingFactor : await scalingFactor(runtime, vae, clips, config)
      const json = { ...parseObject(path, text), scaling_factor: factor }
      return writeModelPart(join(folder, 'vae'), 'diffusion_pytorch_model', vae.weights, json)
    },
  })
}

/** What makes latents of the clips' first frames vary by 1, all numbers together. */
async function scalingFactor(
  runtime: Runtime,
  vae: AutoencoderKLTemporalDecoder,
  clips: readonly FoundClip[],
  { width, height }: VaeTrainConfig,
): Promise<number> {
  let [count, total, squares] = [0, 0, 0]
  for (const { path } of clips.slice(0, measuredClips)) {
    const [frame] = (await readClip(path, { frames: 1, stride: 1 })).frames
    const pixels = videoPixels(frame, width, height)
    using mean = scope(() => vae.encode(Tensor.from(runtime, pixels, [1, 3, height, width])).mean)
    for (const value of await mean.floats()) {
      count++
      total += value
      squares += value * value
    }
  }
  const deviation = Math.sqrt(squares / count - (total / count) ** 2)
  const factor = Number((1 / deviation).toPrecision(5))
  if (Number.isFinite(factor) && factor > 0) return factor
  throw new NumberError({ where: 'vae', what: `latents vary by ${deviation}` })
}
