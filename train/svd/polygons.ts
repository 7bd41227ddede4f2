// Target poses as a user would draw them: a rough polygon around each of some parts.

import type { LabelMap } from '../../models/svd/picture.js'
import type { Generator } from '../../tensor/index.js'

type Point = readonly [x: number, y: number]

/**
 * The convex polygons around some parts of a label map, drawn at random and at least one if there is any part: inside a
 * polygon lies its part's label, where they overlap the last one's; elsewhere 0.
 */
export function randomPolygons(map: LabelMap, random: Generator): LabelMap {
  const parts = [...placesOf(map)]
  if (parts.length === 0) return polygonsAround(map, parts)
  const count = random.randint(1, parts.length + 1, 1)[0]
  const chosen = random.randperm(parts.length).subarray(0, count)
  return polygonsAround(
    map,
    Array.from(chosen, part => parts[part]),
  )
}

/** The same around all parts, in the order of their labels. */
export function targetPolygons(map: LabelMap): LabelMap {
  return polygonsAround(
    map,
    [...placesOf(map)].sort(([a], [b]) => a - b),
  )
}

/** Where each part is. */
function placesOf({ data, width }: LabelMap): Map<number, Point[]> {
  const points = new Map<number, Point[]>()
  data.forEach((label, i) => {
    if (label === 0) return
    const own = points.get(label) ?? []
    points.set(label, own)
    own.push([i % width, Math.floor(i / width)])
  })
  return points
}

function polygonsAround({ width, height }: LabelMap, parts: readonly (readonly [number, Point[]])[]): LabelMap {
  const out = { width, height, data: new Uint8Array(width * height) }
  for (const [label, own] of parts) fill(out, convexHull(own), label)
  return out
}

/** Twice the area of a triangle, positive where it turns from x to y. */
const turn = ([ax, ay]: Point, [bx, by]: Point, [cx, cy]: Point) => (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)

/** Corners of the smallest convex polygon around points, in the order of angles (Andrew's monotone chain). */
function convexHull(points: readonly Point[]): Point[] {
  const sorted = points.toSorted(([ax, ay], [bx, by]) => ax - bx || ay - by)
  const chain = (points: readonly Point[]) => {
    const corners: Point[] = []
    for (const point of points) {
      while (corners.length > 1 && turn(corners[corners.length - 2], corners[corners.length - 1], point) <= 0)
        corners.pop()
      corners.push(point)
    }
    return corners.slice(0, -1)
  }
  return sorted.length < 2 ? sorted : [...chain(sorted), ...chain(sorted.toReversed())]
}

/** Gives every pixel whose centre is inside or on a convex polygon the label. */
function fill({ data, width }: LabelMap, corners: readonly Point[], label: number): void {
  const range = (axis: 0 | 1) => {
    const values = corners.map(corner => corner[axis])
    return [Math.min(...values), Math.max(...values)]
  }
  const [[left, right], [top, bottom]] = [range(0), range(1)]
  for (let y = top; y <= bottom; y++)
    for (let x = left; x <= right; x++)
      if (corners.every((corner, i) => turn(corner, corners[(i + 1) % corners.length], [x, y]) >= 0))
        data[y * width + x] = label
}
