// Functions of two operands, element by element, under numpy's broadcasting rule. They take f32, f16 or bf16 and give
// f32 of the common shape; each throws a ShapeError for other dtypes and for shapes that do not broadcast.

import { broadcastShapes, execute, sizeOf, type Op, type Tensor } from '../../tensor/index.js'
import { assertFloat } from '../common/operand.js'
import type { BinaryName, DerivativeName } from './functions.js'

export interface BinaryOperands {
  a: unknown
  b: unknown
}

export interface BinaryParams {
  readonly name: BinaryName
}

export const binaryOp: Op<BinaryOperands, BinaryParams> = {
  name: 'binary',

  infer({ a, b }, { name }) {
    assertFloat(name, 'a', a)
    assertFloat(name, 'b', b)
    return [{ shape: broadcastShapes(name, a.shape, b.shape), dtype: 'f32' }]
  },

  flops: (_inputs, [out]) => sizeOf(out.shape),
}

function apply(name: BinaryName, a: Tensor, b: Tensor): Tensor {
  return execute(binaryOp, { a, b }, { name })[0]
}

/** a + b */
export const add = (a: Tensor, b: Tensor): Tensor => apply('add', a, b)
/** a - b */
export const sub = (a: Tensor, b: Tensor): Tensor => apply('sub', a, b)
/** a b */
export const mul = (a: Tensor, b: Tensor): Tensor => apply('mul', a, b)
/** a / b */
export const div = (a: Tensor, b: Tensor): Tensor => apply('div', a, b)
/** The larger of a and b; NaN if either is. */
export const maximum = (a: Tensor, b: Tensor): Tensor => apply('maximum', a, b)
/** The smaller of a and b; NaN if either is. */
export const minimum = (a: Tensor, b: Tensor): Tensor => apply('minimum', a, b)
/** The angle of the point (x, y) from the x axis, in radians, -pi..pi. */
export const atan2 = (y: Tensor, x: Tensor): Tensor => apply('atan2', y, x)
/** g f'(x) for the function of that name; for sigmoid and tanh x is their result. */
export const derivative = (name: DerivativeName, x: Tensor, g: Tensor): Tensor => apply(`d_${name}`, x, g)
