// The host side of operand.wgsl: which format a shader is to read an operand in.

import { ShapeError, type DType, type TensorSpec } from '../../tensor/index.js'

const floats: readonly DType[] = ['f32', 'f16', 'bf16']

/** Throws a ShapeError unless the operand holds floats of some width. */
export function assertFloat(where: string, name: string, operand: TensorSpec): void {
  if (!floats.includes(operand.dtype))
    throw new ShapeError({
      where,
      what: `${name} has the wrong dtype`,
      expected: floats.join(', '),
      got: operand.dtype,
    })
}

/**
 * The FORMAT of an operand: its dtype, with x4 when `run` (the length of its contiguous rows) is a multiple of four.
 */
export function formatOf(operand: TensorSpec, run: number): string {
  return run % 4 === 0 ? `${operand.dtype}x4` : operand.dtype
}
