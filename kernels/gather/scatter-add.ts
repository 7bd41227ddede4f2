// Sums of elements by the place that an index gives each.

import {
  execute,
  normalizeAxis,
  sameShape,
  ShapeError,
  showShape,
  sizeOf,
  type Op,
  type Tensor,
} from '../../tensor/index.js'
import { assertLine, type LineParams } from '../reduce/line.js'
import { assertIndex } from './gather.js'

export interface ScatterAddOperands {
  x: unknown
  /** i32, the shape of x. */
  index: unknown
}

export interface ScatterAddParams extends LineParams {
  /** Of the output along the axis. */
  readonly size: number
}

// Indices are i32.
const mostRows = 2 ** 31

export const scatterAddOp: Op<ScatterAddOperands, ScatterAddParams> = {
  name: 'scatterAdd',

  infer({ x, index }, { axis, size }) {
    const where = 'scatterAdd'
    assertLine(where, x, { axis })
    assertIndex(where, 'index', index)
    if (!sameShape(x.shape, index.shape))
      throw new ShapeError({
        where,
        what: 'index does not fit',
        expected: `x's ${showShape(x.shape)}`,
        got: showShape(index.shape),
      })
    if (!Number.isInteger(size) || size < 0 || size > mostRows)
      throw new ShapeError({ where, what: 'no such size', expected: `0..${mostRows}`, got: String(size) })
    return [{ shape: x.shape.with(axis, size), dtype: 'f32' }]
  },

  // Every output looks at every index of its line.
  flops: ({ x }, _outputs, { size }) => sizeOf(x.shape) * size,
}

/**
 * Zeros with `size` elements along `axis`, to which every x[.., n, ..] is added at index[.., n, ..]: f32, x's shape but
 * for the axis. Elements are added in their order, so that the sums are the same every time. Indices (i32, x's shape)
 * live on the device and are not looked at here: an element whose index is outside 0..size-1 is left out. The work
 * grows as x's elements times `size`. Throws a ShapeError for operands that do not fit.
 */
export function scatterAdd(x: Tensor, axis: number, index: Tensor, size: number): Tensor {
  const normal = normalizeAxis('scatterAdd', axis, x.shape.length)
  return execute(scatterAddOp, { x, index }, { axis: normal, size })[0]
}
