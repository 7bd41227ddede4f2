// How alike two pictures are.

import { ShapeError } from '../../tensor/index.js'
import type { Picture } from '../media/picture.js'

const channels = 3
const range = 255
const sigma = 1.5
const radius = 5
const window = gaussian()
// Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity" (2004): K1 and K2.
const [c1, c2] = [(0.01 * range) ** 2, (0.03 * range) ** 2]

function gaussian(): readonly number[] {
  const weights = Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-((i - radius) ** 2) / (2 * sigma ** 2)))
  const sum = weights.reduce((total, weight) => total + weight)
  return weights.map(weight => weight / sum)
}

/** Peak signal-to-noise ratio over all channels, decibels; infinite for the same picture. Throws a ShapeError for two sizes. */
export function psnr(a: Picture, b: Picture): number {
  checkAlike('psnr', a, b, 1)
  let sum = 0
  for (let i = 0; i < a.data.length; i++) sum += (a.data[i] - b.data[i]) ** 2
  return 10 * Math.log10(range ** 2 / (sum / a.data.length))
}

/**
 * Structural similarity, 1 for the same picture: a Gaussian window of 11 x 11 pixels that lies wholly inside, the mean
 * over its places and the channels. Throws a ShapeError for two sizes, or pictures smaller than the window.
 */
export function ssim(a: Picture, b: Picture): number {
  checkAlike('ssim', a, b, window.length)
  const { width, height } = a
  let sum = 0
  for (let channel = 0; channel < channels; channel++) {
    const x = Float64Array.from({ length: width * height }, (_, i) => a.data[channels * i + channel])
    const y = Float64Array.from({ length: width * height }, (_, i) => b.data[channels * i + channel])
    const blurred = (value: (i: number) => number) =>
      blur(
        x.map((_, i) => value(i)),
        width,
        height,
      )
    const [mx, my] = [blurred(i => x[i]), blurred(i => y[i])]
    const [xx, yy, xy] = [blurred(i => x[i] ** 2), blurred(i => y[i] ** 2), blurred(i => x[i] * y[i])]
    for (let i = 0; i < mx.length; i++) {
      const [vx, vy, both] = [xx[i] - mx[i] ** 2, yy[i] - my[i] ** 2, xy[i] - mx[i] * my[i]]
      const alike = (2 * mx[i] * my[i] + c1) * (2 * both + c2)
      sum += alike / ((mx[i] ** 2 + my[i] ** 2 + c1) * (vx + vy + c2)) / mx.length
    }
  }
  return sum / channels
}

/** Means under the window at each place where it lies inside, row by row. */
function blur(values: Float64Array, width: number, height: number): Float64Array {
  const [wide, high] = [width - 2 * radius, height - 2 * radius]
  const rows = new Float64Array(wide * height)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < wide; x++)
      for (let i = 0; i < window.length; i++) rows[y * wide + x] += window[i] * values[y * width + x + i]
  const out = new Float64Array(wide * high)
  for (let y = 0; y < high; y++)
    for (let x = 0; x < wide; x++)
      for (let i = 0; i < window.length; i++) out[y * wide + x] += window[i] * rows[(y + i) * wide + x]
  return out
}

function checkAlike(where: string, a: Picture, b: Picture, least: number): void {
  if (a.width === b.width && a.height === b.height && Math.min(a.width, a.height) >= least) return
  throw new ShapeError({
    where,
    what: 'pictures that cannot be compared',
    expected: `two of one size, at least ${least} x ${least}`,
    got: `${a.width} x ${a.height} and ${b.width} x ${b.height}`,
  })
}
