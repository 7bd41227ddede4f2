// Where a scene is looked at from. World: y up, metres. Camera: x right, y down, z forward. Pixels count from the
// centre of the top-left one.

import type { Vector } from '../../models/body/quaternion.js'

/** A pinhole camera: where it is, which way it looks, and how wide. */
export interface Camera {
  readonly position: Vector
  /** The camera's axes in the world: right, down and forward. */
  readonly axes: readonly [Vector, Vector, Vector]
  /** Pixels that something as wide as it is far away takes. */
  readonly focal: number
  /** The pixel in the middle. */
  readonly centre: readonly [x: number, y: number]
}

function minus(a: Vector, b: Vector): Vector {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

/** a b, added up. */
export function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/** Across to both a and b, 1 long; nothing if there is no such direction. */
export function normalOf(a: Vector, b: Vector): Vector {
  const [x, y, z] = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
  const length = Math.hypot(x, y, z) || 1
  return [x / length, y / length, z / length]
}

/**
 * A camera `distance` metres from a point, which it looks at: `yaw` radians around it (0 looks against z, so that
 * somebody who faces z is seen from the front) and `pitch` radians above it.
 */
export function orbit(
  target: Vector,
  { yaw, pitch, distance }: { yaw: number; pitch: number; distance: number },
  { width, height, focal }: { width: number; height: number; focal: number },
): Camera {
  const away: Vector = [Math.sin(yaw) * Math.cos(pitch), Math.sin(pitch), Math.cos(yaw) * Math.cos(pitch)]
  const forward: Vector = [-away[0], -away[1], -away[2]]
  const right = normalOf(forward, [0, 1, 0])
  const down = normalOf(forward, right)
  const position: Vector = [0, 1, 2].map(axis => target[axis] + distance * away[axis]) as unknown as Vector
  return { position, axes: [right, down, forward], focal, centre: [(width - 1) / 2, (height - 1) / 2] }
}

/** Where a point is seen, pixels, and how far in front of the camera it is, metres. */
export function project({ position, axes, focal, centre }: Camera, point: Vector): Vector {
  const from = minus(point, position)
  const [x, y, z] = [dot(from, axes[0]), dot(from, axes[1]), dot(from, axes[2])]
  return [centre[0] + (focal * x) / z, centre[1] + (focal * y) / z, z]
}

/** The point that is seen at a place of the picture, so far in front of the camera: `project` the other way round. */
export function unproject({ position, axes, focal, centre }: Camera, [px, py, depth]: Vector): Vector {
  const [x, y] = [((px - centre[0]) * depth) / focal, ((py - centre[1]) * depth) / focal]
  const at = (axis: 0 | 1 | 2) => position[axis] + x * axes[0][axis] + y * axes[1][axis] + depth * axes[2][axis]
  return [at(0), at(1), at(2)]
}
