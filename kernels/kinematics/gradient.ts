// The gradient of forward kinematics, by an operation of its own: back from the ends of the limbs to the root.

import { execute, gradient, Tensor } from '../../tensor/index.js'
import { sumTo } from '../reduce/sum-to.js'
import { kinematicsGradientOp, kinematicsOp } from './kinematics.js'

export const kinematicsGradient = gradient(kinematicsOp, ({ inputs, outputs, upstream, needs }) => {
  const [upTurned, upPositions] = outputs.map(
    (output, i) => upstream[i] ?? Tensor.zeros(inputs.rest.runtime, output.shape),
  )
  const operands = { ...inputs, turned: outputs[0], upTurned, upPositions }
  const [rotations, rest] = execute(kinematicsGradientOp, operands, undefined)
  return needs.has('rest') ? { rotations, rest: sumTo(rest, inputs.rest.shape) } : { rotations }
})
