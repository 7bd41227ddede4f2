// The gradient of the matrix product: two more products. Activations are not fused while a tape records (see matmul.ts),
// so what comes in is the gradient of a b + bias + residual.

import { gradient, UsageError, type Tensor } from '../../tensor/index.js'
import { cast } from '../elementwise/cast.js'
import { permute } from '../move/permute.js'
import { sum } from '../reduce/reduce.js'
import { linear, matmul, matmulOp } from './matmul.js'

/** The last two axes in the other order, f32 [..., C, R]: not every device can rearrange narrow elements. */
function transposed(x: Tensor): Tensor {
  const axes = x.shape.map((_, axis) => axis)
  return permute(cast(x, 'f32'), [...axes.slice(0, -2), axes.length - 1, axes.length - 2])
}

/** x^T y over all rows: [..., R, C] and [..., R, D] give [..., C, D], or [C, D] of all batches when shared. */
function productOfColumns(x: Tensor, y: Tensor, shared: boolean): Tensor {
  const [rows, columns] = shared ? [x, y].map(t => t.reshape([-1, t.shape[t.shape.length - 1]])) : [x, y]
  return matmul(transposed(rows), columns)
}

export const matmulGradient = gradient(
  matmulOp,
  ({ inputs: { a, b }, upstream: [g], params: { transposeB, activation }, needs }) => {
    if (activation !== 'none')
      throw new UsageError({ where: 'matmul', what: 'a fused activation has no gradient', got: activation })
    if (!g) return {}
    const found: { a?: Tensor; b?: Tensor; bias?: Tensor; residual?: Tensor } = {}
    const shared = b.shape.length === 2
    if (needs.has('a')) found.a = transposeB ? matmul(g, b) : linear(g, b) // [..., M, K]
    if (needs.has('b')) found.b = transposeB ? productOfColumns(g, a, shared) : productOfColumns(a, g, shared)
    if (needs.has('bias')) found.bias = sum(g, { axes: g.shape.slice(0, -1).map((_, axis) => axis) }) // [N]
    if (needs.has('residual')) found.residual = g
    return found
  },
  (_, needs) => [...(needs.has('a') ? (['b'] as const) : []), ...(needs.has('b') ? (['a'] as const) : [])],
)
