// The elements of an axis in the opposite order.

import { Tensor } from '../../tensor/index.js'
import { indexSelect } from './gather.js'

/** x (floats) with the indices of one axis, counted from the front, in the opposite order: f32. */
export function reversed(x: Tensor, axis: number): Tensor {
  const size = x.shape[axis]
  using index = Tensor.from(
    x.runtime,
    Int32Array.from({ length: size }, (_, i) => size - 1 - i),
    [size],
    'i32',
  )
  return indexSelect(x, axis, index)
}
