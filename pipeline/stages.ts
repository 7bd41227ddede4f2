// The stages of making a video. Each loads its network, uses it and releases it, so that one network is in memory at a
// time. Between the stages only small tensors live on. For the source see generate.ts.

import { affine, cat, expand, mix, slice } from '../kernels/index.js'
import { CLIPVisionModelWithProjection } from '../models/clip/vision.js'
import type { ModelFolder, ModelPart } from '../models/svd/folder.js'
import { BASE_CHANNELS, CONDITION_CHANNELS, LATENT_CHANNELS } from '../models/svd/latents.js'
import { UNetSpatioTemporalConditionModel } from '../models/svd/unet.js'
import { AutoencoderKLTemporalDecoder } from '../models/svd/vae.js'
import type { LoadOptions, Observer } from '../nn/index.js'
import type { TensorFile } from '../tensor/files/index.js'
import { scope, Tensor, UsageError, type Runtime } from '../tensor/index.js'
import { finiteFloats } from './finite.js'
import type { Picture } from './media/picture.js'
import { clipPixels, toPicture, videoPixels } from './preprocess.js'
import { sampleEuler } from './samplers/euler.js'
import { initNoiseSigma, karrasSigmas, type EulerConfig } from './schedulers/euler.js'
import type { GenerateSettings } from './settings.js'

/** What every stage needs. */
export interface StageContext {
  readonly runtime: Runtime
  readonly model: ModelFolder
  readonly settings: GenerateSettings
  readonly signal?: AbortSignal
  /** Hears how far the weights of a stage are loaded, in bytes. */
  readonly progress?: LoadOptions['progress']
  readonly observe?: Observer
}

/** What the picture shows: its CLIP embedding, [1, 1, D]. */
export async function encodeForContext(context: StageContext, image: Picture): Promise<Tensor> {
  const { runtime, model, signal, progress, observe } = context
  const { config } = model.imageEncoder
  using encoder = await load(model.imageEncoder, file =>
    CLIPVisionModelWithProjection.load(runtime, file, config, { signal, progress }),
  )
  const pixels = clipPixels(image, config.imageSize)
  const embeddings = scope(() => {
    const pixelValues = Tensor.from(runtime, pixels, [1, 3, config.imageSize, config.imageSize], 'f32', 'pixel_values')
    observe?.('pixel_values', pixelValues)
    return encoder.forward(pixelValues).imageEmbeds.reshape([1, 1, -1])
  })
  observe?.('image_embeddings', embeddings)
  return finished(embeddings, 'image encoder', 'embeddings')
}

/** What the picture looks like: its latents with a little noise in it, [1, 4, h, w]; not scaled. */
export async function encodeForLatents(context: StageContext, image: Picture, noise: Float32Array): Promise<Tensor> {
  const { runtime, model, settings, signal, progress, observe } = context
  const { width, height, noiseAug } = settings
  const options = { only: AutoencoderKLTemporalDecoder.encoderWeights, signal, progress }
  using vae = await load(model.vae, file => AutoencoderKLTemporalDecoder.load(runtime, file, model.vae.config, options))
  const pixels = videoPixels(image, width, height)
  const latents = scope(() => {
    observe?.('image_preprocessed', Tensor.from(runtime, pixels, [1, 3, height, width]))
    const noisy = pixels.map((value, i) => value + noiseAug * noise[i])
    return vae.encode(Tensor.from(runtime, noisy, [1, 3, height, width], 'f32', 'image')).mean
  })
  observe?.('image_latents', latents)
  return finished(latents, 'vae encoder', 'latents')
}

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

