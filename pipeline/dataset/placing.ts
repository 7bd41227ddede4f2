// Motions put elsewhere in a scene: turned about the upright axis, then moved along the floor.

import { aboutAxis, fromAxisAngle, multiply, rotate, toAxisAngle, vectorAt } from '../../models/body/quaternion.js'
import { numbersOf, type EntityMotion } from '../../models/pppm/encoding.js'
import { jointsOf } from '../../models/pppm/kinds.js'

/** Frames from..from + count of a motion. */
export function windowOf({ kind, numbers }: EntityMotion, from: number, count: number): EntityMotion {
  const width = numbersOf(kind)
  return { kind, numbers: numbers.slice(from * width, (from + count) * width) }
}

/** Where an entity is in its first frame: its root joint, or an object's centre. */
export function startOf({ kind, numbers }: EntityMotion): readonly [x: number, z: number] {
  const at = kind === 'object' ? 3 * 4 : 3 * jointsOf[kind]
  return [numbers[at], numbers[at + 2]]
}

/** The motion, begun at a place of the floor and turned by `heading` radians; heights are kept, times `scale`. */
export function placed(motion: EntityMotion, x: number, z: number, heading: number, scale = 1): EntityMotion {
  const { kind } = motion
  const numbers = Float32Array.from(motion.numbers)
  const [startX, startZ] = startOf(motion)
  const turn = aboutAxis('y', heading)
  const width = numbersOf(kind)
  const joints = jointsOf[kind]
  for (let start = 0; start < numbers.length; start += width) {
    if (joints > 0) numbers.set(toAxisAngle(multiply(turn, fromAxisAngle(vectorAt(numbers.subarray(start), 0)))), start)
    for (let at = start + 3 * joints; at < start + width; at += 3) {
      const [a, b, c] = vectorAt(numbers.subarray(at), 0)
      const [dx, dy, dz] = rotate(turn, [scale * (a - startX), scale * b, scale * (c - startZ)])
      numbers.set([x + dx, dy, z + dz], at)
    }
  }
  return { kind, numbers }
}
