// Pictures to what the networks see, on the host: the numbers of diffusers' StableVideoDiffusionPipeline.
// Ported from huggingface/diffusers: pipelines/stable_video_diffusion/pipeline_stable_video_diffusion.py
// (_encode_image) and video_processor.py.

import { resizeAntialiased } from './antialias.js'
import type { Picture } from './picture.js'
import { resizeLanczos } from './resize.js'

// Mean and standard deviation of each channel in CLIP's training pictures (openai/CLIP, clip/clip.py).
const clipMean = [0.48145466, 0.4578275, 0.40821073]
const clipStd = [0.26862954, 0.26130258, 0.27577711]

/**
 * What the image encoder sees, [3, size, size]: the picture squeezed to a square whatever its proportions, blurred
 * before it is shrunk, then normalised. Cubic interpolation may overshoot [0, 1]; that stays.
 */
export function clipPixels(picture: Picture, size: number): Float32Array {
  const { data, width, height } = picture
  const resized = resizeAntialiased({ data, width, height, channels: 3 }, size, size) // [size, size, 3]
  return planes(resized, 3, (value, c) => (value / 255 - clipMean[c]) / clipStd[c])
}

/** What the video autoencoder sees, [3, height, width] in [-1, 1]: the picture at the video's size. */
export function videoPixels(picture: Picture, width: number, height: number): Float32Array {
  return planes(resizeLanczos(picture, width, height).data, 3, value => (value / 255) * 2 - 1)
}

/** [H, W, C] to [C, H, W], every value through `map`. */
function planes(
  pixels: ArrayLike<number>,
  channels: number,
  map: (value: number, channel: number) => number,
): Float32Array {
  const area = pixels.length / channels
  const out = new Float32Array(pixels.length)
  for (let c = 0; c < channels; c++) for (let i = 0; i < area; i++) out[c * area + i] = map(pixels[i * channels + c], c)
  return out
}

/** One frame of a decoded video, [3, height, width] in [-1, 1], as an 8-bit picture. */
export function toPicture(pixels: Float32Array, width: number, height: number): Picture {
  const area = width * height
  // Storing here clamps to 0..255 and rounds halves to even: numpy's rule, and so diffusers'.
  const data = new Uint8ClampedArray(3 * area)
  for (let c = 0; c < 3; c++)
    for (let i = 0; i < area; i++) data[i * 3 + c] = Math.fround(Math.fround(pixels[c * area + i] / 2 + 0.5) * 255)
  return { width, height, data: new Uint8Array(data.buffer) } // [height, width, 3]
}
