// Sorting along one axis, as torch orders numbers.

import { execute, normalizeAxis, ShapeError, sizeOf, type Op, type Tensor } from '../../tensor/index.js'
import { slice } from '../move/slice.js'
import { assertLine, type LineParams } from '../reduce/line.js'

export interface SortOperands {
  x: unknown
}

export interface SortParams extends LineParams {
  /** The largest first. */
  readonly descending: boolean
}

export const sortOp: Op<SortOperands, SortParams> = {
  name: 'sort',

  infer({ x }, params) {
    assertLine('sort', x, params)
    return [
      { shape: x.shape, dtype: 'f32' },
      { shape: x.shape, dtype: 'i32' },
    ]
  },

  // Comparisons.
  flops: ({ x }, _outputs, { axis }) => sizeOf(x.shape) * Math.ceil(Math.log2(Math.max(1, x.shape[axis]))),
}

/** Elements in a new order, and where along the axis each one was. */
export interface Sorted {
  /** f32 */
  values: Tensor
  /** i32 */
  indices: Tensor
}

/**
 * x with the elements of each line along `axis` (default the last) in ascending order, or descending. NaN counts as
 * larger than all else, -0 as equal to 0, and equal elements stay in their order, as in torch's stable sort. Throws a
 * ShapeError for other than floats and for an axis that x does not have.
 */
export function sort(x: Tensor, axis = -1, { descending = false } = {}): Sorted {
  const normal = normalizeAxis('sort', axis, x.shape.length)
  const [values, indices] = execute(sortOp, { x }, { axis: normal, descending })
  return { values, indices }
}

/**
 * The k largest elements of each line along `axis` (default the last), the largest first: NaN, then by value, the first
 * of equals first. Throws a ShapeError when a line has fewer.
 */
export function topK(x: Tensor, k: number, axis = -1): Sorted {
  const normal = normalizeAxis('topK', axis, x.shape.length)
  const length = x.shape[normal]
  if (!Number.isInteger(k) || k < 0 || k > length)
    throw new ShapeError({ where: 'topK', what: 'no such k', expected: `0..${length}`, got: String(k) })
  const { values, indices } = sort(x, normal, { descending: true })
  using allValues = values
  using allIndices = indices
  return { values: slice(allValues, normal, 0, k), indices: slice(allIndices, normal, 0, k) }
}
