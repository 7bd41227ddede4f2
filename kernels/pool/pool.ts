// Pooling of pictures, channels last: the mean or the largest pixel under a square window.

import { execute, ShapeError, showShape, sizeOf, type Op, type Shape, type Tensor } from '../../tensor/index.js'
import { assertFloat } from '../common/operand.js'
import type { ConvAxis } from '../conv/conv.js'

export interface PoolOperands {
  /** [B, H, W, C] */
  x: unknown
}

export interface PoolParams {
  readonly kind: 'avg' | 'max'
  /** Height and width of the window. */
  readonly kernel: number
  readonly stride: number
  /** Pixels around the picture: zeros for the mean, never chosen as the largest. */
  readonly padding: number
  /** The mean divides by all pixels under the window, not only by those inside the picture. */
  readonly countIncludePad: boolean
}

/** How the vertical (0) or horizontal (1) axis of a checked picture is walked. */
export function poolAxis(x: Shape, { kernel, stride, padding }: PoolParams, axis: 0 | 1): ConvAxis {
  const size = x[1 + axis]
  return { size, kernel, stride, before: padding, out: Math.floor((size + 2 * padding - kernel) / stride) + 1 }
}

// Beyond this a sum over the window has few digits left in f32.
const mostKernel = 4096

export const poolOp: Op<PoolOperands, PoolParams> = {
  name: 'pool',

  infer({ x }, params) {
    const { kind, kernel, stride, padding } = params
    const where = `${kind}Pool2d`
    const fail = (what: string, expected: string, got: string): never => {
      throw new ShapeError({ where, what, expected, got })
    }
    assertFloat(where, 'x', x)
    if (x.shape.length !== 4) fail('x has the wrong axes', '[B, H, W, C]', showShape(x.shape))
    if (!Number.isInteger(kernel) || kernel < 1 || kernel > mostKernel)
      fail('no such kernel', `a whole number from 1 to ${mostKernel}`, String(kernel))
    if (!Number.isSafeInteger(stride) || stride < 1) fail('no such stride', 'a whole number from 1', String(stride))
    // As torch has it: so every window sees some of the picture.
    if (!Number.isSafeInteger(padding) || padding < 0 || padding > kernel / 2)
      fail('padding is impossible', `a whole number from 0, at most half the kernel's ${kernel}`, String(padding))
    const rows = poolAxis(x.shape, params, 0)
    const columns = poolAxis(x.shape, params, 1)
    if (rows.out < 1 || columns.out < 1)
      fail('kernel is larger than the padded picture', `at most x ${showShape(x.shape)} and its padding`, `${kernel}`)
    return [{ shape: [x.shape[0], rows.out, columns.out, x.shape[3]], dtype: 'f32' }]
  },

  flops: (_inputs, [out], { kernel }) => sizeOf(out.shape) * kernel ** 2,
}

export interface PoolOptions {
  kernel: number
  /** Default: the kernel, so that windows touch and do not overlap. */
  stride?: number
  /** On all sides, at most half the kernel; default 0. */
  padding?: number
}

export interface AvgPoolOptions extends PoolOptions {
  /** Whether the mean counts pixels of the padding (as zeros); default true, as in torch. */
  countIncludePad?: boolean
}

/**
 * Means of x [B, H, W, C] under windows of kernel x kernel pixels: f32 [B, H', W', C] with
 * H' = floor((H + 2 padding - kernel) / stride) + 1, W' likewise. Throws a ShapeError for sizes that do not fit.
 */
export function avgPool2d(x: Tensor, { countIncludePad = true, ...options }: AvgPoolOptions): Tensor {
  return pool(x, 'avg', options, countIncludePad)
}

/** The largest pixels under windows, NaN where a window sees one; sizes and errors as `avgPool2d`. */
export function maxPool2d(x: Tensor, options: PoolOptions): Tensor {
  return pool(x, 'max', options, false)
}

function pool(x: Tensor, kind: PoolParams['kind'], options: PoolOptions, countIncludePad: boolean): Tensor {
  const { kernel, stride = kernel, padding = 0 } = options
  return execute(poolOp, { x }, { kind, kernel, stride, padding, countIncludePad })[0]
}
