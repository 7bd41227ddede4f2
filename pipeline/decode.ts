// Decoding a video's latents, some frames at a time.

import { affine, slice } from '../kernels/index.js'
import type { AutoencoderKLTemporalDecoder } from '../models/svd/vae.js'
import type { VaeConfig } from '../models/svd/vae-config.js'
import { scope, type Tensor } from '../tensor/index.js'
import type { GenerateSettings } from './settings.js'

/** How many frames are decoded together, chunk by chunk. */
export function decodeChunks({ frames, decodeChunk }: GenerateSettings): number[] {
  const whole = new Array<number>(Math.floor(frames / decodeChunk)).fill(decodeChunk)
  return frames % decodeChunk === 0 ? whole : [...whole, frames % decodeChunk]
}

/** The latents of a video [1,F,4,h,w] as the decoder takes them, [F,4,h,w]. */
export function latentsToDecode(latents: Tensor, { scalingFactor }: VaeConfig): Tensor {
  return scope(() => affine(latents.reshape(latents.shape.slice(1)), 1 / scalingFactor, 0))
}

/** Decodes `count` frames of z [F,4,h,w] from `first` together: [count,3,H,W]. */
export function decodeChunk(vae: AutoencoderKLTemporalDecoder, z: Tensor, first: number, count: number): Tensor {
  return scope(() => vae.decode(slice(z, 0, first, first + count), count))
}
