// Operations along one axis whose lines stay apart: the place of the largest or smallest element, and running sums.
// They take f32, f16 or bf16; each throws a ShapeError for other dtypes and for an axis that x does not have.

import {
  execute,
  normalizeAxis,
  ShapeError,
  showShape,
  sizeOf,
  type Op,
  type Shape,
  type Tensor,
  type TensorSpec,
} from '../../tensor/index.js'
import { assertFloat } from '../common/operand.js'

export interface LineOperands {
  x: unknown
}

export interface LineParams {
  /** From 0 to the number of axes less one. */
  readonly axis: number
}

export interface ArgParams extends LineParams {
  readonly kind: 'argmax' | 'argmin'
}

/** A shape seen as [outer, length, inner], lines running along the axis in the middle. */
export function lineSizes(x: Shape, { axis }: LineParams): { outer: number; length: number; inner: number } {
  return { outer: sizeOf(x.slice(0, axis)), length: x[axis], inner: sizeOf(x.slice(axis + 1)) }
}

/** Throws a ShapeError unless x holds floats and has the axis. */
export function assertLine(where: string, x: TensorSpec, { axis }: LineParams): void {
  assertFloat(where, 'x', x)
  if (!(axis in x.shape))
    throw new ShapeError({ where, what: 'no such axis', expected: `0..${x.shape.length - 1}`, got: String(axis) })
}

export const argOp: Op<LineOperands, ArgParams> = {
  name: 'arg',

  infer({ x }, params) {
    assertLine(params.kind, x, params)
    if (x.shape[params.axis] === 0)
      throw new ShapeError({ where: params.kind, what: 'nothing to choose from', got: showShape(x.shape) })
    return [{ shape: x.shape.filter((_, axis) => axis !== params.axis), dtype: 'i32' }]
  },

  flops: ({ x }) => sizeOf(x.shape),
}

export const cumsumOp: Op<LineOperands, LineParams> = {
  name: 'cumsum',

  infer({ x }, params) {
    assertLine('cumsum', x, params)
    return [{ shape: x.shape, dtype: 'f32' }]
  },

  flops: ({ x }) => sizeOf(x.shape),
}

/**
 * Index of the largest element along `axis`, i32 without that axis: the first of equals, the first NaN if there is one.
 */
export function argmax(x: Tensor, axis = -1): Tensor {
  return execute(argOp, { x }, { kind: 'argmax', axis: normalizeAxis('argmax', axis, x.shape.length) })[0]
}

/**
 * Index of the smallest element along `axis`, i32 without that axis: the first of equals, the first NaN if there is
 * one.
 */
export function argmin(x: Tensor, axis = -1): Tensor {
  return execute(argOp, { x }, { kind: 'argmin', axis: normalizeAxis('argmin', axis, x.shape.length) })[0]
}

/** Sums of all elements up to and with each one along `axis`, f32 of x's shape. */
export function cumsum(x: Tensor, axis = -1): Tensor {
  return execute(cumsumOp, { x }, { axis: normalizeAxis('cumsum', axis, x.shape.length) })[0]
}
