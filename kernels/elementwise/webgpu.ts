// Launches elementwise.wgsl over boxes of the common shape, and cast.wgsl over runs of elements.

import { broadcastStrides, sizeOf, type StoredTensor } from '../../tensor/index.js'
import type { AdapterFacts } from '../../tensor/webgpu/adapter.js'
import type { Defines } from '../../tensor/webgpu/preprocess.js'
import { webgpuKernel, windowOf, type Dispatch } from '../../tensor/webgpu/launch.js'
import { activations } from '../common/activations.js'
import { boxLaunches } from '../common/boxes.js'
import { chunkRows } from '../common/rows.js'
import { streamOf } from '../common/workgroup.js'
import { binaryOp } from './binary.js'
import { mixOp, whereOp } from './blend.js'
import { castOp } from './cast.js'
import { unaryOp } from './unary.js'

function pointwise(
  name: string,
  operands: readonly StoredTensor[],
  out: StoredTensor,
  facts: AdapterFacts,
  constants: readonly number[] = [],
): Dispatch[] {
  if (sizeOf(out.shape) === 0) return []
  const strided = [out, ...operands].map(tensor => ({
    tensor,
    start: 0,
    strides: broadcastStrides(tensor.shape, out.shape),
  }))
  return boxLaunches(name, out.shape, strided, facts).map(
    ({ windows, aligned, defines: walk, uniforms, workgroups }) => {
      const defines: Record<string, Defines[string]> = {
        FUNCTION: name,
        ACTIVATION: name in activations ? name : false,
        ARITY: operands.length,
        OUT_FOUR: aligned[0],
        ...walk,
      }
      const bindings: Record<string, (typeof windows)[number]> = { out: windows[0] }
      operands.forEach(({ dtype }, i) => {
        const letter = 'abc'[i]
        bindings[letter] = windows[i + 1]
        defines[`${letter.toUpperCase()}_FOUR`] = aligned[i + 1]
        defines[`${letter.toUpperCase()}_FORMAT`] = aligned[i + 1] ? `${dtype}x4` : dtype
      })
      return {
        shader: 'elementwise/elementwise.wgsl',
        defines,
        bindings,
        uniforms: { ...uniforms, constants },
        workgroups,
      }
    },
  )
}

export const unaryWebGpu = webgpuKernel(unaryOp, ({ inputs: { x }, outputs: [out], params, facts }) => {
  const { name, constants } = params
  if (name !== 'pow') return pointwise(name, [x], out, facts, constants)
  // A power of a negative number is that of its magnitude times this.
  const [exponent] = constants
  const sign = Number.isInteger(exponent) ? (exponent % 2 === 0 ? 1 : -1) : NaN
  return pointwise(name, [x], out, facts, [exponent, sign])
})

export const binaryWebGpu = webgpuKernel(binaryOp, ({ inputs: { a, b }, outputs: [out], params, facts }) =>
  pointwise(params.name, [a, b], out, facts),
)

export const whereWebGpu = webgpuKernel(whereOp, ({ inputs: { condition, a, b }, outputs: [out], facts }) =>
  pointwise('where', [condition, a, b], out, facts),
)

export const mixWebGpu = webgpuKernel(mixOp, ({ inputs: { a, b, weight }, outputs: [out], facts }) =>
  pointwise('mix', [a, b, weight], out, facts),
)

export const castWebGpu = webgpuKernel(castOp, ({ inputs: { x }, outputs: [out], facts }) => {
  const { workgroup, each } = streamOf(facts)
  // Groups of four, to which memory is padded, so that every run begins with a word of its own.
  const operands = [x, out].map(({ dtype }) => ({ dtype, perRow: 4 }))
  return chunkRows('cast', Math.ceil(sizeOf(x.shape) / 4), operands, facts).map(({ start, count }): Dispatch => {
    const xWindow = windowOf(x, 4 * start, 4 * count, facts)
    const outWindow = windowOf(out, 4 * start, 4 * count, facts)
    return {
      shader: 'elementwise/cast.wgsl',
      defines: { X_FORMAT: `${x.dtype}x4`, OUT: out.dtype, WORKGROUP: workgroup, EACH: each },
      bindings: { x: xWindow.window, out: outWindow.window },
      uniforms: { groups: count, x_base: xWindow.base, out_base: outWindow.base },
      workgroups: Math.ceil(count / (workgroup * each)),
    }
  })
})
