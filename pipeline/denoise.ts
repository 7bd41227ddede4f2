// Denoising a video's latents: the UNet, guided by the picture, as the sampler calls it. What is the same at every step
// is made before the first, what is the same with and without the picture once for both. A step is recorded once and
// replayed: a loop over hundreds of layers then costs its host side once, and takes no memory after its first step.

import { cat, expand, mix, slice } from '../kernels/index.js'
import { baseChannels, conditionChannels, latentChannels } from '../models/svd/latents.js'
import type { UNetSpatioTemporalConditionModel } from '../models/svd/unet.js'
import type { Observer } from '../nn/index.js'
import {
  capture,
  OutOfMemoryError,
  overwrite,
  scope,
  Tensor,
  type Captured,
  type Runtime,
  type Shape,
} from '../tensor/index.js'
import { quick, type MemoryPolicy } from './plan/policy.js'
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
  /** Where an earlier run stopped: it goes on from there, not from noise. */
  readonly resume?: DenoisePoint
}

/** A point between two steps. */
export interface DenoisePoint {
  /** Steps that are done. */
  readonly step: number
  /** [frames, 4, h, w], at the noise level of that point. */
  readonly latents: Float32Array
}

/** The latents that the first of so many steps begins with, [frames, 4, h, w]. */
export function startOf({ noise, scheduler, resume }: DenoiseInputs, steps: number): Float32Array {
  const scale = initNoiseSigma(karrasSigmas(steps, scheduler))
  return resume?.latents ?? noise.map(value => value * scale)
}

/**
 * Denoises [1, frames, 4, h, w], beginning with noise, and yields after each step as `sampleEuler` does. Nobody is
 * waited for. Observers see the latents that it begins with and each input and output of the UNet, whose steps are then
 * not replayed but run one by one. Throws what the UNet throws.
 */
export function* denoise(
  unet: UNetSpatioTemporalConditionModel,
  inputs: DenoiseInputs,
  settings: GenerateSettings,
  observe?: Observer,
  { sequentialGuidance, replay }: MemoryPolicy = quick,
): Generator<SamplerStep, void, undefined> {
  const { embeddings, pictureLatents, condition, scheduler, resume } = inputs
  const { runtime } = embeddings
  const { frames, steps, fps, motionBucket, noiseAug, minGuidance, maxGuidance } = settings
  const { inChannels } = unet.config
  const [, , height, width] = pictureLatents.shape
  const video = [frames, latentChannels, height, width]
  const sigmas = karrasSigmas(steps, scheduler)
  using start = Tensor.from(runtime, startOf(inputs, steps), [1, ...video], 'f32', 'latents')
  observe?.('latents', start)

  // With guidance the network also sees the video without the picture: [without, with]. (The source looks at
  // maxGuidance alone, and so lets guidance that falls to 1 or less go unheard.)
  const guided = Math.max(minGuidance, maxGuidance) > 1
  const together = guided && !sequentialGuidance
  const batched = (tensor: Tensor) => scope(() => (together ? withZeros(tensor) : tensor.share()))
  using hidden = batched(embeddings) // [B,1,D]
  using pictures = batched(pictureLatents) // [B,4,h,w]
  using context = unet.prepare(hidden, frames, pictures)
  using noHidden = Tensor.zeros(runtime, embeddings.shape)
  using noPicture = Tensor.zeros(runtime, pictureLatents.shape)
  using blank = guided && !together ? unet.prepare(noHidden, frames, noPicture) : undefined
  using motion = inChannels > baseChannels ? motionChannels(runtime, condition, video) : undefined // [1,F,2,h,w]
  using guidance = Tensor.from(runtime, guidanceScale(settings), [1, frames, 1, 1, 1], 'f32', 'guidance_scale')
  // Time, and the motion as well, are the same with the picture and without it.
  const addedTimeIds = [[fps - 1, motionBucket, noiseAug]]

  const predict = (input: Tensor, embedding: Tensor): Tensor => {
    observe?.('unet_in', wholeInput(input, pictures, motion))
    const sample = motion ? cat([input, motion], 2) : input // [1,F,4 or 6,h,w]
    const output = unet.predict(sample, embedding, context) // [B,F,4,h,w]
    observe?.('unet_out', output)
    if (!guided) return output
    if (blank) return mix(output, unet.predict(sample, embedding, blank), guidance)
    return mix(slice(output, 0, 1, 2), slice(output, 0, 0, 1), guidance)
  }
  using input = Tensor.allocate(runtime, start.shape, 'f32', 'unet input')
  using embedding = unet.embed(0, addedTimeIds)
  using step = observe || !replay ? undefined : captureIfRoom(runtime, () => predict(input, embedding))

  const predictAt = (sample: Tensor, timestep: number): Tensor => {
    const now = unet.embed(timestep, addedTimeIds)
    if (!step) return predict(sample, now)
    overwrite(input, sample)
    overwrite(embedding, now)
    return step.replay().share()
  }
  yield* sampleEuler(predictAt, start, sigmas, resume?.step)
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

/** The motion condition, or none of it: [1, F, 2, h, w]. */
function motionChannels(runtime: Runtime, condition: Float32Array | undefined, video: Shape): Tensor {
  const shape = [1, ...video.with(1, conditionChannels)]
  return condition ? Tensor.from(runtime, condition, shape) : Tensor.zeros(runtime, shape)
}

/** What the UNet sees all in all, [B, F, 8 or 10, h, w]: noisy latents, the picture's in every frame, the motion. */
function wholeInput(input: Tensor, pictures: Tensor, motion: Tensor | undefined): Tensor {
  const [, frames, ...size] = input.shape
  const [batch, ...picture] = pictures.shape
  const still = expand(pictures.reshape([batch, 1, ...picture]), [batch, frames, ...picture])
  const parts = [expand(input, [batch, frames, ...size]), still]
  return cat(motion ? [...parts, expand(motion, motion.shape.with(0, batch))] : parts, 2)
}

/** One scale a frame, from minGuidance to maxGuidance. */
function guidanceScale({ frames, minGuidance, maxGuidance }: GenerateSettings): number[] {
  const step = frames > 1 ? (maxGuidance - minGuidance) / (frames - 1) : 0
  return Array.from({ length: frames }, (_, i) => minGuidance + i * step)
}
