// Softmax and its logarithm along one axis.

import { execute, normalizeAxis, sizeOf, type Op, type Tensor } from '../../tensor/index.js'
import { assertLine, type LineParams } from '../reduce/line.js'

export interface SoftmaxOperands {
  x: unknown
}

export interface SoftmaxParams extends LineParams {
  /** Give the logarithm of the softmax. */
  readonly log: boolean
}

export const softmaxOp: Op<SoftmaxOperands, SoftmaxParams> = {
  name: 'softmax',

  infer({ x }, params) {
    assertLine(params.log ? 'logSoftmax' : 'softmax', x, params)
    return [{ shape: x.shape, dtype: 'f32' }]
  },

  // A maximum, a difference, an exponential, a sum and a quotient.
  flops: ({ x }) => 5 * sizeOf(x.shape),
}

/**
 * exp(x) / sum(exp(x)) along `axis` (from the end when negative), f32 of x's shape; large x do not overflow. Throws a
 * ShapeError for other than floats and for an axis that x does not have.
 */
export function softmax(x: Tensor, axis = -1): Tensor {
  return execute(softmaxOp, { x }, { axis: normalizeAxis('softmax', axis, x.shape.length), log: false })[0]
}

/** The logarithm of `softmax(x, axis)`, exact also where that underflows. Throws as that does. */
export function logSoftmax(x: Tensor, axis = -1): Tensor {
  return execute(softmaxOp, { x }, { axis: normalizeAxis('logSoftmax', axis, x.shape.length), log: true })[0]
}
