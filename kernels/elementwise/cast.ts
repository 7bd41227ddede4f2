// Conversion between element types.

import { execute, ShapeError, type DType, type Op, type Tensor } from '../../tensor/index.js'

/** The dtypes that convert into each other on the device. */
export const castable = ['f32', 'f16', 'bf16', 'i32'] as const
export type Castable = (typeof castable)[number]

export interface CastOperands {
  x: unknown
}

export interface CastParams {
  readonly dtype: Castable
}

export const castOp: Op<CastOperands, CastParams> = {
  name: 'cast',

  infer({ x }, { dtype }) {
    for (const given of [x.dtype, dtype])
      if (!(castable as readonly DType[]).includes(given))
        throw new ShapeError({ where: 'cast', what: 'no such conversion', expected: castable.join(', '), got: given })
    return [{ shape: x.shape, dtype }]
  },

  flops: () => 0,
}

/** The values of an f32 as an i32: towards zero, the nearest bound beyond the range, 0 for NaN. */
export function toInteger(value: number): number {
  return Number.isNaN(value) ? 0 : Math.trunc(Math.min(Math.max(value, -(2 ** 31)), 2 ** 31 - 1))
}

/**
 * x as another dtype, f32, f16, bf16 or i32. Floats round to the nearest, ties to even, and overflow to infinity; to
 * i32 they go towards zero and stay within its range, NaN becoming 0. Throws a ShapeError for other dtypes.
 */
export function cast(x: Tensor, dtype: Castable): Tensor {
  return x.dtype === dtype ? x.share() : execute(castOp, { x }, { dtype })[0]
}
