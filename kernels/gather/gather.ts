// Elements chosen along one axis by indices that live on the device.

import {
  execute,
  normalizeAxis,
  sameShape,
  ShapeError,
  showShape,
  type Op,
  type Shape,
  type Tensor,
  type TensorSpec,
} from '../../tensor/index.js'
import { assertLine, type LineParams } from '../reduce/line.js'

export interface GatherOperands {
  x: unknown
  /** i32: the shape of the output, or [N] when shared. */
  index: unknown
}

export interface GatherParams extends LineParams {
  /** Whether all lines along the axis take the same indices. */
  readonly shared: boolean
}

/** Throws a ShapeError unless the operand holds i32. */
export function assertIndex(where: string, name: string, index: TensorSpec): void {
  if (index.dtype !== 'i32')
    throw new ShapeError({ where, what: `${name} has the wrong dtype`, expected: 'i32', got: index.dtype })
}

export const gatherOp: Op<GatherOperands, GatherParams> = {
  name: 'gather',

  infer({ x, index }, { axis, shared }) {
    const where = shared ? 'indexSelect' : 'gather'
    const fail = (what: string, expected: string, got: Shape): never => {
      throw new ShapeError({ where, what, expected, got: showShape(got) })
    }
    assertLine(where, x, { axis })
    assertIndex(where, 'index', index)
    if (shared && index.shape.length !== 1) fail('index has the wrong axes', '[N]', index.shape)
    const shape = x.shape.with(axis, index.shape[shared ? 0 : axis])
    if (!shared && !sameShape(index.shape, shape))
      fail('index does not fit', `x's ${showShape(x.shape)} but for axis ${axis}`, index.shape)
    return [{ shape, dtype: 'f32' }]
  },

  flops: () => 0,
}

/**
 * out[.., n, ..] = x[.., index[.., n, ..], ..] along `axis`: f32 of index's shape, which is that of x but for the axis
 * (torch's gather, which lets the other axes be smaller too). Indices (i32) live on the device and are not looked at
 * here: one outside 0..size-1 gives NaN. Throws a ShapeError for operands that do not fit.
 */
export function gather(x: Tensor, axis: number, index: Tensor): Tensor {
  const normal = normalizeAxis('gather', axis, x.shape.length)
  return execute(gatherOp, { x, index }, { axis: normal, shared: false })[0]
}

/**
 * x at the indices [N] (i32) along `axis`, the same for all lines: f32 of x's shape with N elements on that axis. An
 * index outside 0..size-1 gives NaN. Throws a ShapeError for operands that do not fit.
 */
export function indexSelect(x: Tensor, axis: number, index: Tensor): Tensor {
  const normal = normalizeAxis('indexSelect', axis, x.shape.length)
  return execute(gatherOp, { x, index }, { axis: normal, shared: true })[0]
}
