// What a video is going to look like, after a step and at the size of its latents: no network is asked.
// The linear map from latents to colours is that of comfyanonymous/ComfyUI, comfy/latent_formats.py
// (SD15.latent_rgb_factors), whose autoencoder Stable Video Diffusion shares.

import { latentChannels } from '../models/svd/latents.js'
import { contactSheet } from './media/sheet.js'
import type { Picture } from './media/picture.js'

// Red, green and blue of each channel; colours lie in -1..1.
const factors = [
  [0.3512, 0.2297, 0.3227],
  [0.325, 0.4974, 0.235],
  [-0.2829, 0.1762, 0.2721],
  [-0.212, -0.2616, -0.7177],
]

/** A step of Euler's method: latents [frames, 4, height, width] at the noise levels before and after it. */
export interface PreviewedStep {
  readonly before: Float32Array
  readonly after: Float32Array
  readonly sigma: number
  readonly next: number
}

/**
 * All frames on one sheet, each of width x height pixels: of the clean latents that the step aims at. The step goes
 * straight from what is noisy towards what is clean, so that both its ends tell where that is.
 */
export function previewSheet({ before, after, sigma, next }: PreviewedStep, width: number, height: number): Picture {
  const clean = after.map((value, i) => (sigma * value - next * before[i]) / (sigma - next))
  const size = latentChannels * width * height
  const frames = Array.from({ length: clean.length / size }, (_, i) =>
    frameOf(clean.subarray(i * size, (i + 1) * size), width, height),
  )
  return contactSheet(frames, { gap: 2 })
}

/** [4, height, width] to [height, width, 3]. */
function frameOf(latents: Float32Array, width: number, height: number): Picture {
  const area = width * height
  const data = new Uint8ClampedArray(3 * area) // storing clamps and rounds
  for (let i = 0; i < area; i++)
    for (let colour = 0; colour < 3; colour++) {
      const value = factors.reduce((sum, channel, c) => sum + channel[colour] * latents[c * area + i], 0)
      data[3 * i + colour] = (value / 2 + 0.5) * 255
    }
  return { width, height, data: new Uint8Array(data.buffer) }
}
