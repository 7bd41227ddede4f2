// Gradients of pooling. A mean gives every pixel under its window an equal share; the largest gives all to the first
// pixel that is as large, in reading order, as in torch.

import { gradient, Tensor } from '../../tensor/index.js'
import { add, mul, sub } from '../elementwise/binary.js'
import { abs, affine, sign } from '../elementwise/unary.js'
import { pad } from '../move/pad.js'
import { slice } from '../move/slice.js'
import { padAxis, spread } from '../move/spread.js'
import { avgPool2d, poolAxis, poolOp, type PoolParams } from './pool.js'

/** Elements of the window of one output along an axis that lie inside the picture. */
function seenBy(axis: ReturnType<typeof poolAxis>): number[] {
  const { size, kernel, stride, before, out } = axis
  return Array.from({ length: out }, (_, i) => {
    const start = i * stride - before
    return Math.min(start + kernel, size) - Math.max(start, 0)
  })
}

/** g [B, h, w, C] divided by what the windows' sums were divided by. */
function shares(g: Tensor, axes: readonly ReturnType<typeof poolAxis>[], params: PoolParams): Tensor {
  if (params.countIncludePad) return affine(g, 1 / params.kernel ** 2, 0)
  const [rows, columns] = axes.map(seenBy)
  const factors = rows.flatMap(n => columns.map(m => 1 / (n * m)))
  return mul(g, Tensor.from(g.runtime, factors, [1, rows.length, columns.length, 1]))
}

/** Elements of g a stride apart with zeros between and around them, along H and W: place i + before of the picture. */
function spreadOut(g: Tensor, axes: readonly ReturnType<typeof poolAxis>[]): Tensor {
  return axes.reduce((apart, { size, kernel, stride, before, out }, i) => {
    const reach = (out - 1) * stride + 1
    const single = slice(spread(apart, 1 + i, stride), 1 + i, 0, reach)
    return padAxis(single, 1 + i, kernel - 1, Math.max(0, size + before - reach))
  }, g)
}

/** The gradient of a mean: each pixel sees the outputs whose windows it is under, under a window of the same size. */
function ofMean(g: Tensor, axes: readonly ReturnType<typeof poolAxis>[], params: PoolParams): Tensor {
  const apart = spreadOut(shares(g, axes, params), axes)
  const sums = affine(avgPool2d(apart, { kernel: params.kernel, stride: 1 }), params.kernel ** 2, 0)
  return axes.reduce((all, { before, size }, i) => slice(all, 1 + i, before, before + size), sums)
}

/** The gradient of the largest: tap by tap, what is still to be given goes to where the pixel equals the output. */
function ofLargest(x: Tensor, y: Tensor, g: Tensor, axes: readonly ReturnType<typeof poolAxis>[]): Tensor {
  const reach = axes.map(({ stride, out }) => stride * (out - 1) + 1)
  const [rows, columns] = axes
  const lengths = axes.map(({ kernel }, i) => reach[i] + kernel - 1)
  const after = axes.map(({ size, before }, i) => Math.max(0, lengths[i] - before - size))
  const widths = [
    [0, 0],
    [rows.before, after[0]],
    [columns.before, after[1]],
    [0, 0],
  ] as const
  const padded = pad(x, widths, { value: -Infinity })
  const at = (z: Tensor, axis: number, tap: number) => slice(z, 1 + axis, tap, tap + reach[axis], axes[axis].stride)
  let left = g
  let given: Tensor | undefined
  for (let dy = 0; dy < rows.kernel; dy++)
    for (let dx = 0; dx < columns.kernel; dx++) {
      const equal = affine(abs(sign(sub(at(at(padded, 0, dy), 1, dx), y))), -1, 1)
      const gift = mul(left, equal)
      left = sub(left, gift)
      const placed = axes.reduce((z, { stride }, i) => {
        const tap = i === 0 ? dy : dx
        const single = slice(spread(z, 1 + i, stride), 1 + i, 0, reach[i])
        return padAxis(single, 1 + i, tap, padded.shape[1 + i] - tap - reach[i])
      }, gift)
      given = given ? add(given, placed) : placed
    }
  return axes.reduce((all, { before, size }, i) => slice(all, 1 + i, before, before + size), given!)
}

export const poolGradient = gradient(
  poolOp,
  ({ inputs: { x }, outputs: [y], upstream: [g], params }) => {
    if (!g) return {}
    const axes = [poolAxis(x.shape, params, 0), poolAxis(x.shape, params, 1)]
    return { x: params.kind === 'avg' ? ofMean(g, axes, params) : ofLargest(x, y, g, axes) }
  },
  ({ kind }) => (kind === 'avg' ? [] : ['x', 'outputs']),
)
