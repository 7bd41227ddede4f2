// Launches forward kinematics and its gradient, over windows of bodies where an operand does not fit its binding.

import { sizeOf, type StoredTensor } from '../../tensor/index.js'
import type { AdapterFacts } from '../../tensor/webgpu/adapter.js'
import { webgpuKernel, windowOf, type Dispatch } from '../../tensor/webgpu/launch.js'
import { chunkRows } from '../common/rows.js'
import { workgroupOf } from '../common/workgroup.js'
import { kinematicsGradientOp, kinematicsOp } from './kinematics.js'

interface Bodies {
  readonly start: number
  readonly count: number
  /** The window on these bodies' part of a tensor that has `numbers` for each joint. */
  window(tensor: StoredTensor, numbers: number): ReturnType<typeof windowOf>
  /** That of the rest positions, which all may share. */
  rest: ReturnType<typeof windowOf>
  /** Uniforms that both directions have. */
  readonly uniforms: Readonly<Record<string, number>>
}

const noBases = { turned_base: 0, positions_base: 0, up_base: 0, of_rotations_base: 0, of_rest_base: 0 }

function bodiesOf(where: string, rotations: StoredTensor, rest: StoredTensor, facts: AdapterFacts): Bodies[] {
  const [count, joints] = rotations.shape
  return chunkRows(where, count, [{ dtype: 'f32', perRow: 9 * joints }], facts).map(({ start, count }) => {
    const window = (tensor: StoredTensor, numbers: number) =>
      windowOf(tensor, start * joints * numbers, count * joints * numbers, facts)
    const shared = rest.shape[0] === 1
    const restWindow = shared ? windowOf(rest, 0, 3 * joints, facts) : window(rest, 3)
    const uniforms = {
      ...noBases,
      count,
      joints,
      rest_stride: shared ? 0 : 3 * joints,
      rotations_base: window(rotations, 9).base,
      rest_base: restWindow.base,
    }
    return { start, count, window, rest: restWindow, uniforms }
  })
}

export const kinematicsWebGpu = webgpuKernel(kinematicsOp, ({ inputs, outputs: [turned, positions], facts }) => {
  const { rotations, rest, parents } = inputs
  if (sizeOf(rotations.shape) === 0) return []
  const workgroup = workgroupOf(facts)
  return bodiesOf('kinematics', rotations, rest, facts).map((bodies): Dispatch => {
    const [turnedWindow, positionsWindow] = [bodies.window(turned, 9), bodies.window(positions, 3)]
    return {
      shader: 'kinematics/kinematics.wgsl',
      defines: { WORKGROUP: workgroup },
      bindings: {
        rotations: bodies.window(rotations, 9).window,
        rest: bodies.rest.window,
        parents,
        turned: turnedWindow.window,
        positions: positionsWindow.window,
      },
      uniforms: { ...bodies.uniforms, turned_base: turnedWindow.base, positions_base: positionsWindow.base },
      workgroups: Math.ceil(bodies.count / workgroup),
    }
  })
})

export const kinematicsGradientWebGpu = webgpuKernel(kinematicsGradientOp, call => {
  const { inputs, outputs, facts } = call
  const { rotations, rest, parents, turned, upTurned, upPositions } = inputs
  if (sizeOf(rotations.shape) === 0) return []
  const [ofRotations, ofRest] = outputs
  const workgroup = workgroupOf(facts)
  return bodiesOf('kinematics gradient', rotations, rest, facts).flatMap((bodies): Dispatch[] => {
    const common = { defines: { WORKGROUP: workgroup }, workgroups: Math.ceil(bodies.count / workgroup) }
    const sums = call.scratch([bodies.count, rotations.shape[1], 3], 'f32')
    const up = bodies.window(upPositions, 3)
    const windows = {
      turned: bodies.window(turned, 9),
      upTurned: bodies.window(upTurned, 9),
      ofRotations: bodies.window(ofRotations, 9),
      ofRest: bodies.window(ofRest, 3),
    }
    return [
      {
        ...common,
        shader: 'kinematics/position-sums.wgsl',
        bindings: { up_positions: up.window, parents, sums },
        uniforms: { ...bodies.uniforms, positions_base: up.base },
      },
      {
        ...common,
        shader: 'kinematics/gradient.wgsl',
        bindings: {
          rotations: bodies.window(rotations, 9).window,
          rest: bodies.rest.window,
          parents,
          turned: windows.turned.window,
          up_turned: windows.upTurned.window,
          sums,
          of_rotations: windows.ofRotations.window,
          of_rest: windows.ofRest.window,
        },
        uniforms: {
          ...bodies.uniforms,
          turned_base: windows.turned.base,
          up_base: windows.upTurned.base,
          of_rotations_base: windows.ofRotations.base,
          of_rest_base: windows.ofRest.base,
        },
      },
    ]
  })
})
