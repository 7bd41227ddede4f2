// What the norms check alike.

import { ShapeError, showShape, type TensorSpec } from '../../tensor/index.js'
import { assertFloat } from '../common/operand.js'

/** Checks x [..., C], weight [C], bias [C] and eps of a norm; returns C. Throws a ShapeError. */
export function assertAffine(
  where: string,
  operands: { x: TensorSpec; weight: TensorSpec; bias: TensorSpec },
  eps: number,
): number {
  for (const [name, operand] of Object.entries(operands)) assertFloat(where, name, operand)
  const { x, weight, bias } = operands
  const channels = x.shape[x.shape.length - 1]
  for (const [name, { shape }] of Object.entries({ weight, bias }))
    if (shape.length !== 1 || shape[0] !== channels)
      throw new ShapeError({ where, what: `${name} does not fit`, expected: `[${channels}]`, got: showShape(shape) })
  if (!(eps >= 0 && eps < Infinity))
    throw new ShapeError({ where, what: 'eps is not usable', expected: 'a number of at least 0', got: String(eps) })
  return channels
}
