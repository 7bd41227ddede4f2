// Running sums and means, in place: of gradients over several batches, of weights over training.

import { sameShape, ShapeError, showShape, sizeOf, update, type Op, type Tensor } from '../../tensor/index.js'
import { assertFloat } from '../common/operand.js'

export interface AccumulateOperands {
  /** f32, f16 or bf16 [...] */
  x: unknown
  /** f32 [2]: the share of the sum that is kept, and the share of x that is added */
  shares: unknown
}

/** Output: the sum, which is read before it is replaced. */
export const accumulateOp: Op<AccumulateOperands, undefined> = {
  name: 'accumulate',

  infer({ x, shares }) {
    assertFloat('accumulate', 'x', x)
    if (shares.dtype !== 'f32' || !sameShape(shares.shape, [2]))
      throw new ShapeError({
        where: 'accumulate',
        what: 'shares do not fit',
        expected: 'f32 [2]',
        got: `${shares.dtype} ${showShape(shares.shape)}`,
      })
    return [{ shape: x.shape, dtype: 'f32' }]
  },

  flops: ({ x }) => 3 * sizeOf(x.shape),
}

/**
 * sum = shares[0] sum + shares[1] x, in place; a share of 0 forgets the sum, NaN or not. Throws a ShapeError when
 * something does not fit.
 */
export function accumulate(sum: Tensor, x: Tensor, shares: Tensor): void {
  update(accumulateOp, { x, shares }, [sum], undefined)
}
