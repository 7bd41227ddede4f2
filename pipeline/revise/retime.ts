// Motions at other moments than those of their frames.

import { fromAxisAngle, slerp, toAxisAngle, vectorAt } from '../../models/body/quaternion.js'
import { numbersOf, type EntityMotion } from '../../models/pppm/encoding.js'
import { jointsOf } from '../../models/pppm/kinds.js'

/** `count` places from 0 to `last`, evenly. */
export function evenPlaces(count: number, last: number): number[] {
  return Array.from({ length: count }, (_, i) => (count > 1 ? (i * last) / (count - 1) : 0))
}

/**
 * A motion at places between its frames, counted in frames from 0: turns by the shortest way between two frames, points
 * straight. Before the first frame and after the last it stands still.
 */
export function motionAt(motion: EntityMotion, places: readonly number[]): EntityMotion {
  const width = numbersOf(motion.kind)
  const numbers = new Float32Array(places.length * width)
  places.forEach((place, i) => {
    const { from, to, share } = neighbours(place, motion.numbers.length / width)
    const [a, b] = [from, to].map(frame => motion.numbers.subarray(frame * width, (frame + 1) * width))
    numbers.set(between(motion.kind, a, b, share), i * width)
  })
  return { kind: motion.kind, numbers }
}

/** Numbers at places between those that are given, straight. */
export function valuesAt(values: ArrayLike<number>, places: readonly number[]): Float32Array {
  return Float32Array.from(places, place => {
    const { from, to, share } = neighbours(place, values.length)
    return values[from] + share * (values[to] - values[from])
  })
}

/** From pose a (share 0) to pose b (share 1) of an entity, numbers as in files. */
export function between(kind: EntityMotion['kind'], a: Float32Array, b: Float32Array, share: number): Float32Array {
  if (share === 0) return a
  const out = new Float32Array(a.length)
  for (let i = 0; i < a.length / 3; i++) {
    const [p, q] = [vectorAt(a, i), vectorAt(b, i)]
    const isTurn = i < jointsOf[kind]
    const mixed = isTurn
      ? toAxisAngle(slerp(fromAxisAngle(p), fromAxisAngle(q), share))
      : p.map((value, axis) => value + share * (q[axis] - value))
    out.set(mixed, 3 * i)
  }
  return out
}

function neighbours(place: number, count: number): { from: number; to: number; share: number } {
  const at = Math.min(Math.max(place, 0), count - 1)
  const from = Math.floor(at)
  return { from, to: Math.min(from + 1, count - 1), share: at - from }
}
