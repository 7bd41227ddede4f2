// Choosing or mixing between two operands, element by element, under numpy's broadcasting rule. Operands are f32, f16
// or bf16, results f32 of the common shape; a ShapeError tells of other dtypes and of shapes that do not broadcast.

import { broadcastShapes, execute, sizeOf, type Op, type Tensor, type TensorSpec } from '../../tensor/index.js'
import { assertFloat } from '../common/operand.js'

export interface WhereOperands {
  condition: unknown
  a: unknown
  b: unknown
}

export interface MixOperands {
  a: unknown
  b: unknown
  weight: unknown
}

function inferCommon(where: string, operands: Readonly<Record<string, TensorSpec>>): TensorSpec[] {
  const entries = Object.entries(operands)
  for (const [name, operand] of entries) assertFloat(where, name, operand)
  return [{ shape: broadcastShapes(where, ...entries.map(([, { shape }]) => shape)), dtype: 'f32' }]
}

export const whereOp: Op<WhereOperands, undefined> = {
  name: 'where',
  infer: operands => inferCommon('where', operands),
  flops: () => 0,
}

export const mixOp: Op<MixOperands, undefined> = {
  name: 'mix',
  infer: operands => inferCommon('mix', operands),
  flops: (_inputs, [out]) => 4 * sizeOf(out.shape),
}

/** a where condition > 0, else b (also where the condition is NaN). */
export function where(condition: Tensor, a: Tensor, b: Tensor): Tensor {
  return execute(whereOp, { condition, a, b }, undefined)[0]
}

/** weight a + (1 - weight) b */
export function mix(a: Tensor, b: Tensor, weight: Tensor): Tensor {
  return execute(mixOp, { a, b, weight }, undefined)[0]
}
