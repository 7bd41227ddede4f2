// A range of one axis.

import { execute, normalizeAxis, sameShape, ShapeError, type Op, type Tensor } from '../../tensor/index.js'

export interface SliceOperands {
  x: unknown
}

export interface SliceParams {
  readonly axis: number
  /** Indices start, start + step, ... below end. */
  readonly start: number
  readonly end: number
  readonly step: number
}

export const sliceOp: Op<SliceOperands, SliceParams> = {
  name: 'slice',

  infer({ x }, { axis, start, end, step }) {
    const size = x.shape[axis]
    if (![start, end].every(Number.isInteger) || start < 0 || start > end || end > size)
      throw new ShapeError({
        where: 'slice',
        what: `range outside axis ${axis}`,
        expected: `0 <= start <= end <= ${size}`,
        got: `${start}..${end}`,
      })
    if (!Number.isInteger(step) || step < 1)
      throw new ShapeError({ where: 'slice', what: 'no such step', expected: '1 or more', got: String(step) })
    return [{ shape: x.shape.with(axis, Math.ceil((end - start) / step)), dtype: x.dtype }]
  },

  flops: () => 0,
}

/**
 * Indices start, start + step, ... below `end` of one axis; axis, start and end count from the end when negative. Any
 * dtype. Memory is shared when all of x is asked for. Throws a ShapeError for ranges that leave the axis, and
 * on WebGPU a KernelError where elements narrower than 32 bits would have to move singly.
 */
export function slice(x: Tensor, axis: number, start: number, end: number, step = 1): Tensor {
  const normal = normalizeAxis('slice', axis, x.shape.length)
  const fromEnd = (index: number) => (index < 0 ? index + x.shape[normal] : index)
  const params = { axis: normal, start: fromEnd(start), end: fromEnd(end), step }
  const [{ shape }] = sliceOp.infer({ x }, params)
  return sameShape(shape, x.shape) ? x.share() : execute(sliceOp, { x }, params)[0]
}
