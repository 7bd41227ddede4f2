// What each stage of a run does, on tensors without contents: for compiling beforehand what it needs (Runtime.warmUp),
// and for telling what it takes.

import type { CLIPVisionConfig } from '../../models/clip/config.js'
import { CLIPVisionModelWithProjection } from '../../models/clip/vision.js'
import type { UNetConfig } from '../../models/svd/config.js'
import { latentChannels } from '../../models/svd/latents.js'
import { UNetSpatioTemporalConditionModel } from '../../models/svd/unet.js'
import { AutoencoderKLTemporalDecoder } from '../../models/svd/vae.js'
import { latentPixels, type VaeConfig } from '../../models/svd/vae-config.js'
import type { Weights } from '../../nn/index.js'
import { Tensor, type Runtime } from '../../tensor/index.js'
import { decodeChunk, decodeChunks, latentsToDecode } from '../decode.js'
import { denoise } from '../denoise.js'
import type { ClipOptions } from '../long/clips.js'
import type { GenerateSettings } from '../settings.js'
import type { MemoryPolicy } from './policy.js'

/** A stage's network, and what the stage does with it. */
export interface Rehearsal<M extends { readonly weights: Weights }> {
  build(): M
  /** Beginnings of the names of the weights that it uses; default: all. */
  readonly only?: readonly string[]
  /** Does each kind of the stage's work once, and yields behind it how often the stage does it. */
  play(model: M, dry: Runtime, memory: MemoryPolicy): Generator<number, void, undefined>
}

/** Plays to the end. */
export function playAll<M extends { readonly weights: Weights }>(
  { play }: Rehearsal<M>,
  memory: MemoryPolicy,
): (model: M, dry: Runtime) => void {
  return (model, dry) => void [...play(model, dry, memory)]
}

/** The image encoder on one picture. */
export function imageEncoderRehearsal(config: CLIPVisionConfig): Rehearsal<CLIPVisionModelWithProjection> {
  return {
    build: () => new CLIPVisionModelWithProjection(config),
    *play(encoder, dry) {
      encoder.forward(Tensor.allocate(dry, [1, 3, config.imageSize, config.imageSize], 'f32'))
      yield 1
    },
  }
}

/** The autoencoder's encoder on one picture of the video's size. */
export function vaeEncoderRehearsal(
  config: VaeConfig,
  { width, height }: GenerateSettings,
): Rehearsal<AutoencoderKLTemporalDecoder> {
  return {
    build: () => new AutoencoderKLTemporalDecoder(config),
    only: AutoencoderKLTemporalDecoder.encoderWeights,
    *play(vae, dry) {
      vae.encode(Tensor.allocate(dry, [1, 3, height, width], 'f32'))
      yield 1
    },
  }
}

/** `motion`: with a motion condition, which a UNet without channels for it is given. */
export function unetRehearsal(
  config: UNetConfig,
  vae: Pick<VaeConfig, 'blockOutChannels'>,
  settings: GenerateSettings,
  motion: boolean,
  clips?: ClipOptions,
): Rehearsal<UNetSpatioTemporalConditionModel> {
  const { frames, steps } = settings
  const scale = latentPixels(vae)
  const [width, height] = [settings.width / scale, settings.height / scale]
  return {
    build: () => new UNetSpatioTemporalConditionModel(config),
    *play(unet, dry, memory) {
      const condition = motion ? new Float32Array(frames * 2 * height * width) : undefined
      const inputs = {
        embeddings: Tensor.allocate(dry, [1, 1, config.levels[0].contextChannels], 'f32'),
        pictureLatents: Tensor.allocate(dry, [1, latentChannels, height, width], 'f32'),
        condition,
        scheduler: { sigmaMin: 1, sigmaMax: 2 },
        noise: new Float32Array(frames * latentChannels * height * width),
        clips,
      }
      const run = denoise(unet, inputs, settings, undefined, memory)
      try {
        run.next() // what is done once is done before the first step
        yield 1
        if (steps === 1) return
        run.next()
        yield steps - 1
      } finally {
        run.return()
      }
    },
  }
}

/** The autoencoder's decoder on all chunks of frames. */
export function vaeDecoderRehearsal(
  config: VaeConfig,
  settings: GenerateSettings,
): Rehearsal<AutoencoderKLTemporalDecoder> {
  const { frames, width, height } = settings
  const scale = latentPixels(config)
  const shape = [1, frames, latentChannels, height / scale, width / scale]
  return {
    build: () => new AutoencoderKLTemporalDecoder(config),
    only: AutoencoderKLTemporalDecoder.decoderWeights,
    *play(vae, dry) {
      const z = latentsToDecode(Tensor.allocate(dry, shape, 'f32'), config)
      const chunks = decodeChunks(settings)
      for (const count of new Set(chunks)) {
        decodeChunk(vae, z, 0, count).dispose()
        yield chunks.filter(other => other === count).length
      }
    },
  }
}
