// Parts of pictures as networks take them: scaled, normalised, channel by channel.

import type { Picture } from '../../../models/svd/picture.js'
import type { Box } from '../detection.js'
import type { OnnxArray } from './session.js'

/** What is done to colours of 0..255: `(colour - mean) / deviation`. */
export interface Normalisation {
  readonly mean: readonly number[]
  readonly deviation: readonly number[]
  /** The colour around the picture, 0..255. Without it that of the nearest pixel. */
  readonly around?: number
}

/** As ImageNet's pictures are, with black around the picture. */
export const imageNet: Normalisation = {
  mean: [123.675, 116.28, 103.53],
  deviation: [58.395, 57.12, 57.375],
  around: 0,
}

/** A window onto a picture that is seen as so many pixels; it may reach beyond the picture. */
export interface Window {
  readonly box: Box
  readonly width: number
  readonly height: number
}

/** Around the middle of a box, as wide against its height as the network sees it, and so many times larger. */
export function windowAround(
  { left, top, right, bottom }: Box,
  { width, height }: { readonly width: number; readonly height: number },
  larger: number,
): Window {
  const [x, y] = [(left + right) / 2, (top + bottom) / 2]
  const across = (larger * Math.max(right - left, ((bottom - top) * width) / height)) / 2
  const down = (across * height) / width
  return { box: { left: x - across, top: y - down, right: x + across, bottom: y + down }, width, height }
}

/** The place in the picture of a pixel of the window, counted from its first pixel's centre. */
export function outOfWindow({ box, width, height }: Window, x: number, y: number): [number, number] {
  return [
    box.left + ((x + 0.5) / width) * (box.right - box.left),
    box.top + ((y + 0.5) / height) * (box.bottom - box.top),
  ]
}

/** What is seen through a window, [1,3,height,width]: bilinear between pixels. */
export function look(picture: Picture, window: Window, { mean, deviation, around }: Normalisation): OnnxArray {
  const { width, height } = window
  const area = width * height
  const data = new Float32Array(3 * area)
  const colour = (x: number, y: number, channel: number) => {
    const column = Math.min(picture.width - 1, Math.max(0, x))
    const line = Math.min(picture.height - 1, Math.max(0, y))
    if (around !== undefined && (x !== column || y !== line)) return around
    return picture.data[3 * (line * picture.width + column) + channel]
  }
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      const [x, y] = outOfWindow(window, column, row)
      const [left, top] = [Math.floor(x), Math.floor(y)]
      const [u, v] = [x - left, y - top]
      for (let channel = 0; channel < 3; channel++) {
        const upper = (1 - u) * colour(left, top, channel) + u * colour(left + 1, top, channel)
        const lower = (1 - u) * colour(left, top + 1, channel) + u * colour(left + 1, top + 1, channel)
        const value = (1 - v) * upper + v * lower
        data[channel * area + row * width + column] = (value - mean[channel]) / deviation[channel]
      }
    }
  return { data, shape: [1, 3, height, width] }
}
