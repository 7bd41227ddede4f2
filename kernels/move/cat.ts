// Tensors one after another along an axis.

import {
  execute,
  normalizeAxis,
  ShapeError,
  showShape,
  type Op,
  type Shape,
  type Tensor,
  type TensorSpec,
} from '../../tensor/index.js'

/** The tensors in order, under the keys 0, 1, 2, ... */
export type CatOperands = Readonly<Record<string, unknown>>

export interface CatParams {
  readonly axis: number
}

/** Where each part begins along the axis. */
export function catStarts(parts: readonly { shape: Shape }[], axis: number): number[] {
  let start = 0
  return parts.map(({ shape }) => (start += shape[axis]) - shape[axis])
}

export const catOp: Op<CatOperands, CatParams> = {
  name: 'cat',

  infer(operands, { axis }) {
    const parts: TensorSpec[] = Object.values(operands)
    const [first] = parts
    for (const { shape, dtype } of parts) {
      if (dtype !== first.dtype)
        throw new ShapeError({ where: 'cat', what: 'dtypes differ', expected: first.dtype, got: dtype })
      if (shape.length !== first.shape.length || shape.some((n, i) => i !== axis && n !== first.shape[i]))
        throw new ShapeError({
          where: 'cat',
          what: 'shapes do not fit',
          expected: `${showShape(first.shape)} but for axis ${axis}`,
          got: showShape(shape),
        })
    }
    const size = parts.reduce((sum, { shape }) => sum + shape[axis], 0)
    return [{ shape: first.shape.with(axis, size), dtype: first.dtype }]
  },

  flops: () => 0,
}

/**
 * The tensors one after another along an axis (from the end when negative). They have one dtype, any, and one shape but
 * for that axis, else a ShapeError tells. On WebGPU a KernelError tells where elements narrower than 32 bits would have
 * to move singly.
 */
export function cat(tensors: readonly Tensor[], axis: number): Tensor {
  if (tensors.length === 0) throw new ShapeError({ where: 'cat', what: 'no tensors', expected: 'one or more' })
  const normal = normalizeAxis('cat', axis, tensors[0].shape.length)
  return execute(catOp, Object.fromEntries(tensors.entries()), { axis: normal })[0]
}
