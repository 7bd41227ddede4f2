// How somebody or something looks: which colours it has, and how alike two are in that.

import type { Picture } from '../../models/svd/picture.js'
import type { Detection } from './detection.js'

// Steps of each of red, green and blue.
const steps = 4
// Without a mask the middle of the box is looked at, for its edges show what is behind.
const margin = 0.2

/** [64] shares of colours among a detection's pixels; they add up to 1, or to 0 if it has none in the picture. */
export function colours({ width, height, data }: Picture, { box, mask }: Detection): Float32Array {
  const inset = mask ? 0 : margin
  const [across, down] = [inset * (box.right - box.left), inset * (box.bottom - box.top)]
  const [left, right] = [Math.max(0, Math.ceil(box.left + across)), Math.min(width - 1, Math.floor(box.right - across))]
  const [top, bottom] = [Math.max(0, Math.ceil(box.top + down)), Math.min(height - 1, Math.floor(box.bottom - down))]
  const out = new Float32Array(steps ** 3)
  let count = 0
  for (let y = top; y <= bottom; y++)
    for (let x = left; x <= right; x++) {
      const pixel = y * width + x
      if (mask?.data[pixel] === 0) continue
      const [red, green, blue] = [0, 1, 2].map(i => Math.floor((data[3 * pixel + i] * steps) / 256))
      out[(red * steps + green) * steps + blue]++
      count++
    }
  return count === 0 ? out : out.map(value => value / count)
}

/** How alike two are, 0..1 (Bhattacharyya's coefficient). */
export function likeness(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + Math.sqrt(value * b[i]), 0)
}
