// Denoising a video's latents: the UNet, guided by the picture, as the sampler calls it, on the whole video or on clips
// of it. A step is recorded once and replayed: a loop over hundreds of layers then costs its host side once, and takes
// no memory after its first step.

import { slice } from '../kernels/index.js'
import { baseChannels, conditionChannels } from '../models/svd/latents.js'
import type { UNetSpatioTemporalConditionModel } from '../models/svd/unet.js'
import type { Observer } from '../nn/index.js'
import {
  capture,
  OutOfMemoryError,
  overwrite,
  Tensor,
  type Captured,
  type Runtime,
  type Shape,
} from '../tensor/index.js'
import { GuidedUNet, type PictureTensors } from './guided.js'
import { ClipBlend, planClips, type Clip, type ClipOptions } from './long/clips.js'
import { quick, type MemoryPolicy } from './plan/policy.js'
import { sampleEuler, type SamplerStep } from './samplers/euler.js'
import { initNoiseSigma, karrasSigmas, type EulerConfig } from './schedulers/euler.js'
import type { GenerateSettings } from './settings.js'

/** What goes into the UNet. */
export interface DenoiseInputs extends PictureTensors {
  /** [frames, 2, h, w] */
  readonly condition?: Float32Array
  readonly scheduler: EulerConfig
  /** [frames, 4, h, w] */
  readonly noise: Float32Array
  /** How a video is cut that is longer than the UNet can see. Default: not at all. */
  readonly clips?: ClipOptions
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
  const { condition, scheduler, resume } = inputs
  const { runtime, shape: picture } = inputs.pictureLatents
  const { frames, steps, fps, motionBucket, noiseAug, minGuidance, maxGuidance } = settings
  const video = [frames, ...picture.slice(1)]
  const sigmas = karrasSigmas(steps, scheduler)
  using start = Tensor.from(runtime, startOf(inputs, steps), [1, ...video], 'f32', 'latents')
  observe?.('latents', start)

  const clips = planClips(frames, inputs.clips)
  const length = clips[0].end
  using blend = new ClipBlend(runtime, clips)
  // With guidance the network also sees the video without the picture. (The source looks at maxGuidance alone, and so
  // lets guidance that falls to 1 or less go unheard.)
  const guided = Math.max(minGuidance, maxGuidance) > 1
  using model = new GuidedUNet(unet, inputs, { frames: length, guided, sequential: sequentialGuidance, observe })
  const wantsMotion = unet.config.inChannels > baseChannels
  using motion = wantsMotion ? motionChannels(runtime, condition, video) : undefined // [1,F,2,h,w]
  using guidance = Tensor.from(runtime, guidanceScale(settings, length), [1, frames, 1, 1, 1], 'f32', 'guidance_scale')
  // Time, and the motion as well, are the same with the picture and without it.
  const addedTimeIds = [[fps - 1, motionBucket, noiseAug]]

  // Parts of what differs from clip to clip; all of it where there is but one.
  const motionOf = ({ first, end }: Clip) => motion && slice(motion, 1, first, end)
  const guidanceOf = ({ first, end }: Clip) => slice(guidance, 1, first, end)
  using input = Tensor.allocate(runtime, start.shape.with(1, length), 'f32', 'unet input')
  using embedding = unet.embed(0, addedTimeIds)
  using clipMotion = motionOf(clips[0])
  using clipGuidance = guidanceOf(clips[0])
  const inStep = { input, embedding, motion: clipMotion, guidance: clipGuidance }
  using step = observe || !replay ? undefined : captureIfRoom(runtime, () => model.predict(inStep))

  const predictAt = (sample: Tensor, timestep: number): Tensor => {
    const now = unet.embed(timestep, addedTimeIds)
    if (step) overwrite(embedding, now)
    return blend.whole(clip => {
      const part = slice(sample, 1, clip.first, clip.end)
      if (!step) {
        const own = { motion: motionOf(clip), guidance: guidanceOf(clip) }
        return model.predict({ input: part, embedding: now, ...own })
      }
      overwrite(input, part)
      if (clips.length > 1) {
        if (clipMotion) overwrite(clipMotion, motionOf(clip)!)
        overwrite(clipGuidance, guidanceOf(clip))
      }
      return step.replay().share()
    })
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

/** The motion condition, or none of it: [1, F, 2, h, w]. */
function motionChannels(runtime: Runtime, condition: Float32Array | undefined, video: Shape): Tensor {
  const shape = [1, ...video.with(1, conditionChannels)]
  return condition ? Tensor.from(runtime, condition, shape) : Tensor.zeros(runtime, shape)
}

/** One scale a frame: from minGuidance to maxGuidance over the first `length` frames, and no further. */
function guidanceScale({ frames, minGuidance, maxGuidance }: GenerateSettings, length: number): number[] {
  const step = length > 1 ? (maxGuidance - minGuidance) / (length - 1) : 0
  return Array.from({ length: frames }, (_, i) => minGuidance + Math.min(i, length - 1) * step)
}
