// How stout a body is: points of joints do not tell, but its pixels do.

import type { BodyData } from '../../../models/body/body-data.js'
import type { LabelMap } from '../../../models/svd/picture.js'
import type { Runtime } from '../../../tensor/index.js'
import type { Camera } from '../../render/camera.js'
import type { BodyFit } from './fit.js'
import { drawParts, poseEntity } from './measure.js'
import { entityOf } from './place.js'
import type { Lens } from './prepare.js'

// Frames that are looked at, pixels of their longer side, and the coefficients that are tried.
const lookedAt = 3
const side = 112
const tried = [-2, -1, 0, 1, 2]

/** The first coefficient of shape that moves the skin and no joint; undefined for bodies that have none. */
export function girthOf({ shapes, expressions, jointDirections, directions }: BodyData): number | undefined {
  const size = shapes + expressions
  const moves = (values: Float32Array, own: number) => values.some((value, i) => i % size === own && value !== 0)
  const found = Array.from({ length: shapes }, (_, own) => own).find(
    own => !moves(jointDirections, own) && moves(directions, own),
  )
  return found
}

/**
 * The same fit with the girth that covers a body's pixels best, in the frames it is trusted in most. Masks hold a
 * body's pixels where they are not 0; what hangs out of the picture is left out. A fit without masks stays as it is.
 */
export async function fitGirth(
  runtime: Runtime,
  fit: BodyFit,
  masks: readonly (LabelMap | undefined)[],
  lens: Lens,
): Promise<BodyFit> {
  const girth = girthOf(fit.figure.data)
  const frames = masks
    .flatMap((mask, t) => (mask && fit.confidence[t] > 0 ? [{ mask, t }] : []))
    .sort((a, b) => fit.confidence[b.t] - fit.confidence[a.t])
    .slice(0, lookedAt)
  if (girth === undefined || girth >= fit.shape.length || frames.length === 0) return fit
  const [{ mask: first }] = frames
  const scale = Math.min(1, side / Math.max(first.width, first.height))
  const size = { width: Math.ceil(first.width * scale), height: Math.ceil(first.height * scale) }
  const seen = frames.map(({ mask }) => shrunk(mask, size, scale))
  const camera = smallCamera(lens, scale)
  const withGirth = (value: number): BodyFit => ({
    ...fit,
    shape: fit.shape.map((old, i) => (i === girth ? value : old)),
  })
  const covers: number[] = []
  for (const value of tried) {
    const entity = entityOf(withGirth(value), camera, { id: 'body', name: fit.figure.kind })
    const width = entity.motion.numbers.length / fit.turns.length
    const rows = frames.map(({ t }) => [...entity.motion.numbers.subarray(t * width, (t + 1) * width)])
    const motion = { kind: entity.kind, numbers: Float32Array.from(rows.flat()) }
    const { vertices } = await poseEntity(runtime, fit.figure, { ...entity, motion })
    const each = vertices.length / frames.length
    const drawn = frames.map((_, i) => drawParts(fit.figure, vertices.subarray(i * each, (i + 1) * each), camera, size))
    covers.push(covered(drawn, seen))
  }
  return withGirth(peakOf(covers))
}

/** A camera at the origin whose axes are those of the world, for pictures `scale` times as large. */
function smallCamera({ focal, centre }: Lens, scale: number): Camera {
  const middle = (value: number) => (value + 0.5) * scale - 0.5
  return {
    position: [0, 0, 0],
    axes: [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
    focal: focal * scale,
    centre: [middle(centre[0]), middle(centre[1])],
  }
}

/** Whether the pixel in the middle of each small one is the body's. */
function shrunk({ width, height, data }: LabelMap, size: { width: number; height: number }, scale: number): Uint8Array {
  return Uint8Array.from({ length: size.width * size.height }, (_, i) => {
    const [x, y] = [i % size.width, Math.floor(i / size.width)].map(at => Math.floor((at + 0.5) / scale))
    return Number(data[Math.min(height - 1, y) * width + Math.min(width - 1, x)] > 0)
  })
}

/** Pixels in both over pixels in either. */
function covered(drawn: readonly LabelMap[], seen: readonly Uint8Array[]): number {
  let [both, either] = [0, 0]
  drawn.forEach(({ data }, i) =>
    data.forEach((label, pixel) => {
      both += Number(label > 0 && seen[i][pixel] > 0)
      either += Number(label > 0 || seen[i][pixel] > 0)
    }),
  )
  return both / (either || 1)
}

/** The coefficient where a parabola through the best and its neighbours is highest. */
function peakOf(covers: readonly number[]): number {
  const best = covers.indexOf(Math.max(...covers))
  if (best === 0 || best === covers.length - 1) return tried[best]
  const [before, at, after] = covers.slice(best - 1, best + 2)
  const bend = before - 2 * at + after
  return tried[best] + (bend < 0 ? (0.5 * (before - after)) / bend : 0)
}
