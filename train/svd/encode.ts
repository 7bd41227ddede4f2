// What the UNet is trained on, made of a clip by the VAE and the image encoder.

import { createHash } from 'node:crypto'
import { CLIPVisionModelWithProjection } from '../../models/clip/vision.js'
import { withWeights } from '../../models/svd/folder.js'
import type { LabelMap } from '../../models/svd/picture.js'
import { clipPixels, videoPixels } from '../../models/svd/preprocess.js'
import { resizeNearest } from '../../models/svd/resize.js'
import { AutoencoderKLTemporalDecoder } from '../../models/svd/vae.js'
import { joinFloats, NumberError, scope, sizeOf, Tensor, type Generator, type Runtime } from '../../tensor/index.js'
import type { Base } from './base.js'
import type { Clip } from './clips.js'
import type { ClipSettings } from './config.js'
import { drawPictureLevel } from './edm.js'

/** What the UNet is trained on. */
export interface EncodedClip {
  /** [F,4,h,w], multiplied by the VAE's scaling factor. */
  readonly latents: Float32Array
  /** [V,4,h,w]: of the first frame with noise of the strengths [V] in it; not multiplied. */
  readonly pictures: Float32Array
  readonly strengths: Float32Array
  /** [D]: CLIP's, of the first frame. */
  readonly embedding: Float32Array
  /** [F,h,w] */
  readonly labels?: Uint8Array
}

/** The networks that make what the UNet is trained on. */
export interface Encoders {
  readonly vae: AutoencoderKLTemporalDecoder
  readonly clip: CLIPVisionModelWithProjection
}

/** Loads both; the caller releases them. Errors: as loadModel. */
export async function loadEncoders(
  runtime: Runtime,
  { vae, imageEncoder }: Base,
  signal?: AbortSignal,
): Promise<Encoders> {
  const only = AutoencoderKLTemporalDecoder.encoderWeights
  const vaeModel = await withWeights(vae, file =>
    AutoencoderKLTemporalDecoder.load(runtime, file, vae.config, { only, signal }),
  )
  try {
    const clip = await withWeights(imageEncoder, file =>
      CLIPVisionModelWithProjection.load(runtime, file, imageEncoder.config, { signal }),
    )
    return { vae: vaeModel, clip }
  } catch (error) {
    vaeModel.dispose()
    throw error
  }
}

/** Encodes a clip; `random` draws the noise of its pictures. Throws a NumberError if a network fails on it. */
export async function encodeClip(
  runtime: Runtime,
  { vae, clip }: Encoders,
  { frames, labels }: Clip,
  { width, height, pictures: versions }: ClipSettings,
  random: Generator,
): Promise<EncodedClip> {
  const latentsOf = async (pixels: Float32Array) => {
    using mean = scope(() => vae.encode(Tensor.from(runtime, pixels, [1, 3, height, width])).mean)
    return finite(await mean.floats(), 'the VAE')
  }
  const { scalingFactor } = vae.config
  const latents: Float32Array[] = []
  for (const frame of frames)
    latents.push((await latentsOf(videoPixels(frame, width, height))).map(x => x * scalingFactor))
  const first = videoPixels(frames[0], width, height)
  const strengths = Float32Array.from({ length: versions }, () => drawPictureLevel(random))
  const pictures: Float32Array[] = []
  for (const strength of strengths) {
    const noise = random.randn(first.length)
    pictures.push(await latentsOf(first.map((x, i) => x + strength * noise[i])))
  }
  const size = clip.config.imageSize
  using embedded = scope(
    () => clip.forward(Tensor.from(runtime, clipPixels(frames[0], size), [1, 3, size, size])).imageEmbeds,
  )
  const [w, h] = [width / vae.scale, height / vae.scale]
  return {
    latents: joinFloats(latents),
    pictures: joinFloats(pictures),
    strengths,
    embedding: finite(await embedded.floats(), 'the image encoder'),
    labels: labels && joinedLabels(labels.map(map => resizeNearest(map, w, h))),
  }
}

/** Label maps of one size, one after the other. */
function joinedLabels(maps: readonly LabelMap[]): Uint8Array {
  const size = maps[0].data.length
  const out = new Uint8Array(maps.length * size)
  maps.forEach(({ data }, i) => out.set(data, i * size))
  return out
}

// Weights of at most so many elements tell networks apart: biases and norms differ wherever training did.
const tellingElements = 2 ** 16

/** A hash of the networks that encode: of their configurations, and of their small weights. */
export async function networksHash({ vae, imageEncoder }: Base): Promise<string> {
  const hash = createHash('sha256')
  for (const part of [vae, imageEncoder]) {
    hash.update(JSON.stringify(part.config))
    await withWeights(part, async file => {
      for (const [name, { shape, stored }] of [...file.tensors].sort(([a], [b]) => (a < b ? -1 : 1))) {
        hash.update(JSON.stringify([name, shape, stored]))
        if (sizeOf(shape) > tellingElements) continue
        const { buffer, byteOffset, byteLength } = (await file.read(name)).data
        hash.update(new Uint8Array(buffer, byteOffset, byteLength))
      }
    })
  }
  return hash.digest('hex')
}

function finite(values: Float32Array, what: string): Float32Array {
  if (values.every(Number.isFinite)) return values
  throw new NumberError({ where: 'clip', what: `${what} gives numbers that are not finite` })
}
