// How far one motion of a person is from another, and how natural it looks.

import { poseJoints } from '../../models/body/kinematics.js'
import { angleBetween, fromAxisAngle, vectorAt } from '../../models/body/quaternion.js'
import { bodyJoints, jointIndex, jointParents, restJoints } from '../../models/body/skeleton.js'
import { numbersOf } from '../../models/pppm/encoding.js'
import { motionFps } from '../motion/motion.js'

/** All are means over frames and body joints. */
export interface MotionMetrics {
  /** Distance of joints, pelvis on pelvis, mm. */
  mpjpe: number
  /** Distance of joints where they are, mm. */
  globalMpjpe: number
  /** Difference of accelerations of joints, pelvis on pelvis, mm per frame squared. */
  acceleration: number
  /** Length of the third derivative of the joints, m/s^3: of the motion alone. */
  jitter: number
  /** Speed along the floor of feet that stand in the true motion, mm per frame. */
  skating: number
  /** Angle between rotations of joints, degrees. */
  rotation: number
}

/** The names of the metrics, in the order of tables. */
export const metricNames = ['mpjpe', 'globalMpjpe', 'acceleration', 'jitter', 'skating', 'rotation'] as const

const body = { parents: jointParents.slice(0, bodyJoints), rest: restJoints.subarray(0, 3 * bodyJoints) }
const width = numbersOf('human')
const feet = ['left_foot', 'right_foot'].map(jointIndex)
// A foot stands where its ball is lower and slower than this, metres and metres a frame.
const standing = { height: 0.06, speed: 0.01 }

/** Body joints of every frame of a person's numbers [T x 168]: metres, [T x 22 x 3]. */
export function jointPositions(numbers: Float32Array): Float32Array {
  const frames = numbers.length / width
  const out = new Float32Array(frames * 3 * bodyJoints)
  const turns = new Float64Array(4 * bodyJoints)
  for (let frame = 0; frame < frames; frame++) {
    const pose = numbers.subarray(frame * width, (frame + 1) * width)
    for (let joint = 0; joint < bodyJoints; joint++) {
      const turn = fromAxisAngle(vectorAt(pose, joint))
      for (let i = 0; i < 4; i++) turns[4 * joint + i] = turn[i]
    }
    out.set(poseJoints(body, turns, pose.subarray(width - 3)).positions, frame * 3 * bodyJoints)
  }
  return out
}

/** How far a joint moves along the floor from the frame before, metres. */
function footStep(positions: Float32Array, frame: number, joint: number): number {
  const [p, q] = [frame - 1, frame].map(at => vectorAt(positions, at * bodyJoints + joint))
  return Math.hypot(q[0] - p[0], q[2] - p[2])
}

/** Where a person's feet stand still on the floor, [T x 2], left and right: 1 or 0; the first frame has no say. */
export function standingFeet(numbers: Float32Array): Float32Array {
  const positions = jointPositions(numbers)
  const frames = numbers.length / width
  return Float32Array.from({ length: 2 * frames }, (_, i) => {
    const [frame, foot] = [Math.floor(i / 2), feet[i % 2]]
    if (frame === 0) return 0
    const height = positions[3 * (frame * bodyJoints + foot) + 1]
    return height < standing.height && footStep(positions, frame, foot) < standing.speed ? 1 : 0
  })
}

/** Compares a motion with the true one, both numbers of a person [T x 168] over the same frames. */
export function compareMotions(motion: Float32Array, truth: Float32Array): MotionMetrics {
  const frames = truth.length / width
  const [found, wanted] = [jointPositions(motion), jointPositions(truth)]
  const at = (positions: Float32Array, frame: number, joint: number) => vectorAt(positions, frame * bodyJoints + joint)
  const fromPelvis = (positions: Float32Array, frame: number, joint: number) => {
    const [p, q] = [at(positions, frame, joint), at(positions, frame, 0)]
    return p.map((value, axis) => value - q[axis])
  }
  const means = Object.fromEntries(metricNames.map(name => [name, new Mean()])) as Record<keyof MotionMetrics, Mean>
  for (let frame = 0; frame < frames; frame++)
    for (let joint = 0; joint < bodyJoints; joint++) {
      means.mpjpe.add(1000 * distance(fromPelvis(found, frame, joint), fromPelvis(wanted, frame, joint)))
      means.globalMpjpe.add(1000 * distance(at(found, frame, joint), at(wanted, frame, joint)))
      const turn = (numbers: Float32Array) => fromAxisAngle(vectorAt(numbers.subarray(frame * width), joint))
      means.rotation.add((angleBetween(turn(motion), turn(truth)) * 180) / Math.PI)
      if (frame >= 2) {
        const second = (positions: Float32Array) =>
          difference([1, -2, 1], i => fromPelvis(positions, frame - 2 + i, joint))
        means.acceleration.add(1000 * distance(second(found), second(wanted)))
      }
      if (frame >= 3) {
        const third = difference([-1, 3, -3, 1], i => at(found, frame - 3 + i, joint))
        means.jitter.add(Math.hypot(...third) * motionFps ** 3)
      }
    }
  for (const [i, stands] of standingFeet(truth).entries())
    if (stands) means.skating.add(1000 * footStep(found, Math.floor(i / 2), feet[i % 2]))
  return Object.fromEntries(metricNames.map(name => [name, means[name].value])) as unknown as MotionMetrics
}

/** A mean; 0 of nothing. */
class Mean {
  #total = 0
  #count = 0

  add(value: number): void {
    this.#total += value
    this.#count++
  }

  get value(): number {
    return this.#count === 0 ? 0 : this.#total / this.#count
  }
}

function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])
}

function difference(weights: readonly number[], at: (i: number) => ArrayLike<number>): number[] {
  return [0, 1, 2].map(axis => weights.reduce((sum, weight, i) => sum + weight * at(i)[axis], 0))
}
