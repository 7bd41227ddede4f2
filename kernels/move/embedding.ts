// Rows of a table by their indices.

import { execute, ShapeError, showShape, type Op, type Tensor } from '../../tensor/index.js'
import { assertFloat } from '../common/operand.js'

export interface EmbeddingOperands {
  /** [V, D] */
  weight: unknown
  /** [...], i32 */
  ids: unknown
}

export const embeddingOp: Op<EmbeddingOperands, undefined> = {
  name: 'embedding',

  infer({ weight, ids }) {
    assertFloat('embedding', 'weight', weight)
    if (weight.shape.length !== 2)
      throw new ShapeError({
        where: 'embedding',
        what: 'weight is not a table',
        expected: '[V, D]',
        got: showShape(weight.shape),
      })
    if (ids.dtype !== 'i32')
      throw new ShapeError({ where: 'embedding', what: 'ids have the wrong dtype', expected: 'i32', got: ids.dtype })
    return [{ shape: [...ids.shape, weight.shape[1]], dtype: 'f32' }]
  },

  flops: () => 0,
}

/**
 * Rows of weight [V, D] (f32, f16 or bf16) by ids [...] (i32): f32 [..., D]. Ids live on the device and are not looked at
 * here: one outside 0..V-1 gives a row of NaN. Throws a ShapeError for other dtypes.
 */
export function embedding(weight: Tensor, ids: Tensor): Tensor {
  return execute(embeddingOp, { weight, ids }, undefined)[0]
}
