// The gradient of softmax and of its logarithm.

import { gradient } from '../../tensor/index.js'
import { mul, sub } from '../elementwise/binary.js'
import { exp } from '../elementwise/unary.js'
import { sum } from '../reduce/reduce.js'
import { softmaxOp } from './softmax.js'

export const softmaxGradient = gradient(
  softmaxOp,
  ({ outputs: [y], upstream: [g], params: { axis, log } }) => {
    if (!g) return {}
    const along = { axes: [axis], keepDims: true }
    if (log) return { x: sub(g, mul(exp(y), sum(g, along))) }
    return { x: mul(y, sub(g, sum(mul(g, y), along))) }
  },
  () => ['outputs'],
)
