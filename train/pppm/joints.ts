// Joints of people out of the PPPM's parameters, by operations that can be differentiated.

import { add, cat, div, kinematics, mul, permute, slice, sqrt, sub, sum, affine } from '../../kernels/index.js'
import { bodyJoints, jointParents, restJoints } from '../../models/body/skeleton.js'
import { jointsOf } from '../../models/pppm/kinds.js'
import { scope as release, Tensor, type Runtime } from '../../tensor/index.js'

/** What forward kinematics needs of the open body; made once. */
export interface BodyTensors {
  /** [1, 22, 3] */
  readonly rest: Tensor
  /** i32 [22] */
  readonly parents: Tensor
}

/** The open body's joints as tensors. */
export function bodyTensors(runtime: Runtime): BodyTensors {
  return {
    rest: Tensor.from(runtime, restJoints.slice(0, 3 * bodyJoints), [1, bodyJoints, 3], 'f32', 'rest joints'),
    parents: Tensor.from(runtime, Int32Array.from(jointParents.slice(0, bodyJoints)), [bodyJoints], 'i32', 'parents'),
  }
}

// Keeps lengths of nothing from dividing by 0.
const tiny = 1e-8

/** Vectors [..., 3] made 1 long. */
function unit(x: Tensor): Tensor {
  return div(x, sqrt(affine(sum(mul(x, x), { axes: [-1], keepDims: true }), 1, tiny)))
}

/** a x b of vectors [..., 3]. */
function cross(a: Tensor, b: Tensor): Tensor {
  const axis = a.shape.length - 1
  const turned = (x: Tensor, by: number) => cat([slice(x, axis, by, 3), slice(x, axis, 0, by)], axis)
  return sub(mul(turned(a, 1), turned(b, 2)), mul(turned(a, 2), turned(b, 1)))
}

/** Rotation matrices [N,J,3,3] of six numbers each, [N,J,6]: their first two columns, made square (see encoding.ts). */
export function matricesOfSix(six: Tensor): Tensor {
  return release(() => {
    const [count, joints] = six.shape
    const a = unit(slice(six, 2, 0, 3)) // [N,J,3]
    const second = slice(six, 2, 3, 6)
    const b = unit(sub(second, mul(a, sum(mul(a, second), { axes: [-1], keepDims: true }))))
    const columns = cat([a, b, cross(a, b)], 2).reshape([count, joints, 3, 3])
    return permute(columns, [0, 1, 3, 2])
  })
}

/** Body joints [N,22,3] of people's parameters [N,333], metres in their scene. */
export function bodyJointsOf(parameters: Tensor, { rest, parents }: BodyTensors): Tensor {
  return release(() => {
    const [count] = parameters.shape
    const six = slice(parameters, 1, 0, 6 * bodyJoints).reshape([count, bodyJoints, 6])
    const { positions } = kinematics(matricesOfSix(six), rest, parents)
    const place = slice(parameters, 1, 6 * jointsOf.human, 6 * jointsOf.human + 3).reshape([count, 1, 3])
    return add(positions, place)
  })
}