/** Denoises the video's latents, [1, frames, 4, h, w]. */
export async function* denoiseVideo(
  context: StageContext,
  { embeddings, pictureLatents, condition, scheduler, noise }: DenoiseInputs,
): AsyncGenerator<{ type: 'step'; step: number; steps: number; seconds: number }, Tensor, undefined> {
  const { runtime, model, settings, signal, progress, observe } = context
  const { frames, steps, fps, motionBucket, noiseAug, minGuidance, maxGuidance } = settings
  // A checkpoint without the motion condition is given weights of zero for it.
  const inChannels = condition ? BASE_CHANNELS + CONDITION_CHANNELS : model.unet.config.inChannels
  const config = { ...model.unet.config, inChannels }
  using unet = await load(model.unet, file =>
    UNetSpatioTemporalConditionModel.load(runtime, file, config, { signal, progress }),
  )
  const [, , height, width] = pictureLatents.shape
  const shape = [1, frames, LATENT_CHANNELS, height, width]
  const sigmas = karrasSigmas(steps, scheduler)
  const scale = initNoiseSigma(sigmas)
  using start = Tensor.from(
    runtime,
    noise.map(value => value * scale),
    shape,
    'f32',
    'latents',
  )
  observe?.('latents', start)

  // With guidance the network also sees the video without the picture: [without, with]. (The source looks at maxGuidance
  // alone, and so lets guidance that falls to 1 or less go unheard.)
  const guided = Math.max(minGuidance, maxGuidance) > 1
  const batch = guided ? 2 : 1
  using hidden = scope(() => (guided ? withZeros(embeddings) : embeddings.share())) // [B,1,D]
  using fixed = scope(() => fixedChannels(pictureLatents, condition, { batch, frames, inChannels }))
  using guidance = Tensor.from(runtime, guidanceScale(settings), [1, frames, 1, 1, 1], 'f32', 'guidance_scale')
  const addedTimeIds = new Array<number[]>(batch).fill([fps - 1, motionBucket, noiseAug])

  const denoise = (input: Tensor, timestep: number) => {
    const noisy = guided ? expand(input, [2, ...shape.slice(1)]) : input
    const sample = cat([noisy, fixed], 2) // [B,F,8 or 10,h,w]
    observe?.('unet_in', sample)
    const output = unet.forward(sample, timestep, hidden, addedTimeIds) // [B,F,4,h,w]
    observe?.('unet_out', output)
    return guided ? mix(slice(output, 0, 1, 2), slice(output, 0, 0, 1), guidance) : output
  }
  let clock = performance.now()
  for (const { step, sample } of sampleEuler(denoise, start, sigmas)) {
    observe?.('latents', sample)
    await finiteFloats(sample, 'unet', `latents of step ${step}`)
    signal?.throwIfAborted()
    const seconds = (performance.now() - clock) / 1000
    yield { type: 'step', step, steps, seconds }
    clock = performance.now()
    if (step === steps) return sample.share()
  }
  throw new UsageError({ where: 'steps', what: 'a run has at least one' })
}

/** Decodes latents [1, frames, 4, h, w] to pictures, `decodeChunk` frames at a time. */
export async function* decodeFrames(
  context: StageContext,
  latents: Tensor,
): AsyncGenerator<{ type: 'frames'; frame: number; frames: number }, Picture[], undefined> {
  const { runtime, model, settings, signal, progress, observe } = context
  const { frames, width, height, decodeChunk } = settings
  const { config } = model.vae
  const options = { only: AutoencoderKLTemporalDecoder.decoderWeights, signal, progress }
  using vae = await load(model.vae, file => AutoencoderKLTemporalDecoder.load(runtime, file, config, options))
  using z = scope(() => affine(latents.reshape([frames, ...latents.shape.slice(2)]), 1 / config.scalingFactor, 0))
  const pictures: Picture[] = []
  while (pictures.length < frames) {
    signal?.throwIfAborted()
    const first = pictures.length
    const count = Math.min(decodeChunk, frames - first)
    using sample = scope(() => vae.decode(slice(z, 0, first, first + count), count)) // [count,3,H,W]
    observe?.('frames', sample)
    const values = await finiteFloats(sample, 'vae decoder', `frames from ${first}`)
    for (let i = 0; i < count; i++) {
      const size = 3 * width * height
      pictures.push(toPicture(values.subarray(i * size, (i + 1) * size), width, height))
    }
    yield { type: 'frames', frame: pictures.length, frames }
  }
  return pictures
}

/** Opens a part's weights, builds the network of them and closes the file. */
async function load<C, M>({ openWeights }: ModelPart<C>, build: (file: TensorFile) => Promise<M>): Promise<M> {
  const file = await openWeights()
  try {
    return await build(file)
  } finally {
    await file.close()
  }
}

/** The tensor when the device has made it; released if that failed or it is not finite. */
async function finished(tensor: Tensor, where: string, what: string): Promise<Tensor> {
  try {
    await finiteFloats(tensor, where, what)
    return tensor
  } catch (error) {
    tensor.dispose()
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
