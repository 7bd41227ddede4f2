// Rows of a table by their indices.

import { ShapeError, showShape, type Tensor } from '../../tensor/index.js'
import { assertIndex, indexSelect } from './gather.js'

/**
 * Rows of weight [V, D] (f32, f16 or bf16) by ids [...] (i32): f32 [..., D]. Ids live on the device and are not looked
 * at here: one outside 0..V-1 gives a row of NaN. Throws a ShapeError for other dtypes.
 */
export function embedding(weight: Tensor, ids: Tensor): Tensor {
  if (weight.shape.length !== 2)
    throw new ShapeError({
      where: 'embedding',
      what: 'weight is not a table',
      expected: '[V, D]',
      got: showShape(weight.shape),
    })
  assertIndex('embedding', 'ids', ids)
  using index = ids.reshape([-1]) // [N]
  using rows = indexSelect(weight, 0, index) // [N,D]
  return rows.reshape([...ids.shape, weight.shape[1]]) // [...,D]
}
