// Reordering of axes.

import { execute, normalizeAxis, ShapeError, type Op, type Tensor } from '../../tensor/index.js'

export interface PermuteOperands {
  x: unknown
}

export interface PermuteParams {
  /** Axis i of the output is axis axes[i] of x. */
  readonly axes: readonly number[]
}

export const permuteOp: Op<PermuteOperands, PermuteParams> = {
  name: 'permute',

  infer({ x }, { axes }) {
    const rank = x.shape.length
    if (axes.length !== rank || new Set(axes).size !== rank || axes.some(axis => !(axis in x.shape)))
      throw new ShapeError({
        where: 'permute',
        what: 'not a permutation of the axes',
        expected: `each of 0..${rank - 1} once`,
        got: axes.join(', '),
      })
    return [{ shape: axes.map(axis => x.shape[axis]), dtype: x.dtype }]
  },

  flops: () => 0,
}

/**
 * x with its axes in another order: axis i of the result is axis axes[i] of x (from the end when negative). Any dtype.
 * Where only axes of size 1 move the memory is shared. Throws a ShapeError unless every axis is named once, and on
 * WebGPU a KernelError where elements narrower than 32 bits would have to move singly.
 */
export function permute(x: Tensor, axes: readonly number[]): Tensor {
  const params = { axes: axes.map(axis => normalizeAxis('permute', axis, x.shape.length)) }
  const [{ shape }] = permuteOp.infer({ x }, params)
  const moving = params.axes.filter(axis => x.shape[axis] !== 1)
  if (moving.every((axis, i) => i === 0 || axis > moving[i - 1])) return x.reshape(shape)
  return execute(permuteOp, { x }, params)[0]
}
