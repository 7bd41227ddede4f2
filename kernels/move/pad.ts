// Padding at both ends of any axes.

import { execute, ShapeError, showShape, type Op, type Tensor } from '../../tensor/index.js'

export type PadMode = 'constant' | 'reflect' | 'replicate'

export interface PadOperands {
  x: unknown
}

export interface PadParams {
  /** Elements before and after, per axis. */
  readonly widths: readonly (readonly [number, number])[]
  readonly mode: PadMode
  /** For mode constant. */
  readonly value: number
}

export const padOp: Op<PadOperands, PadParams> = {
  name: 'pad',

  infer({ x }, { widths, mode }) {
    const fail = (what: string, expected: string): never => {
      throw new ShapeError({ where: 'pad', what, expected, got: `${JSON.stringify(widths)} for ${showShape(x.shape)}` })
    }
    if (widths.length !== x.shape.length) fail('widths do not fit the axes', `${x.shape.length} pairs`)
    if (!widths.flat().every(n => Number.isSafeInteger(n) && n >= 0)) fail('width out of range', '0 or more')
    widths.forEach((pair, axis) => {
      const size = x.shape[axis]
      const most = Math.max(...pair)
      if (mode === 'reflect' && most > 0 && most >= size) fail('reflects past the far end', 'widths below the size')
      if (mode === 'replicate' && most > 0 && size === 0) fail('nothing to replicate', 'a size above 0')
    })
    return [{ shape: x.shape.map((n, axis) => n + widths[axis][0] + widths[axis][1]), dtype: x.dtype }]
  },

  flops: () => 0,
}

export interface PadOptions {
  /** constant (the default), reflect (without repeating the edge) or replicate (the edge). */
  mode?: PadMode
  /** What mode constant pads with; default 0. */
  value?: number
}

/**
 * x with `widths[axis] = [before, after]` elements added at the ends of each axis; one pair per axis. Any dtype. Memory
 * is shared when nothing is added. Throws a ShapeError for widths that do not fit, and on WebGPU a KernelError where
 * elements narrower than 32 bits would have to move singly.
 */
export function pad(
  x: Tensor,
  widths: readonly (readonly [number, number])[],
  { mode = 'constant', value = 0 }: PadOptions = {},
): Tensor {
  const params = { widths, mode, value }
  padOp.infer({ x }, params)
  return widths.flat().every(n => n === 0) ? x.share() : execute(padOp, { x }, params)[0]
}
