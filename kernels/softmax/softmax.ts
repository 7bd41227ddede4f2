// Softmax and its logarithm along one axis.

import { execute, normalizeAxis, ShapeError, sizeOf, type Op, type Shape, type Tensor } from '../../tensor/index.js'
import { assertFloat } from '../common/operand.js'

export interface SoftmaxOperands {
  x: unknown
}

export interface SoftmaxParams {
  /** From 0 to the number of axes less one. */
  readonly axis: number
  /** Give the logarithm of the softmax. */
  readonly log: boolean
}

/** A shape seen as [outer, length, inner], with the softmax along the axis in the middle. */
export function softmaxSizes(x: Shape, { axis }: SoftmaxParams): { outer: number; length: number; inner: number } {
  return { outer: sizeOf(x.slice(0, axis)), length: x[axis], inner: sizeOf(x.slice(axis + 1)) }
}

export const softmaxOp: Op<SoftmaxOperands, SoftmaxParams> = {
  name: 'softmax',

  infer({ x }, { axis }) {
    assertFloat('softmax', 'x', x)
    if (!(axis in x.shape))
      throw new ShapeError({
        where: 'softmax',
        what: 'no such axis',
        expected: `0..${x.shape.length - 1}`,
        got: `${axis}`,
      })
    return [{ shape: x.shape, dtype: 'f32' }]
  },

  // A maximum, a difference, an exponential, a sum and a quotient.
  flops: ({ x }) => 5 * sizeOf(x.shape),
}

/** exp(x) / sum(exp(x)) along `axis` (from the end when negative), f32 of x's shape; large x do not overflow. */
export function softmax(x: Tensor, axis = -1): Tensor {
  return execute(softmaxOp, { x }, { axis: normalizeAxis('softmax', axis, x.shape.length), log: false })[0]
}

/** The logarithm of `softmax(x, axis)`, exact also where that underflows. */
export function logSoftmax(x: Tensor, axis = -1): Tensor {
  return execute(softmaxOp, { x }, { axis: normalizeAxis('logSoftmax', axis, x.shape.length), log: true })[0]
}
