// Gradients of convolutions. With respect to the picture: a convolution with the weight seen from its other end, or with
// strides a transposed convolution. With respect to the weight: for each tap a product over all pixels. Activations are
// not fused while a tape records (see conv.ts).

import { execute, gradient, scope, UsageError, type Shape, type Tensor } from '../../tensor/index.js'
import { convTranspose2d } from '../conv-transpose/conv-transpose.js'
import { cast } from '../elementwise/cast.js'
import { reversed } from '../gather/reversed.js'
import { matmul } from '../matmul/matmul.js'
import { cat } from '../move/cat.js'
import { permute } from '../move/permute.js'
import { slice } from '../move/slice.js'
import { padAxis } from '../move/spread.js'
import { sum } from '../reduce/reduce.js'
import { convOp, convSizes, type ConvAxis, type ConvParams, type ConvSizes } from './conv.js'

const axesOf = ({ frames, rows, columns }: ConvSizes) => [frames, rows, columns] as const

/**
 * A range of one axis, any of which may lie outside of it: zeros there.
 * @param start of the range, negative before the axis begins
 */
function window(x: Tensor, axis: number, start: number, count: number): Tensor {
  const size = x.shape[axis]
  const [first, last] = [start, start + count].map(n => Math.min(Math.max(n, 0), size))
  const inside = slice(x, axis, first, last)
  return start >= 0 && start + count <= size
    ? inside
    : padAxis(inside, axis, Math.max(first - start, 0), start + count - Math.max(last, start))
}

/** [O, taps, C / groups] for pictures of O channels: [C, taps, O / groups], the last tap first. */
function turnedWeight(weight: Tensor, { groups, channels, outChannels }: ConvSizes): Tensor {
  const inner = [channels / groups, outChannels / groups]
  const turned = reversed(weight.reshape([groups, inner[1], -1, inner[0]]), 2)
  return permute(turned, [0, 3, 2, 1]).reshape([channels, ...weight.shape.slice(1, 4), inner[1]])
}

/** The gradient with respect to x without strides. */
function pictureGradient(g: Tensor, weight: Tensor, sizes: ConvSizes): Tensor {
  const [frames, rows, columns] = axesOf(sizes).map(({ size, kernel, before, out }) => ({
    before: kernel - 1 - before,
    after: size - out + before,
  }))
  const params: ConvParams = { stride: 1, padding: [frames, rows, columns], groups: sizes.groups, activation: 'none' }
  return execute(convOp, { x: g, weight: turnedWeight(weight, sizes) }, params)[0]
}

/** The gradient with respect to x of a picture with strides: every pixel of g paints what it has seen. */
function paintedGradient(g: Tensor, weight: Tensor, sizes: ConvSizes, { stride }: ConvParams): Tensor {
  const { batch, frames, rows, columns, channels, outChannels, groups } = sizes
  if (frames.kernel > 1)
    throw new UsageError({ where: 'conv', what: 'a video convolution with strides has no gradient' })
  const pictures = g.reshape([-1, rows.out, columns.out, outChannels])
  const whole = (kernels: Tensor, axis: number, { kernel }: ConvAxis) =>
    padAxis(kernels, axis, 0, Math.max(0, stride - kernel))
  const painted = Array.from({ length: groups }, (_, group) => {
    const of = (x: Tensor, axis: number) =>
      slice(x, axis, (group * outChannels) / groups, ((group + 1) * outChannels) / groups)
    const taps = of(weight, 0).reshape([-1, rows.kernel, columns.kernel, channels / groups])
    const turned = permute(taps, [3, 1, 2, 0]) // [C/groups,kh,kw,O/groups]
    return convTranspose2d(of(pictures, 3), whole(whole(turned, 1, rows), 2, columns), { stride })
  })
  const all = window(cat(painted, 3), 1, rows.before, rows.size)
  return window(all, 2, columns.before, columns.size).reshape([batch, frames.size, rows.size, columns.size, channels])
}

/**
 * The gradient of a convolution with respect to its weight, [O, kf, kh, kw, C / groups].
 * @param x [B, F, H, W, C]
 * @param g gradient of the output, [B, F', H', W', O]
 */
export function weightGradient(x: Tensor, g: Tensor, sizes: ConvSizes): Tensor {
  const { channels, outChannels, groups } = sizes
  const axes = axesOf(sizes)
  const inner = [channels / groups, outChannels / groups]
  const matrix = permute(g.reshape([-1, outChannels]), [1, 0]).reshape([groups, inner[1], -1]) // [G,O/G,P]
  const visit = (seen: Tensor, axis: number): Tensor[] => {
    if (axis === 3) {
      const pixels = permute(seen.reshape([-1, groups, inner[0]]), [1, 0, 2]) // [G,P,C/G]
      return [matmul(matrix, pixels).reshape([outChannels, 1, inner[0]])]
    }
    const { kernel, stride, before, out } = axes[axis]
    const reach = stride * (out - 1) + 1
    const throughTap = (tap: number) =>
      scope(() => visit(slice(window(seen, 1 + axis, tap - before, reach), 1 + axis, 0, reach, stride), axis + 1))
    return Array.from({ length: kernel }, (_, tap) => throughTap(tap)).flat()
  }
  return cat(visit(x, 0), 1).reshape([outChannels, ...axes.map(({ kernel }) => kernel), inner[0]])
}

/** Sums of g [B, ..., O] over all but S runs of batches and the channels: [S, O]. */
export function shiftGradient(g: Tensor, shape: Shape): Tensor {
  return sum(g.reshape([shape[0], -1, shape[1]]), { axes: [1] })
}

export const convGradient = gradient(
  convOp,
  ({ inputs: { x, weight, bias, shift }, upstream: [g], params, needs }) => {
    if (params.activation !== 'none')
      throw new UsageError({ where: 'conv', what: 'a fused activation has no gradient', got: params.activation })
    if (!g) return {}
    const sizes = convSizes(x.shape, weight.shape, params)
    const found: { x?: Tensor; weight?: Tensor; bias?: Tensor; shift?: Tensor; residual?: Tensor } = {}
    // Operands are rearranged element by element, which not every device can do with narrow ones.
    if (needs.has('x')) {
      const wide = cast(weight, 'f32')
      found.x = params.stride === 1 ? pictureGradient(g, wide, sizes) : paintedGradient(g, wide, sizes, params)
    }
    if (needs.has('weight')) found.weight = weightGradient(cast(x, 'f32'), g, sizes)
    if (bias && needs.has('bias')) found.bias = shiftGradient(g, [1, sizes.outChannels]).reshape(bias.shape)
    if (shift && needs.has('shift')) found.shift = shiftGradient(g, shift.shape)
    if (needs.has('residual')) found.residual = g
    return found
  },
  (_, needs) => [...(needs.has('x') ? (['weight'] as const) : []), ...(needs.has('weight') ? (['x'] as const) : [])],
)
