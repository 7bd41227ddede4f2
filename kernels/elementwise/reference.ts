// Elementwise operations, plain: every operand at the element's own index, or at 0 along the axes it repeats.

import { broadcastStrides } from '../../tensor/index.js'
import { referenceKernel, type HostTensor } from '../../tensor/reference/compute.js'
import { offsetOf, walk } from '../common/walk.js'
import { binaryOp } from './binary.js'
import { mixOp, whereOp } from './blend.js'
import { castOp, toInteger } from './cast.js'
import { binaryFunctions, unaryFunctions } from './functions.js'
import { unaryOp } from './unary.js'

function pointwise(operands: readonly HostTensor[], out: HostTensor, f: (...values: number[]) => number): void {
  const strides = operands.map(({ shape }) => broadcastStrides(shape, out.shape))
  walk(out.shape, (index, i) => {
    out.data[i] = f(...operands.map(({ data }, k) => data[offsetOf(index, strides[k])]))
  })
}

export const unaryReference = referenceKernel(unaryOp, ({ x }, [out], { name, constants: [p, q] }) => {
  const f = unaryFunctions[name]
  for (let i = 0; i < x.data.length; i++) out.data[i] = f(x.data[i], p, q)
})

export const binaryReference = referenceKernel(binaryOp, ({ a, b }, [out], { name }) =>
  pointwise([a, b], out, binaryFunctions[name]),
)

export const whereReference = referenceKernel(whereOp, ({ condition, a, b }, [out]) =>
  pointwise([condition, a, b], out, (condition, a, b) => (condition > 0 ? a : b)),
)

export const mixReference = referenceKernel(mixOp, ({ a, b, weight }, [out]) =>
  pointwise([a, b, weight], out, (a, b, weight) => weight * a + (1 - weight) * b),
)

export const castReference = referenceKernel(castOp, ({ x }, [out], { dtype }) => {
  // The runtime itself rounds to the narrow floats.
  const convert = dtype === 'i32' ? toInteger : (value: number) => value
  for (let i = 0; i < x.data.length; i++) out.data[i] = convert(x.data[i])
})
