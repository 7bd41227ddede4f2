// An object as 21 points: the corners of its box, its centre and 16 vertices of its contour; from a mask and depth, and
// back to a mask. (ReVision: p in R^{21x3}, each point x, y and depth.)

import type { Vector } from '../../../models/body/quaternion.js'
import { objectPoints } from '../../../models/pppm/kinds.js'
import type { LabelMap } from '../../../models/svd/picture.js'
import { project, unproject, type Camera } from '../../render/camera.js'
import { fillPolygon, type Point } from '../../render/polygon.js'
import type { Box } from '../detection.js'
import { traceOutline } from './outline.js'
import { settlePolygon } from './settle.js'
import { simplifyOutline } from './simplify.js'

const contourVertices = 16
const firstVertex = objectPoints - contourVertices

/** Points of an object in a picture, in the order of the 21. */
export type ObjectOutline = readonly Point[]

/** The smallest box around the pixels of a mask, from the outer sides of its pixels; undefined for an empty mask. */
export function boxOfMask({ width, data }: LabelMap): Box | undefined {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity]
  data.forEach((value, i) => {
    if (value === 0) return
    const [x, y] = [i % width, Math.floor(i / width)]
    left = Math.min(left, x)
    top = Math.min(top, y)
    right = Math.max(right, x)
    bottom = Math.max(bottom, y)
  })
  return left > right ? undefined : { left: left - 0.5, top: top - 0.5, right: right + 0.5, bottom: bottom + 0.5 }
}

/**
 * The 21 points of the largest part of a mask: corners from the lower left one on, counter-clockwise as vertices are; the
 * centre of the box; vertices from the right on.
 *
 * @param before the points in an earlier frame, whose vertices are kept as far as can be
 * @returns undefined for an empty mask
 */
export function outlineOfMask(mask: LabelMap, before?: ObjectOutline): ObjectOutline | undefined {
  const outline = traceOutline(mask)
  if (outline.length === 0) return undefined
  const [xs, ys] = [outline.map(([x]) => x), outline.map(([, y]) => y)]
  const least = (values: readonly number[]) => values.reduce((a, b) => Math.min(a, b))
  const most = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b))
  const box: Box = { left: least(xs), top: least(ys), right: most(xs), bottom: most(ys) }
  const awaited = before ? moved(before, box) : ellipse(box)
  return [...frameOf(box), ...settlePolygon(simplifyOutline(outline, awaited), mask, box)]
}

// What fills an ellipse in its box rather than all of it.
const roundThings = ['sports ball', 'ball', 'apple', 'orange', 'frisbee', 'donut', 'clock']

/** A mask for something of which only the box was found: an ellipse if it is commonly round, else all of the box. */
export function maskOfBox(box: Box, name: string, width: number, height: number): LabelMap {
  const mask = { width, height, data: new Uint8Array(width * height) }
  fillPolygon(mask, roundThings.includes(name) ? ellipse(box) : frameOf(box).slice(0, 4), 1)
  return mask
}

/** Corners and centre of a box. */
function frameOf({ left, top, right, bottom }: Box): Point[] {
  const centre: Point = [(left + right) / 2, (top + bottom) / 2]
  return [[left, bottom], [right, bottom], [right, top], [left, top], centre]
}

/** The vertices of a round object in a box. */
function ellipse({ left, top, right, bottom }: Box): Point[] {
  return Array.from({ length: contourVertices }, (_, i): Point => {
    const turn = (2 * Math.PI * i) / contourVertices
    const [x, y] = [(right - left) / 2, (bottom - top) / 2]
    return [left + x * (1 + Math.cos(turn)), top + y * (1 - Math.sin(turn))]
  })
}

/** The vertices of an object after its box became another. */
function moved(points: ObjectOutline, { left, top, right, bottom }: Box): Point[] {
  const [[fromLeft, fromBottom], , [fromRight, fromTop]] = points
  const across = (right - left) / (fromRight - fromLeft || 1)
  const down = (bottom - top) / (fromBottom - fromTop || 1)
  return points.slice(firstVertex).map(([x, y]) => [left + across * (x - fromLeft), top + down * (y - fromTop)])
}

/** The mask that 21 points enclose: the inside of their contour. */
export function maskOfOutline(points: ObjectOutline, width: number, height: number): LabelMap {
  const mask = { width, height, data: new Uint8Array(width * height) }
  fillPolygon(mask, points.slice(firstVertex), 1)
  return mask
}

/** The points in the world, [21 x 3] metres, at so many metres along the camera's view each. */
export function liftOutline(points: ObjectOutline, depths: readonly number[], camera: Camera): Float32Array {
  return Float32Array.from(points.flatMap(([x, y], i) => unproject(camera, [x, y, depths[i]])))
}

/** Where points in the world [21 x 3] are seen; undefined if one of them is behind the camera. */
export function projectOutline(numbers: Float32Array, camera: Camera): ObjectOutline | undefined {
  const seen = Array.from({ length: objectPoints }, (_, i): Vector => {
    return project(camera, [numbers[3 * i], numbers[3 * i + 1], numbers[3 * i + 2]])
  })
  return seen.every(([, , depth]) => depth > 0) ? seen.map(([x, y]): Point => [x, y]) : undefined
}
