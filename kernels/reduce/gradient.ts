// Gradients of reductions and running sums.

import { gradient, type Tensor } from '../../tensor/index.js'
import { div, mul, sub } from '../elementwise/binary.js'
import { abs, affine, sign } from '../elementwise/unary.js'
import { reversed } from '../gather/reversed.js'
import { expand } from '../move/expand.js'
import { cumsum, cumsumOp } from './line.js'
import { mean, reducedCount, reduceOp, sum, type ReduceParams } from './reduce.js'

/** Gradients of x [...], from that of the result with its axes kept, y the result likewise. */
const derivatives: Record<ReduceParams['kind'], (g: Tensor, x: Tensor, y: Tensor, params: ReduceParams) => Tensor> = {
  sum: (g, x) => expand(g, x.shape),
  mean: (g, x, _, params) => expand(affine(g, 1 / reducedCount(x.shape, params), 0), x.shape),
  max: (g, x, y, params) => amongEqual(g, x, y, params),
  min: (g, x, y, params) => amongEqual(g, x, y, params),
  variance: (g, x, _, params) => {
    const deviation = sub(x, mean(x, { axes: params.axes, keepDims: true }))
    return mul(deviation, affine(g, 2 / reducedCount(x.shape, params), 0))
  },
}

/** Shared evenly among the elements that are equal to the result, as torch's amax does. */
function amongEqual(g: Tensor, x: Tensor, y: Tensor, { axes }: ReduceParams): Tensor {
  const equal = affine(abs(sign(sub(x, y))), -1, 1)
  return mul(equal, div(g, sum(equal, { axes, keepDims: true })))
}

export const reduceGradient = gradient(
  reduceOp,
  ({ inputs: { x }, outputs: [y], upstream: [g], params }) => {
    if (!g) return {}
    const kept = x.shape.map((size, axis) => (params.axes.includes(axis) ? 1 : size))
    const needsResult = params.kind === 'max' || params.kind === 'min'
    return { x: derivatives[params.kind](g.reshape(kept), x, needsResult ? y.reshape(kept) : y, params) }
  },
  ({ kind }) => (kind === 'sum' || kind === 'mean' ? [] : kind === 'variance' ? ['x'] : ['x', 'outputs']),
)

/** Every element is part of all sums behind it. */
export const cumsumGradient = gradient(
  cumsumOp,
  ({ upstream: [g], params: { axis } }) => (g ? { x: reversed(cumsum(reversed(g, axis), axis), axis) } : {}),
  () => [],
)
