// Transposed convolution of pictures, channels last: every input pixel paints a kernel's worth of output pixels.

import { execute, ShapeError, showShape, sizeOf, type Op, type Shape, type Tensor } from '../../tensor/index.js'
import { assertFloat } from '../common/operand.js'
import type { Rows } from '../common/rows.js'

export interface ConvTransposeOperands {
  /** [B, H, W, I] */
  x: unknown
  /** [O, kh, kw, I]: in the order of a convolution's weight, which torch's [I, O, kh, kw] is not. */
  weight: unknown
  /** [O] */
  bias?: unknown
}

export interface ConvTransposeParams {
  /** Output pixels between the kernels of neighbouring input pixels. */
  readonly stride: number
  /** Output pixels cut away on every side. */
  readonly padding: number
}

/** One axis: input i and tap t meet at output i stride - padding + t. */
export interface ConvTransposeAxis extends ConvTransposeParams {
  readonly size: number
  readonly kernel: number
  readonly out: number
}

/** The vertical (0) or horizontal (1) axis of operands that have been checked. */
export function convTransposeAxis(
  x: Shape,
  weight: Shape,
  { stride, padding }: ConvTransposeParams,
  axis: 0 | 1,
): ConvTransposeAxis {
  const size = x[1 + axis]
  const kernel = weight[1 + axis]
  return { size, kernel, stride, padding, out: (size - 1) * stride - 2 * padding + kernel }
}

/** The inputs that take part in a run of outputs: one at least, since the stride is not above the kernel. */
export function sourcesOf({ size, kernel, stride, padding }: ConvTransposeAxis, outputs: Rows): Rows {
  const start = Math.max(0, Math.ceil((outputs.start + padding - kernel + 1) / stride))
  const last = Math.min(size - 1, Math.floor((outputs.start + outputs.count - 1 + padding) / stride))
  return { start, count: last - start + 1 }
}

export const convTransposeOp: Op<ConvTransposeOperands, ConvTransposeParams> = {
  name: 'convTranspose',

  infer({ x, weight, bias }, params) {
    const where = 'convTranspose2d'
    const fail = (what: string, expected: string, got: Shape | number): never => {
      throw new ShapeError({ where, what, expected, got: typeof got === 'number' ? String(got) : showShape(got) })
    }
    for (const [name, operand] of Object.entries({ x, weight, bias })) if (operand) assertFloat(where, name, operand)
    if (x.shape.length !== 4) fail('x has the wrong axes', '[B, H, W, I]', x.shape)
    if (weight.shape.length !== 4) fail('weight has the wrong axes', '[O, kh, kw, I]', weight.shape)
    const [batch, ...picture] = x.shape
    const [outChannels, ...kernel] = weight.shape
    if (picture.includes(0)) fail('x has nothing in it', 'at least one row, column and channel', x.shape)
    if (kernel.includes(0)) fail('weight has nothing in it', 'at least one tap and channel', weight.shape)
    if (x.shape[3] !== weight.shape[3])
      fail('channels of the weight do not fit', `${x.shape[3]} with x ${showShape(x.shape)}`, weight.shape)
    // So every output pixel is painted by some input pixel, and the output's size is bounded by the operands'.
    const least = Math.min(kernel[0], kernel[1])
    const { stride, padding } = params
    if (!Number.isInteger(stride) || stride < 1 || stride > least)
      fail('stride is impossible', `a whole number from 1 to the kernel's ${least}`, stride)
    if (!Number.isInteger(padding) || padding < 0 || padding >= least)
      fail('padding is impossible', `a whole number from 0, below the kernel's ${least}`, padding)
    const rows = convTransposeAxis(x.shape, weight.shape, params, 0)
    const columns = convTransposeAxis(x.shape, weight.shape, params, 1)
    if (rows.out < 1 || columns.out < 1)
      fail('padding cuts everything away', `less with x ${showShape(x.shape)}`, padding)
    if (bias && String(bias.shape) !== String([outChannels])) fail('bias does not fit', `[${outChannels}]`, bias.shape)
    return [{ shape: [batch, rows.out, columns.out, outChannels], dtype: 'f32' }]
  },

  // As if nothing were cut away.
  flops: ({ x, weight }) => 2 * sizeOf(x.shape) * sizeOf(weight.shape.slice(0, 3)),
}

export interface ConvTranspose2dOptions {
  /** [O] */
  bias?: Tensor
  /** At most the kernel; default 1. */
  stride?: number
  /** Cut away on every side, below the kernel; default 0. */
  padding?: number
}

/**
 * Transposed convolution of pictures: x [B, H, W, I], weight [O, kh, kw, I] (torch's [I, O, kh, kw] permuted by
 * [1, 2, 3, 0]); then + bias. Result f32 [B, H', W', O] with H' = (H - 1) stride - 2 padding + kh, W' likewise.
 * Throws a ShapeError when operands do not fit.
 */
export function convTranspose2d(x: Tensor, weight: Tensor, options: ConvTranspose2dOptions = {}): Tensor {
  const { bias, stride = 1, padding = 0 } = options
  return execute(convTransposeOp, { x, weight, bias }, { stride, padding })[0]
}
