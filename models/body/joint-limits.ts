// How far the joints of people turn, roughly, as boxes of rotation vectors in the rest pose's axes: what keeps a fit
// from bending knees forward. Wider than comfortable, since dancers and gymnasts are people too.

import { maximum, relu, square, sub, sum } from '../../kernels/index.js'
import { scope, Tensor, type Runtime } from '../../tensor/index.js'
import { bodyJoints, jointNames } from './skeleton.js'

type Range = readonly [low: number, high: number]

// About x, y and z, radians, of the middle and the left; free where nothing is said.
const ranges: Readonly<Record<string, readonly [Range, Range, Range]>> = {
  left_hip: [
    [-2.4, 1.0],
    [-1.0, 1.2],
    [-0.8, 1.5],
  ],
  left_knee: [
    [-0.2, 2.7],
    [-0.6, 0.6],
    [-0.3, 0.3],
  ],
  left_ankle: [
    [-0.7, 1.0],
    [-0.7, 0.7],
    [-0.6, 0.6],
  ],
  left_foot: [
    [-1.2, 0.8],
    [-0.3, 0.3],
    [-0.3, 0.3],
  ],
  spine1: [
    [-0.6, 0.9],
    [-0.6, 0.6],
    [-0.6, 0.6],
  ],
  spine2: [
    [-0.6, 0.9],
    [-0.6, 0.6],
    [-0.6, 0.6],
  ],
  spine3: [
    [-0.5, 0.6],
    [-0.5, 0.5],
    [-0.5, 0.5],
  ],
  neck: [
    [-0.8, 0.8],
    [-1.0, 1.0],
    [-0.7, 0.7],
  ],
  head: [
    [-0.8, 0.8],
    [-1.0, 1.0],
    [-0.7, 0.7],
  ],
  left_collar: [
    [-0.5, 0.5],
    [-0.7, 0.7],
    [-0.6, 0.9],
  ],
  left_shoulder: [
    [-1.8, 1.8],
    [-2.4, 1.4],
    [-2.0, 1.8],
  ],
  left_elbow: [
    [-1.8, 1.8],
    [-2.8, 0.3],
    [-0.6, 0.6],
  ],
  left_wrist: [
    [-1.6, 1.6],
    [-0.9, 0.9],
    [-1.5, 1.5],
  ],
}

function rangesOf(joint: string): readonly [Range, Range, Range] {
  const own = ranges[joint] ?? ranges[joint.replace('right', 'left')]
  const free: Range = [-Math.PI, Math.PI]
  if (!own) return [free, free, free]
  if (!joint.startsWith('right')) return own
  // In a mirror, turning about y and z goes the other way.
  const [x, y, z] = own
  return [x, [-y[1], -y[0]], [-z[1], -z[0]]]
}

const all = jointNames.slice(0, bodyJoints).flatMap(rangesOf)

/** The least and the most of each number of a body's pose, [66]: 22 joints, radians. */
export const poseLimits = {
  low: Float32Array.from(all, ([low]) => low),
  high: Float32Array.from(all, ([, high]) => high),
} as const

/** A pose of 66 or more numbers brought within the limits; those of hands and face stay. */
export function clampPose(pose: Float32Array): Float32Array {
  const { low, high } = poseLimits
  return pose.map((value, i) => (i < low.length ? Math.min(high[i], Math.max(low[i], value)) : value))
}

/** The limits on a runtime, [1,66]; made once for a fit. */
export function limitTensors(runtime: Runtime): { low: Tensor; high: Tensor } {
  const tensor = (values: Float32Array, label: string) => Tensor.from(runtime, values, [1, values.length], 'f32', label)
  return { low: tensor(poseLimits.low, 'least pose'), high: tensor(poseLimits.high, 'most pose') }
}

/** How far body poses [N,66] are beyond the limits: squares added up, radians^2, [N]. Can be differentiated. */
export function limitPenalty(poses: Tensor, { low, high }: { low: Tensor; high: Tensor }): Tensor {
  return scope(() => {
    const beyond = relu(maximum(sub(poses, high), sub(low, poses)))
    return sum(square(beyond), { axes: [1] })
  })
}
