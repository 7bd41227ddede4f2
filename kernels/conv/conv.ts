// Convolution of pictures and videos, channels last, with a fused epilogue.

import {
  execute,
  isTracked,
  scope,
  ShapeError,
  showShape,
  sizeOf,
  type Op,
  type Shape,
  type Tensor,
} from '../../tensor/index.js'
import type { Activation } from '../common/activations.js'
import { assertFloat } from '../common/operand.js'
import { add } from '../elementwise/binary.js'
import { activate } from '../elementwise/unary.js'
import { linear } from '../matmul/matmul.js'

export interface ConvOperands {
  /** [B, F, H, W, C] */
  x: unknown
  /** [O, kf, kh, kw, C / groups] */
  weight: unknown
  /** [O] */
  bias?: unknown
  /** [S, O]; S divides B, and batch b adds row floor(b S / B). */
  shift?: unknown
  /** The shape of the output. */
  residual?: unknown
}

/** Zeros on both sides of an axis. */
export interface Margin {
  readonly before: number
  readonly after: number
}

export interface ConvParams {
  /** Steps along H and W; along F it is 1. */
  readonly stride: number
  /** Along F, H and W. */
  readonly padding: readonly [frames: Margin, rows: Margin, columns: Margin]
  readonly groups: number
  /** Applied to the convolution + bias + shift. */
  readonly activation: Activation
}

/**
 * One axis of a convolution: output i reads inputs i stride - before + (0 .. kernel - 1), zero outside 0 .. size - 1.
 */
export interface ConvAxis {
  readonly size: number
  readonly kernel: number
  readonly stride: number
  readonly before: number
  readonly out: number
}

export interface ConvSizes {
  readonly batch: number
  readonly frames: ConvAxis
  readonly rows: ConvAxis
  readonly columns: ConvAxis
  readonly channels: number
  readonly outChannels: number
  readonly groups: number
}

/** The sizes of a convolution whose operands have been checked. */
export function convSizes(x: Shape, weight: Shape, { stride, padding, groups }: ConvParams): ConvSizes {
  const [frames, rows, columns] = padding.map(({ before, after }, i): ConvAxis => {
    const size = x[1 + i]
    const kernel = weight[1 + i]
    const step = i === 0 ? 1 : stride
    return { size, kernel, stride: step, before, out: Math.floor((size + before + after - kernel) / step) + 1 }
  })
  return { batch: x[0], frames, rows, columns, channels: x[4], outChannels: weight[0], groups }
}

export const convOp: Op<ConvOperands, ConvParams> = {
  name: 'conv',

  infer({ x, weight, bias, shift, residual }, params) {
    const fail = (what: string, expected: string, got: Shape | number): never => {
      const text = typeof got === 'number' ? String(got) : showShape(got)
      throw new ShapeError({ where: 'conv', what, expected, got: text })
    }
    for (const [name, operand] of Object.entries({ x, weight, bias, shift, residual }))
      if (operand) assertFloat('conv', name, operand)
    const { stride, padding, groups } = params
    if (x.shape.length !== 5) fail('x has the wrong axes', '[B, F, H, W, C]', x.shape)
    if (weight.shape.length !== 5) fail('weight has the wrong axes', '[O, kf, kh, kw, C / groups]', weight.shape)
    if (!Number.isInteger(stride) || stride < 1) fail('stride is impossible', 'a whole number from 1', stride)
    if (!Number.isInteger(groups) || groups < 1) fail('groups cannot be counted', 'a whole number from 1', groups)
    const [outChannels, ...kernel] = weight.shape
    const [batch, ...picture] = x.shape
    if (picture.includes(0)) fail('x has nothing in it', 'at least one frame, row, column and channel', x.shape)
    if (kernel.includes(0)) fail('weight has nothing in it', 'at least one tap and channel', weight.shape)
    if (x.shape[4] !== weight.shape[4] * groups)
      fail('channels of the weight do not fit', `C / ${groups} with x ${showShape(x.shape)}`, weight.shape)
    if (outChannels % groups !== 0) fail('output channels do not divide', `a multiple of ${groups} groups`, outChannels)
    // Narrower than the kernel, so that every output sees some of the picture and no padding makes outputs without end.
    padding.forEach(({ before, after }, i) => {
      for (const n of [before, after])
        if (!Number.isInteger(n) || n < 0 || n >= kernel[i])
          fail('padding is impossible', `a whole number from 0, below the kernel's ${kernel[i]}`, n)
    })
    const { frames, rows, columns } = convSizes(x.shape, weight.shape, params)
    if (frames.out < 1 || rows.out < 1 || columns.out < 1)
      fail('kernel is larger than the padded picture', `at most x ${showShape(x.shape)} and its padding`, weight.shape)
    if (bias && String(bias.shape) !== String([outChannels])) fail('bias does not fit', `[${outChannels}]`, bias.shape)
    if (shift && (shift.shape.length !== 2 || shift.shape[1] !== outChannels || batch % shift.shape[0] !== 0))
      fail('shift does not fit', `[S, ${outChannels}] where S divides ${batch}`, shift.shape)
    const shape = [batch, frames.out, rows.out, columns.out, outChannels]
    if (residual && String(residual.shape) !== String(shape))
      fail('residual does not fit', `the output's ${showShape(shape)}`, residual.shape)
    return [{ shape, dtype: 'f32' }]
  },

  // As if nothing were padding.
  flops: ({ weight }, [out]) => 2 * sizeOf(out.shape) * sizeOf(weight.shape.slice(1)),
}

