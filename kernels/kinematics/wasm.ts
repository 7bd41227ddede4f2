// Launches forward kinematics and its gradient, body by body.

import { sizeOf } from '../../tensor/index.js'
import { wasmKernel } from '../../tensor/wasm/launch.js'
import { kinematicsGradientOp, kinematicsOp } from './kinematics.js'

export const kinematicsWasm = wasmKernel(kinematicsOp, ({ inputs, outputs: [turned, positions] }) => {
  const { rotations, rest } = inputs
  if (sizeOf(rotations.shape) === 0) return []
  const [units, joints] = rotations.shape
  const restStride = rest.shape[0] === 1 ? 0 : 3 * joints
  return [{ kernel: 'kinematics', params: { turned, positions, joints, restStride, ...inputs }, units }]
})

export const kinematicsGradientWasm = wasmKernel(kinematicsGradientOp, ({ inputs, outputs: [ofRotations, ofRest] }) => {
  const { rotations, rest } = inputs
  if (sizeOf(rotations.shape) === 0) return []
  const [units, joints] = rotations.shape
  const restStride = rest.shape[0] === 1 ? 0 : 3 * joints
  const params = { ofRotations, ofRest, joints, restStride, ...inputs }
  return [{ kernel: 'kinematicsGradient', params, units, scratch: 12 * joints }]
})
