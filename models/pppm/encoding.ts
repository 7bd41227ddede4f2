// Entities as the PPPM sees them: rotation vectors become six numbers without jumps, and places are told from where the
// scene's first entity begins, so that neither where a motion happens nor which way it goes has to be learnt.

import {
  aboutAxis,
  fromAxisAngle,
  fromSix,
  multiply,
  rotate,
  toAxisAngle,
  toSix,
  vectorAt,
  type Vector,
} from '../body/quaternion.js'
import { featuresOf, jointsOf, parametersOf, type EntityKind } from './kinds.js'

/** An entity over time, in the units of files: a human or an animal is rotation vectors, then the translation. */
export interface EntityMotion {
  readonly kind: EntityKind
  /**
   * [T x 168] human: 55 rotation vectors and the translation; [T x 108] animal: 35 and the translation; [T x 63]
   * object: 21 points. Radians, metres, y up.
   */
  readonly numbers: Float32Array
}

/** Numbers of an entity in one frame, outside the network. */
export function numbersOf(kind: EntityKind): number {
  return kind === 'object' ? parametersOf(kind) : 3 * jointsOf[kind] + 3
}

/** Where a scene is looked at from: its origin on the floor, and the direction that counts as forward. */
export interface Viewpoint {
  readonly x: number
  readonly z: number
  /** Radians about y. */
  readonly heading: number
}

/** Behind an entity as it is in one frame: its place on the floor, and the way it faces. */
export function viewpointOf({ kind, numbers }: EntityMotion, frame = 0): Viewpoint {
  const start = frame * numbersOf(kind)
  if (kind === 'object') return { x: numbers[start], z: numbers[start + 2], heading: 0 }
  const place = start + 3 * jointsOf[kind]
  const [x, , z] = rotate(fromAxisAngle(vectorAt(numbers.subarray(start), 0)), [0, 0, 1])
  return { x: numbers[place], z: numbers[place + 2], heading: Math.hypot(x, z) < 1e-6 ? 0 : Math.atan2(x, z) }
}

/** Parameters inside the network, [T x R] with R of `parametersOf`. */
export function encodeEntity({ kind, numbers }: EntityMotion, view: Viewpoint): Float32Array {
  const [width, size] = [numbersOf(kind), parametersOf(kind)]
  const back = aboutAxis('y', -view.heading)
  const out = new Float32Array((numbers.length / width) * size)
  const placed = ([x, y, z]: Vector) => rotate(back, [x - view.x, y, z - view.z])
  for (let frame = 0; frame < numbers.length / width; frame++) {
    const given = numbers.subarray(frame * width, (frame + 1) * width)
    const joints = jointsOf[kind]
    for (let joint = 0; joint < joints; joint++) {
      const turn = fromAxisAngle(vectorAt(given, joint))
      // Element by element: `set` takes longer for so few.
      const six = toSix(joint === 0 ? multiply(back, turn) : turn)
      for (let i = 0; i < 6; i++) out[frame * size + 6 * joint + i] = six[i]
    }
    for (let point = joints; point < width / 3; point++)
      out.set(placed(vectorAt(given, point)), frame * size + 6 * joints + 3 * (point - joints))
  }
  return out
}

/** The way back from `encodeEntity`: any numbers [T x R] give rotations. */
export function decodeEntity(kind: EntityKind, parameters: Float32Array, view: Viewpoint): EntityMotion {
  const [width, size] = [numbersOf(kind), parametersOf(kind)]
  const turn = aboutAxis('y', view.heading)
  const frames = parameters.length / size
  const numbers = new Float32Array(frames * width)
  for (let frame = 0; frame < frames; frame++) {
    const given = parameters.subarray(frame * size, (frame + 1) * size)
    const joints = jointsOf[kind]
    for (let joint = 0; joint < joints; joint++) {
      const local = fromSix(given.subarray(6 * joint, 6 * joint + 6))
      numbers.set(toAxisAngle(joint === 0 ? multiply(turn, local) : local), frame * width + 3 * joint)
    }
    for (let point = joints; point < width / 3; point++) {
      const [x, y, z] = rotate(turn, vectorAt(given.subarray(6 * joints), point - joints))
      numbers.set([x + view.x, y, z + view.z], frame * width + 3 * point)
    }
  }
  return { kind, numbers }
}

/** Changes between frames are small; so they weigh about as much as the parameters. */
const speedScale = 3

// Distances below this are as good as none.
const leastDistance = 1e-3

/** The logarithm of the distance between two rows of parameters, about 0 for frames that follow each other. */
function logDistance(parameters: Float32Array, size: number, a: number, b: number): number {
  let sum = leastDistance ** 2
  for (let i = 0; i < size; i++) sum += (parameters[a * size + i] - parameters[b * size + i]) ** 2
  return 0.5 + 0.25 * Math.log(sum)
}

/**
 * What the network is given of an entity, [T x F] with F of `featuresOf`: parameters [T x R], their change since the
 * frame before, how far they are from those of the frame before, the next, the first and the last, and of each frame
 * whether it is known for certain and how much it is trusted, 0..1. Distances show where a sequence is torn, which a sum
 * of many changes hides.
 */
export function entityFeatures(
  kind: EntityKind,
  parameters: Float32Array,
  known: ArrayLike<number>,
  confidence: ArrayLike<number>,
): Float32Array {
  const [size, width] = [parametersOf(kind), featuresOf(kind)]
  const frames = parameters.length / size
  const out = new Float32Array(frames * width)
  for (let frame = 0; frame < frames; frame++) {
    const at = frame * size
    out.set(parameters.subarray(at, at + size), frame * width)
    for (let i = 0; frame > 0 && i < size; i++)
      out[frame * width + size + i] = speedScale * (parameters[at + i] - parameters[at - size + i])
    const others = [Math.max(0, frame - 1), Math.min(frames - 1, frame + 1), 0, frames - 1]
    others.forEach((other, i) => (out[frame * width + 2 * size + i] = logDistance(parameters, size, frame, other)))
    out[frame * width + width - 2] = known[frame]
    out[frame * width + width - 1] = confidence[frame]
  }
  return out
}
