// How far away the points of an object are, from the depth of the pixels that show it.

import type { LabelMap } from '../../../models/svd/picture.js'
import type { DepthMap } from '../extractor.js'
import type { ObjectOutline } from './object-points.js'

// Fits of the plane, each with less weight for what was far from the one before: pixels at the edge of a mask show what
// is behind.
const rounds = 5
// More pixels than this tell no more.
const mostPixels = 4096
// Points are no nearer and no farther than this part and so many times the middle of the object.
const [nearest, farthest] = [0.5, 2]

/**
 * Depths of points, metres. The object is taken for flat: one over the depth of a plane is even in a picture, and goes on
 * beyond the mask to the corners of the box.
 *
 * @param mask of the size of the map
 */
export function depthsOfMask(points: ObjectOutline, mask: LabelMap, map: DepthMap): number[] {
  const { width } = map
  const inside: number[] = []
  for (let pixel = 0; pixel < mask.data.length; pixel++) if (mask.data[pixel] !== 0) inside.push(pixel)
  const every = Math.ceil(inside.length / mostPixels)
  const pixels = inside.filter((_, i) => i % every === 0)
  const [cx, cy] = points[4]
  const rows = pixels.map(pixel => [(pixel % width) - cx, Math.floor(pixel / width) - cy, 1 / map.data[pixel]])
  const middle = median(rows.map(([, , value]) => value))
  let weights = rows.map(() => 1)
  let plane: readonly number[] = [0, 0, middle]
  for (let round = 0; round < rounds; round++) {
    plane = planeThrough(rows, weights, middle)
    const off = rows.map(([x, y, value]) => Math.abs(plane[0] * x + plane[1] * y + plane[2] - value))
    const scale = 2 * median(off) + 1e-3 * middle
    weights = off.map(value => 1 / (1 + (value / scale) ** 2) ** 2)
  }
  return points.map(([x, y]) => {
    const value = plane[0] * (x - cx) + plane[1] * (y - cy) + plane[2]
    return 1 / Math.min(middle / nearest, Math.max(middle / farthest, value))
  })
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
}

/** The plane a x + b y + c that is nearest to values, by weighted least squares; a level one if few pixels tell. */
function planeThrough(rows: readonly number[][], weights: readonly number[], middle: number): [number, number, number] {
  // A slope must be told by the pixels against a little doubt.
  const doubt = 1
  const m = [doubt, 0, 0, 0, doubt, 0, 0, 0, 1e-9]
  const r = [0, 0, 1e-9 * middle]
  rows.forEach(([x, y, value], i) => {
    const row = [x, y, 1]
    for (let a = 0; a < 3; a++) {
      for (let b = 0; b < 3; b++) m[3 * a + b] += weights[i] * row[a] * row[b]
      r[a] += weights[i] * row[a] * value
    }
  })
  // Cramer's rule.
  const determinant = (at: (i: number) => number) =>
    at(0) * (at(4) * at(8) - at(5) * at(7)) -
    at(1) * (at(3) * at(8) - at(5) * at(6)) +
    at(2) * (at(3) * at(7) - at(4) * at(6))
  const whole = determinant(i => m[i])
  const solved = [0, 1, 2].map(column => determinant(i => (i % 3 === column ? r[Math.floor(i / 3)] : m[i])) / whole)
  return solved as [number, number, number]
}
