// Denoising a video's latents: the UNet, guided by the picture, as the sampler calls it. A step is recorded once and
// replayed: a loop over hundreds of layers then costs its host side once, and takes no memory after its first step.

import { cat, expand, mix, slice } from '../kernels/index.js'
import { BASE_CHANNELS, CONDITION_CHANNELS, LATENT_CHANNELS } from '../models/svd/latents.js'
import type { UNetSpatioTemporalConditionModel } from '../models/svd/unet.js'
import type { Observer } from '../nn/index.js'
import { capture, OutOfMemoryError, overwrite, scope, Tensor, type Captured, type Runtime } from '../tensor/index.js'
import { sampleEuler, type SamplerStep } from './samplers/euler.js'
import { initNoiseSigma, karrasSigmas, type EulerConfig } from './schedulers/euler.js'
import type { GenerateSettings } from './settings.js'

/** What goes into the UNet. */
export interface DenoiseInputs {
  /** [1, 1, D] */
  readonly embeddings: Tensor
  /** [1, 4, h, w] */
  readonly pictureLatents: Tensor
  /** [frames, 2, h, w] */
  readonly condition?: Float32Array
  readonly scheduler: EulerConfig
  /** [frames, 4, h, w] */
  readonly noise: Float32Array
}

/** Inputs of the same shapes on another runtime, with arbitrary elements: for trying out. */
export function twinOf(inputs: DenoiseInputs, runtime: Runtime): DenoiseInputs {
  const twin = ({ shape, dtype, label }: Tensor) => Tensor.allocate(runtime, shape, dtype, label)
  return { ...inputs, embeddings: twin(inputs.embeddings), pictureLatents: twin(inputs.pictureLatents) }
}

/**
 * Denoises [1, frames, 4, h, w], beginning with noise, and yields after each step as `sampleEuler` does. Nobody is
 * waited for. Observers see the latents that it begins with and each input and output of the UNet, whose steps are then
 * not replayed but run one by one. Throws what the UNet throws.
 */
export function* denoise(
  unet: UNetSpatioTemporalConditionModel,
  { embeddings, pictureLatents, condition, scheduler, noise }: DenoiseInputs,
  settings: GenerateSettings,
  observe?: Observer,
): Generator<SamplerStep, void, undefined> {
  const { runtime } = embeddings
  const { frames, steps, fps, motionBucket, noiseAug, minGuidance, maxGuidance } = settings
  const { inChannels } = unet.config
  const [, , height, width] = pictureLatents.shape
  const video = [frames, LATENT_CHANNELS, height, width]
  const sigmas = karrasSigmas(steps, scheduler)
  const scale = initNoiseSigma(sigmas)
  const first = noise.map(value => value * scale)
  using start = Tensor.from(runtime, first, [1, ...video], 'f32', 'latents')
  observe?.('latents', start)

  // With guidance the network also sees the video without the picture: [without, with]. (The source looks at
  // maxGuidance alone, and so lets guidance that falls to 1 or less go unheard.)
  const guided = Math.max(minGuidance, maxGuidance) > 1
  const batch = guided ? 2 : 1
  using hidden = scope(() => (guided ? withZeros(embeddings) : embeddings.share())) // [B,1,D]
  using fixed = scope(() => fixedChannels(pictureLatents, condition, { batch, frames, inChannels }))
  using guidance = Tensor.from(runtime, guidanceScale(settings), [1, frames, 1, 1, 1], 'f32', 'guidance_scale')
  const addedTimeIds = new Array<number[]>(batch).fill([fps - 1, motionBucket, noiseAug])

  const predict = (input: Tensor, embedding: Tensor): Tensor => {
    const noisy = guided ? expand(input, [2, ...video]) : input
    const sample = cat([noisy, fixed], 2) // [B,F,8 or 10,h,w]
    observe?.('unet_in', sample)
    const output = unet.predict(sample, embedding, hidden) // [B,F,4,h,w]
    observe?.('unet_out', output)
    return guided ? mix(slice(output, 0, 1, 2), slice(output, 0, 0, 1), guidance) : output
  }
  using input = Tensor.allocate(runtime, start.shape, 'f32', 'unet input')
  using embedding = unet.embed(0, addedTimeIds)
  using step = observe ? undefined : captureIfRoom(runtime, () => predict(input, embedding))

  const predictAt = (sample: Tensor, timestep: number): Tensor => {
    const now = unet.embed(timestep, addedTimeIds)
    if (!step) return predict(sample, now)
    overwrite(input, sample)
    overwrite(embedding, now)
    return step.replay().share()
  }
  yield* sampleEuler(predictAt, start, sigmas)
}

/**
 * A capture; undefined if it exceeds the runtime's budget: it holds more memory than the same work takes step by step.
 */
function captureIfRoom<T>(runtime: Runtime, body: () => T): Captured<T> | undefined {
  try {
    return capture(runtime, body)
  } catch (error) {
    if (error instanceof OutOfMemoryError) return undefined
    throw error
  }
}

/** [1, ...] to [2, ...], zeros first. */
function withZeros(tensor: Tensor): Tensor {
  return cat([Tensor.zeros(tensor.runtime, tensor.shape), tensor], 0)
}

/** The channels of the UNet's input that stay the same at every step, [B, F, 4 or 6, h, w]. */
function fixedChannels(
  pictureLatents: Tensor,
  condition: Float32Array | undefined,
  { batch, frames, inChannels }: { batch: number; frames: number; inChannels: number },
): Tensor {
  const { runtime, shape } = pictureLatents
  const [, , height, width] = shape
  const rows = batch === 2 ? withZeros(pictureLatents) : pictureLatents // [B,4,h,w]
  const video = [batch, frames, LATENT_CHANNELS, height, width]
  const picture = expand(rows.reshape([batch, 1, LATENT_CHANNELS, height, width]), video)
  if (inChannels === BASE_CHANNELS) return picture
  // Guidance is about the picture: both halves know the motion.
  const size = [frames, CONDITION_CHANNELS, height, width]
  const motion = condition ? Tensor.from(runtime, condition, [1, ...size]) : Tensor.zeros(runtime, [1, ...size])
  return cat([picture, expand(motion, [batch, ...size])], 2)
}

/** One scale a frame, from minGuidance to maxGuidance. */
function guidanceScale({ frames, minGuidance, maxGuidance }: GenerateSettings): number[] {
  const step = frames > 1 ? (maxGuidance - minGuidance) / (frames - 1) : 0
  return Array.from({ length: frames }, (_, i) => minGuidance + i * step)
}
