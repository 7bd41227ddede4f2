// Squares cut out of pictures, turned, for networks that look at one person; and the way back for points and masks.

import type { LabelMap, Picture } from '../../../models/svd/picture.js'

/** A square of a picture. */
export interface Crop {
  /** Its middle, pixels. */
  readonly x: number
  readonly y: number
  /** Pixels. */
  readonly side: number
  /** Radians, clockwise as one sees it: how far what is up in the square lies to the right of up. */
  readonly angle: number
}

/** Where a point of a square of `size` is in the picture; both count from the middle of their first pixel. */
export function fromCrop(
  { x, y, side, angle }: Crop,
  size: number,
  [u, v]: readonly [number, number],
): [number, number] {
  const [dx, dy] = [u, v].map(at => ((at + 0.5) / size - 0.5) * side)
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)]
  return [x + cos * dx - sin * dy, y + sin * dx + cos * dy]
}

/** Where a point of the picture is in the square. */
export function intoCrop(
  { x, y, side, angle }: Crop,
  size: number,
  [px, py]: readonly [number, number],
): [number, number] {
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)]
  const [dx, dy] = [cos * (px - x) + sin * (py - y), -sin * (px - x) + cos * (py - y)]
  return [(dx / side + 0.5) * size - 0.5, (dy / side + 0.5) * size - 0.5]
}

/** The square at `size` x `size` pixels, [size x size x 3] of 0..`white`, black beyond the picture. */
export function cutOut(picture: Picture, crop: Crop, size: number, white: number): Float32Array {
  const { width, height, data } = picture
  const out = new Float32Array(size * size * 3)
  // Where many pixels make one, so many places in it are looked at, to each side.
  const finer = Math.min(8, Math.max(1, Math.round(crop.side / size)))
  const scale = white / 255 / finer ** 2
  // Plain numbers, no arrays, in the innermost loops: there are tens of millions of them.
  const [sin, cos] = [Math.sin(crop.angle) * crop.side, Math.cos(crop.angle) * crop.side]
  for (let row = 0; row < size; row++)
    for (let column = 0; column < size; column++)
      for (let i = 0; i < finer ** 2; i++) {
        const dx = (column + ((i % finer) + 0.5) / finer) / size - 0.5
        const dy = (row + (Math.floor(i / finer) + 0.5) / finer) / size - 0.5
        const x = crop.x + cos * dx - sin * dy
        const y = crop.y + sin * dx + cos * dy
        const left = Math.floor(x)
        const top = Math.floor(y)
        for (let corner = 0; corner < 4; corner++) {
          const cx = left + (corner & 1)
          const cy = top + (corner >> 1)
          if (cx < 0 || cy < 0 || cx >= width || cy >= height) continue
          const share = (1 - Math.abs(x - cx)) * (1 - Math.abs(y - cy)) * scale
          const to = 3 * (row * size + column)
          const from = 3 * (cy * width + cx)
          for (let channel = 0; channel < 3; channel++) out[to + channel] += share * data[from + channel]
        }
      }
  return out
}

/** A mask [size x size] of a square as one of the picture: 1 where it is above a half. */
export function maskFromCrop(mask: Float32Array, crop: Crop, size: number, { width, height }: Picture): LabelMap {
  const data = new Uint8Array(width * height)
  const reach = crop.side * Math.SQRT1_2
  const [top, bottom] = [Math.max(0, Math.floor(crop.y - reach)), Math.min(height - 1, Math.ceil(crop.y + reach))]
  const [left, right] = [Math.max(0, Math.floor(crop.x - reach)), Math.min(width - 1, Math.ceil(crop.x + reach))]
  for (let y = top; y <= bottom; y++)
    for (let x = left; x <= right; x++) {
      const [u, v] = intoCrop(crop, size, [x, y])
      const [column, row] = [Math.round(u), Math.round(v)]
      if (column < 0 || row < 0 || column >= size || row >= size) continue
      data[y * width + x] = Number(mask[row * size + column] > 0.5)
    }
  return { width, height, data }
}
