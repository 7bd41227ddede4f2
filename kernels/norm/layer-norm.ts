// Layer normalisation over the last axis.

import { execute, ShapeError, showShape, sizeOf, type Op, type Tensor } from '../../tensor/index.js'
import { assertAffine } from './affine.js'

export interface LayerNormOperands {
  /** [..., C] */
  x: unknown
  /** [C] */
  weight: unknown
  /** [C] */
  bias: unknown
}

export interface LayerNormParams {
  readonly eps: number
}

export const layerNormOp: Op<LayerNormOperands, LayerNormParams> = {
  name: 'layerNorm',

  infer({ x, weight, bias }, { eps }) {
    if (x.shape.length < 1)
      throw new ShapeError({
        where: 'layerNorm',
        what: 'x has too few axes',
        expected: '[..., C]',
        got: showShape(x.shape),
      })
    assertAffine('layerNorm', { x, weight, bias }, eps)
    return [{ shape: x.shape, dtype: 'f32' }]
  },

  // Mean and deviation take five operations an element, the result four.
  flops: ({ x }) => 9 * sizeOf(x.shape),
}

/**
 * (x - mean) / sqrt(variance + eps) * weight [C] + bias [C] for x [..., C], with statistics for each row of the last
 * axis. Result f32 of x's shape. Throws a ShapeError when operands do not fit.
 */
export function layerNorm(x: Tensor, weight: Tensor, bias: Tensor, { eps }: { eps: number }): Tensor {
  return execute(layerNormOp, { x, weight, bias }, { eps })[0]
}
