// The stages of making a video. Each loads its network, uses it and releases it, so that one network is in memory at a
// time. Between the stages only small tensors live on. While the weights load, the shaders compile that the stage is
// going to use. For the source see generate.ts.

import { CLIPVisionModelWithProjection } from '../models/clip/vision.js'
import { withWeights, type ModelFolder } from '../models/svd/folder.js'
import { baseChannels, conditionChannels } from '../models/svd/latents.js'
import { UNetSpatioTemporalConditionModel } from '../models/svd/unet.js'
import { AutoencoderKLTemporalDecoder } from '../models/svd/vae.js'
import type { LoadOptions, Observer } from '../nn/index.js'
import { scope, Tensor, type Runtime } from '../tensor/index.js'
import { decodeChunk, decodeChunks, latentsToDecode } from './decode.js'
import { denoise, type DenoiseInputs, type DenoisePoint } from './denoise.js'
import { finiteFloats } from './finite.js'
import type { Picture } from './media/picture.js'
import { quick, type MemoryPolicy } from './plan/policy.js'
import {
  imageEncoderRehearsal,
  playAll,
  unetRehearsal,
  vaeDecoderRehearsal,
  vaeEncoderRehearsal,
} from './plan/rehearsals.js'
import { clipPixels, toPicture, videoPixels } from '../models/svd/preprocess.js'
import type { SamplerStep } from './samplers/euler.js'
import type { GenerateSettings } from './settings.js'

/** What every stage needs. */
export interface StageContext {
  readonly runtime: Runtime
  readonly model: ModelFolder
  readonly settings: GenerateSettings
  /** Default: `quick`. */
  readonly memory?: MemoryPolicy
  readonly signal?: AbortSignal
  /** Hears how far the weights of a stage are loaded, in bytes. */
  readonly progress?: LoadOptions['progress']
  readonly observe?: Observer
}

/** What the picture shows: its CLIP embedding, [1, 1, D]. */
export async function encodeForContext(context: StageContext, image: Picture): Promise<Tensor> {
  const { runtime, model, memory = quick, signal, progress, observe } = context
  const { config } = model.imageEncoder
  const shape = [1, 3, config.imageSize, config.imageSize]
  const warmUp = playAll(imageEncoderRehearsal(config), memory)
  const { chunkBytes } = memory
  using encoder = await withWeights(model.imageEncoder, file =>
    CLIPVisionModelWithProjection.load(runtime, file, config, { signal, progress, warmUp, chunkBytes }),
  )
  const pixels = clipPixels(image, config.imageSize)
  const embeddings = scope(() => {
    const pixelValues = Tensor.from(runtime, pixels, shape, 'f32', 'pixel_values')
    observe?.('pixel_values', pixelValues)
    return encoder.forward(pixelValues).imageEmbeds.reshape([1, 1, -1])
  })
  observe?.('image_embeddings', embeddings)
  return finished(embeddings, 'image encoder', 'embeddings')
}

/** What the picture looks like: its latents with a little noise in it, [1, 4, h, w]; not scaled. */
export async function encodeForLatents(context: StageContext, image: Picture, noise: Float32Array): Promise<Tensor> {
  const { runtime, model, settings, memory = quick, signal, progress, observe } = context
  const { width, height, noiseAug } = settings
  const shape = [1, 3, height, width]
  const rehearsal = vaeEncoderRehearsal(model.vae.config, settings)
  const { only } = rehearsal
  const options = { only, signal, progress, warmUp: playAll(rehearsal, memory), chunkBytes: memory.chunkBytes }
  using vae = await withWeights(model.vae, file =>
    AutoencoderKLTemporalDecoder.load(runtime, file, model.vae.config, options),
  )
  const pixels = videoPixels(image, width, height)
  const latents = scope(() => {
    observe?.('image_preprocessed', Tensor.from(runtime, pixels, shape))
    const noisy = pixels.map((value, i) => value + noiseAug * noise[i])
    return vae.encode(Tensor.from(runtime, noisy, shape, 'f32', 'image')).mean
  })
  observe?.('image_latents', latents)
  return finished(latents, 'vae encoder', 'latents')
}

/** A step of denoising that is done, on the host. */
export interface DenoisedStep extends DenoisePoint, Pick<SamplerStep, 'steps' | 'sigma' | 'next'> {
  readonly seconds: number
}

/** Denoises the video's latents; those of the last step are the result. */
export async function* denoiseVideo(
  context: StageContext,
  inputs: DenoiseInputs,
): AsyncGenerator<DenoisedStep, void, undefined> {
  const { runtime, model, settings, memory = quick, signal, progress, observe } = context
  // A checkpoint without the motion condition is given weights of zero for it.
  const inChannels = inputs.condition ? baseChannels + conditionChannels : model.unet.config.inChannels
  const config = { ...model.unet.config, inChannels }
  const motion = inputs.condition !== undefined
  const warmUp = playAll(unetRehearsal(config, model.vae.config, settings, motion, inputs.clips), memory)
  const { chunkBytes } = memory
  using unet = await withWeights(model.unet, file =>
    UNetSpatioTemporalConditionModel.load(runtime, file, config, { signal, progress, warmUp, chunkBytes }),
  )
  let clock = performance.now()
  for (const { sample, ...done } of denoise(unet, inputs, settings, observe, memory)) {
    observe?.('latents', sample)
    const latents = await finiteFloats(sample, 'unet', `latents of step ${done.step}`)
    yield { ...done, latents, seconds: (performance.now() - clock) / 1000 }
    clock = performance.now()
  }
}

/** Decodes latents [1, frames, 4, h, w] to pictures, `decodeChunk` frames at a time. */
export async function* decodeFrames(
  context: StageContext,
  latents: Tensor,
): AsyncGenerator<{ type: 'frames'; frame: number; frames: number }, Picture[], undefined> {
  const { runtime, model, settings, memory = quick, signal, progress, observe } = context
  const { frames, width, height } = settings
  const { config } = model.vae
  const rehearsal = vaeDecoderRehearsal(config, settings)
  const { only } = rehearsal
  const options = { only, signal, progress, warmUp: playAll(rehearsal, memory), chunkBytes: memory.chunkBytes }
  using vae = await withWeights(model.vae, file => AutoencoderKLTemporalDecoder.load(runtime, file, config, options))
  using z = latentsToDecode(latents, config)
  const pictures: Picture[] = []
  for (const count of decodeChunks(settings)) {
    signal?.throwIfAborted()
    const first = pictures.length
    using sample = decodeChunk(vae, z, first, count)
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