/** What a convolution may fuse. */
export interface ConvOptions {
  /** [O] */
  bias?: Tensor
  /** [S, O] with S dividing B: batch b adds row floor(b S / B), after the bias and before the activation. */
  shift?: Tensor
  activation?: Activation
  /** Added at the very end; the shape of the output. */
  residual?: Tensor
}

export interface Conv2dOptions extends ConvOptions {
  /** Default 1. */
  stride?: number
  /** Zeros around the picture, on each side fewer than the kernel is wide; default 0. */
  padding?: number | { top: number; bottom: number; left: number; right: number }
  /** Default 1. */
  groups?: number
}

export interface Conv3dOptions extends ConvOptions {
  /** Zeros on both sides along F, H and W; default none. */
  padding?: readonly [number, number, number]
}

/**
 * Convolution of pictures: x [B, H, W, C], weight [O, kh, kw, C / groups]; then + bias, + shift, activation, +
 * residual. Result f32 [B, H', W', O] with H' = floor((H + top + bottom - kh) / stride) + 1, W' likewise.
 * Throws a ShapeError when operands do not fit.
 */
export function conv2d(x: Tensor, weight: Tensor, options: Conv2dOptions = {}): Tensor {
  const { bias, shift, residual, stride = 1, padding = 0, groups = 1, activation = 'none' } = options
  const sides = typeof padding === 'number' ? { top: padding, bottom: padding, left: padding, right: padding } : padding
  using video = withAxis('x', x)
  using kernel = withAxis('weight', weight)
  using added = residual && withAxis('residual', residual)
  using out = convolve(
    { x: video, weight: kernel, bias, shift, residual: added },
    {
      stride,
      padding: [
        { before: 0, after: 0 },
        { before: sides.top, after: sides.bottom },
        { before: sides.left, after: sides.right },
      ],
      groups,
      activation,
    },
  )
  const [batch, , ...picture] = out.shape
  return out.reshape([batch, ...picture]) // [B,H,W,O]
}

/**
 * Convolution of videos with stride 1: x [B, F, H, W, C], weight [O, kf, kh, kw, C]; then + bias, + shift, activation,
 * + residual. Result f32 [B, F', H', W', O]. Over time alone: weight [O, 3, 1, 1, C] and padding [1, 0, 0].
 * Throws a ShapeError when operands do not fit.
 */
export function conv3d(x: Tensor, weight: Tensor, options: Conv3dOptions = {}): Tensor {
  const { bias, shift, residual, padding = [0, 0, 0], activation = 'none' } = options
  const [frames, rows, columns] = padding.map(n => ({ before: n, after: n }))
  return convolve(
    { x, weight, bias, shift, residual },
    { stride: 1, padding: [frames, rows, columns], groups: 1, activation },
  )
}

/** A picture as a video of one frame, or a weight over one: an axis of 1 after the first. */
function withAxis(name: string, tensor: Tensor): Tensor {
  if (tensor.shape.length !== 4)
    throw new ShapeError({
      where: 'conv2d',
      what: `${name} has the wrong axes`,
      expected: name === 'weight' ? '[O, kh, kw, C / groups]' : '[B, H, W, C]',
      got: showShape(tensor.shape),
    })
  const [first, ...rest] = tensor.shape
  return tensor.reshape([first, 1, ...rest]) // [B,1,H,W,C]
}

interface Operands {
  x: Tensor
  weight: Tensor
  bias?: Tensor
  shift?: Tensor
  residual?: Tensor
}

function convolve(operands: Operands, params: ConvParams): Tensor {
  const { x, weight, bias, shift, residual } = operands
  const { stride, groups, activation } = params
  if (activation !== 'none' && isTracked(x, weight, bias, shift)) return unfused(operands, params)
  const [outChannels, kf, kh, kw, channels] = weight.shape
  // A kernel of one tap (whose padding is none) is a linear layer on every pixel.
  if (kf * kh * kw > 1 || stride > 1 || groups > 1 || shift) return execute(convOp, { ...operands }, params)[0]
  convOp.infer(operands, params) // so that messages speak of pictures, not of matrices
  using matrix = weight.reshape([outChannels, channels]) // [O,C]
  return linear(x, matrix, { bias, residual, activation })
}

/** In the parts that have a gradient, as a matrix product (see matmul.ts). */
function unfused({ residual, ...operands }: Operands, params: ConvParams): Tensor {
  return scope(() => {
    const outer = activate(convolve(operands, { ...params, activation: 'none' }), params.activation)
    return residual ? add(outer, residual) : outer
  })
}
