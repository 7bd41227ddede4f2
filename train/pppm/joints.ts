// Joints of people out of the PPPM's parameters, by operations that can be differentiated.

import { add, kinematics, slice } from '../../kernels/index.js'
import { matricesOfSix } from '../../models/body/rotations.js'
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
