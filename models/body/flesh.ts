// What the open bodies are made of: tapered capsules around bones, which blend into one another.

import type { Vector } from './quaternion.js'

/** A tapered capsule: all that is within a radius of the line between two points. */
export interface Capsule {
  /** The joint whose turn it takes. */
  readonly joint: number
  /** The part label of its surface. */
  readonly label: number
  readonly from: Vector
  readonly to: Vector
  /** At its two ends, metres. */
  readonly radii: readonly [number, number]
  /** How many times wider it is along x, y and z than a round one. */
  readonly stretch: Vector
}

/** How soft a capsule's surface is for its thickness: the width of what blends, and of what bends at joints. */
const blending = 0.14
const bending = 0.3

/** Beyond so many widths a capsule is not felt. */
const reach = 5

/** Half as thick as a capsule is on average, metres; the thinnest count for more. */
function thickness({ radii }: Capsule): number {
  return Math.max(0.005, (radii[0] + radii[1]) / 2)
}

/** The point of a capsule's line that is nearest to a point: 0 is its beginning, 1 its end. */
export function nearestOnLine({ from, to, stretch }: Capsule, x: number, y: number, z: number): number {
  // Stretched ones are measured as if they were round.
  const bx = (to[0] - from[0]) / stretch[0]
  const by = (to[1] - from[1]) / stretch[1]
  const bz = (to[2] - from[2]) / stretch[2]
  const square = bx * bx + by * by + bz * bz
  if (square === 0) return 0
  const dot = ((x - from[0]) / stretch[0]) * bx + ((y - from[1]) / stretch[1]) * by + ((z - from[2]) / stretch[2]) * bz
  return Math.min(1, Math.max(0, dot / square))
}

/** How far a point is from a capsule's surface, metres as if it were round; below 0 inside. */
export function distanceTo(capsule: Capsule, x: number, y: number, z: number): number {
  const { from, to, radii, stretch } = capsule
  const t = nearestOnLine(capsule, x, y, z)
  const dx = (x - from[0] - t * (to[0] - from[0])) / stretch[0]
  const dy = (y - from[1] - t * (to[1] - from[1])) / stretch[1]
  const dz = (z - from[2] - t * (to[2] - from[2])) / stretch[2]
  return Math.sqrt(dx * dx + dy * dy + dz * dz) - radii[0] - t * (radii[1] - radii[0])
}

/** How much of a point's surface is due to a capsule: 1 on its own. */
export function pull(capsule: Capsule, distance: number): number {
  return Math.exp(-distance / (blending * thickness(capsule)))
}

/** A distance from a capsule in widths of what bends with it: e to minus that is how much it carries a point along. */
export function bendsAway(capsule: Capsule, distance: number): number {
  return distance / (bending * thickness(capsule))
}

/** The box outside which a capsule is not felt. */
export function boxOf(capsule: Capsule): { low: number[]; high: number[] } {
  const { from, to, radii, stretch } = capsule
  const margin = Math.max(...radii) + reach * blending * thickness(capsule)
  return {
    low: [0, 1, 2].map(axis => Math.min(from[axis], to[axis]) - margin * stretch[axis]),
    high: [0, 1, 2].map(axis => Math.max(from[axis], to[axis]) + margin * stretch[axis]),
  }
}
