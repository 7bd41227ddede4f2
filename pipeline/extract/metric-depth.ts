// Depth in metres out of what a network tells: relative inverse depth, each frame with a scale and a shift of its own.

import type { Camera } from '../render/camera.js'
import type { Detection, Track } from './detection.js'
import type { DepthMap } from './extractor.js'
import { contactDepth } from './ground.js'

// Nothing is farther than this, metres.
const farthest = 60
// Pixels looked at when frames are compared, along each side.
const grid = 64
// Fits with less weight for what was far from the one before: things that moved.
const rounds = 5

/** b = scale a + shift. */
interface Line {
  readonly scale: number
  readonly shift: number
}

/**
 * The line nearest to pairs of numbers, those far from it with little weight.
 * @param doubt how much the shift is drawn to 0: like so many pairs more
 */
function lineThrough(pairs: readonly (readonly [a: number, b: number])[], doubt: number): Line {
  let weights = pairs.map(() => 1)
  let line: Line = { scale: 1, shift: 0 }
  for (let round = 0; round < rounds; round++) {
    let [w, a, b, aa, ab] = [doubt, 0, 0, 0, 0]
    pairs.forEach(([x, y], i) => {
      w += weights[i]
      a += weights[i] * x
      b += weights[i] * y
      aa += weights[i] * x * x
      ab += weights[i] * x * y
    })
    const determinant = w * aa - a * a
    if (!(determinant > 1e-12 * w * aa)) return { scale: aa > 0 ? ab / aa : 1, shift: 0 }
    line = { scale: (w * ab - a * b) / determinant, shift: (aa * b - a * ab) / determinant }
    const off = pairs.map(([x, y]) => Math.abs(line.scale * x + line.shift - y))
    const middle = off.toSorted((p, q) => p - q)[Math.floor(off.length / 2)] + 1e-6
    weights = off.map(value => 1 / (1 + (value / (2 * middle)) ** 2))
  }
  return line
}

/**
 * Depth in metres of every frame. Frames are brought to the first one's scale by what stands still, then all of them to
 * metres by the places where tracks touch the floor.
 *
 * @param maps relative inverse depth, one a frame, all of one size
 * @returns undefined if nothing is seen to touch the floor
 */
export function metricDepth(
  maps: readonly DepthMap[],
  tracks: readonly Track[],
  camera: Camera,
): DepthMap[] | undefined {
  const [first] = maps
  const { width, height } = first
  const own = maps.map(({ data }): Line => {
    const pairs: [number, number][] = []
    for (let row = 0; row < grid; row++)
      for (let column = 0; column < grid; column++) {
        const pixel = Math.floor(((row + 0.5) * height) / grid) * width + Math.floor(((column + 0.5) * width) / grid)
        pairs.push([data[pixel], first.data[pixel]])
      }
    return lineThrough(pairs, 0)
  })
  const contacts = tracks.flatMap(({ detections }) =>
    detections.flatMap((detection, frame): [number, number][] => {
      const depth = detection && contactDepth(camera, detection.box, height)
      if (depth === undefined) return []
      return [[own[frame].scale * footValue(maps[frame], detection!) + own[frame].shift, 1 / depth]]
    }),
  )
  if (contacts.length === 0) return undefined
  // Tracks at one distance do not tell a shift.
  const { scale, shift } = lineThrough(contacts, 0.2 * contacts.length)
  if (!(scale > 0)) return undefined
  return maps.map(({ data }, frame): DepthMap => {
    const [factor, offset] = [scale * own[frame].scale, scale * own[frame].shift + shift]
    return { width, height, data: data.map(value => 1 / Math.max(1 / farthest, factor * value + offset)) }
  })
}

/** The median of the map over the lowest part of a detection. */
function footValue({ width, height, data }: DepthMap, { box, mask }: Detection): number {
  const [left, right] = [Math.max(0, Math.ceil(box.left)), Math.min(width - 1, Math.floor(box.right))]
  const top = Math.max(0, Math.ceil(box.bottom - 0.15 * (box.bottom - box.top)))
  const bottom = Math.min(height - 1, Math.floor(box.bottom))
  const [values, all]: [number[], number[]] = [[], []]
  for (let y = top; y <= bottom; y++)
    for (let x = left; x <= right; x++) {
      all.push(data[y * width + x])
      if (mask?.data[y * width + x]) values.push(data[y * width + x])
    }
  // Between the feet is what is behind: without a mask the nearest third is taken for them.
  if (values.length > 0) return values.sort((a, b) => a - b)[Math.floor(values.length / 2)]
  return all.sort((a, b) => a - b)[Math.floor((5 * all.length) / 6)] ?? 0
}
