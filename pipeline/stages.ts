// The stages of making a video. Each loads its network, uses it and releases it, so that one network is in memory at a
// time. Between the stages only small tensors live on. While the weights load, the shaders compile that the stage is
// going to use. For the source see generate.ts.

import { affine, slice } from '../kernels/index.js'
import { CLIPVisionModelWithProjection } from '../models/clip/vision.js'
import type { ModelFolder, ModelPart } from '../models/svd/folder.js'
import { BASE_CHANNELS, CONDITION_CHANNELS } from '../models/svd/latents.js'
import { UNetSpatioTemporalConditionModel } from '../models/svd/unet.js'
import { AutoencoderKLTemporalDecoder } from '../models/svd/vae.js'
import type { LoadOptions, Observer } from '../nn/index.js'
import type { TensorFile } from '../tensor/files/index.js'
import { scope, Tensor, UsageError, type Runtime } from '../tensor/index.js'
import { denoise, twinOf, type DenoiseInputs } from './denoise.js'
import { finiteFloats } from './finite.js'
import type { Picture } from './media/picture.js'
import { clipPixels, toPicture, videoPixels } from './preprocess.js'
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
  const shape = [1, 3, config.imageSize, config.imageSize]
  const warmUp = (encoder: CLIPVisionModelWithProjection, dry: Runtime) => {
    encoder.forward(Tensor.allocate(dry, shape, 'f32'))
  }
  using encoder = await load(model.imageEncoder, file =>
    CLIPVisionModelWithProjection.load(runtime, file, config, { signal, progress, warmUp }),
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
  const { runtime, model, settings, signal, progress, observe } = context
  const { width, height, noiseAug } = settings
  const shape = [1, 3, height, width]
  const warmUp = (vae: AutoencoderKLTemporalDecoder, dry: Runtime) => {
    vae.encode(Tensor.allocate(dry, shape, 'f32'))
  }
  const options = { only: AutoencoderKLTemporalDecoder.encoderWeights, signal, progress, warmUp }
  using vae = await load(model.vae, file => AutoencoderKLTemporalDecoder.load(runtime, file, model.vae.config, options))
  const pixels = videoPixels(image, width, height)
  const latents = scope(() => {
    observe?.('image_preprocessed', Tensor.from(runtime, pixels, shape))
    const noisy = pixels.map((value, i) => value + noiseAug * noise[i])
    return vae.encode(Tensor.from(runtime, noisy, shape, 'f32', 'image')).mean
  })
  observe?.('image_latents', latents)
  return finished(latents, 'vae encoder', 'latents')
}

/** Denoises the video's latents, [1, frames, 4, h, w]. */
export async function* denoiseVideo(
  context: StageContext,
  inputs: DenoiseInputs,
): AsyncGenerator<{ type: 'step'; step: number; steps: number; seconds: number }, Tensor, undefined> {
  const { runtime, model, settings, signal, progress, observe } = context
  const { steps } = settings
  // A checkpoint without the motion condition is given weights of zero for it.
  const inChannels = inputs.condition ? BASE_CHANNELS + CONDITION_CHANNELS : model.unet.config.inChannels
  const config = { ...model.unet.config, inChannels }
  const warmUp = (unet: UNetSpatioTemporalConditionModel, dry: Runtime) => {
    const run = denoise(unet, twinOf(inputs, dry), settings)
    run.next() // the first step needs all that any step needs
    run.return()
  }
  using unet = await load(model.unet, file =>
    UNetSpatioTemporalConditionModel.load(runtime, file, config, { signal, progress, warmUp }),
  )
  let clock = performance.now()
  for (const { step, sample } of denoise(unet, inputs, settings, observe)) {
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
  const scaled = (latents: Tensor) => scope(() => affine(latents.reshape(shape), 1 / config.scalingFactor, 0))
  const decode = (vae: AutoencoderKLTemporalDecoder, z: Tensor, first: number, count: number) =>
    scope(() => vae.decode(slice(z, 0, first, first + count), count)) // [count,3,H,W]
  const shape = [frames, ...latents.shape.slice(2)]
  const warmUp = (vae: AutoencoderKLTemporalDecoder, dry: Runtime) => {
    const z = scaled(Tensor.allocate(dry, shape, 'f32'))
    // Chunks come in two sizes at most.
    for (const count of new Set([Math.min(decodeChunk, frames), frames % decodeChunk || decodeChunk]))
      decode(vae, z, 0, count).dispose()
  }
  const options = { only: AutoencoderKLTemporalDecoder.decoderWeights, signal, progress, warmUp }
  using vae = await load(model.vae, file => AutoencoderKLTemporalDecoder.load(runtime, file, config, options))
  using z = scaled(latents)
  const pictures: Picture[] = []
  while (pictures.length < frames) {
    signal?.throwIfAborted()
    const first = pictures.length
    const count = Math.min(decodeChunk, frames - first)
    using sample = decode(vae, z, first, count)
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
