// The gradient of attention, by products: scores are computed anew, a piece at a time, so that they are never in memory
// as a whole (Dao et al. 2022, algorithm 4).

import { gradient, ShapeError, showShape, Tensor } from '../../tensor/index.js'
import { add, mul, sub } from '../elementwise/binary.js'
import { cast } from '../elementwise/cast.js'
import { affine } from '../elementwise/unary.js'
import { linear, matmul } from '../matmul/matmul.js'
import { cat } from '../move/cat.js'
import { permute } from '../move/permute.js'
import { slice } from '../move/slice.js'
import { sum } from '../reduce/reduce.js'
import { softmax } from '../softmax/softmax.js'
import { attentionOp, attentionSizes, type AttentionSizes } from './attention.js'

/** Scores of a piece, at most: they stay in a CPU's caches, and are enough to keep a GPU busy. */
const pieceElements = 2 ** 20

/** What a piece of the way back is computed from: [G, rows, channels] each, and the scores' mask. */
interface Piece {
  readonly q: Tensor
  readonly k: Tensor
  readonly v: Tensor
  /** Gradient of the output, and the sum of its products with the output, [G, rows, 1]. */
  readonly up: Tensor
  readonly along: Tensor
  /** [rows or 1, Nk], added to the scores. */
  readonly mask?: Tensor
}

/** Gradients of a piece, with respect to the scaled queries, keys and values. */
function pieceGradients({ q, k, v, up, along, mask }: Piece): { q: Tensor; k: Tensor; v: Tensor } {
  const scores = linear(q, k) // [G,rows,Nk]
  const weights = softmax(mask ? add(scores, mask) : scores)
  const ofScores = mul(weights, sub(linear(up, v), along))
  const turned = (x: Tensor) => permute(x, [0, 2, 1])
  return { q: matmul(ofScores, k), k: matmul(turned(ofScores), q), v: matmul(turned(weights), up) }
}

/**
 * Queries with all rows that see the same keys together: [B, Nq, P, H D] to [Bk Pk H, (B / Bk) (P / Pk) Nq, D].
 * Axes are split into (Bk, B / Bk), Nq, (Pk, P / Pk), H, D on the way.
 */
function gathered(x: Tensor, { batch, queries, positions, heads, kvBatch, kvPositions }: AttentionSizes): Tensor {
  const split = [kvBatch, batch / kvBatch, queries, kvPositions, positions / kvPositions, heads, -1]
  const rows = (batch / kvBatch) * (positions / kvPositions) * queries
  // In f32: not every device can rearrange narrow elements.
  return permute(cast(x, 'f32').reshape(split), [0, 3, 5, 1, 4, 2, 6]).reshape([
    kvBatch * kvPositions * heads,
    rows,
    -1,
  ])
}

/** The way back from `gathered`, to a shape. */
function scattered(x: Tensor, sizes: AttentionSizes, shape: readonly number[]): Tensor {
  const { batch, queries, positions, heads, kvBatch, kvPositions } = sizes
  const split = [kvBatch, kvPositions, heads, batch / kvBatch, positions / kvPositions, queries, -1]
  return permute(x.reshape(split), [0, 3, 5, 1, 4, 2, 6]).reshape(shape)
}

/** The mask of all rows, [Nq, Nk]: the operand, or that of a causal attention. */
function maskOf(mask: Tensor | undefined, { queries, keys }: AttentionSizes, causal: boolean, like: Tensor) {
  if (!causal) return mask
  const hidden = Float32Array.from({ length: queries * keys }, (_, i) =>
    i % keys > Math.floor(i / keys) ? -Infinity : 0,
  )
  const triangle = Tensor.from(like.runtime, hidden, [queries, keys], 'f32', 'causal mask')
  return mask ? add(mask, triangle) : triangle
}

export const attentionGradient = gradient(
  attentionOp,
  ({ inputs, outputs: [out], upstream: [up], params, needs }) => {
    if (!up) return {}
    const { q, k, v } = inputs
    if (needs.has('mask'))
      throw new ShapeError({ where: 'attention', what: 'a mask has no gradient', got: showShape(inputs.mask!.shape) })
    const sizes = attentionSizes(q.shape, k.shape, v.shape, params)
    const ofKeys = { ...sizes, batch: sizes.kvBatch, queries: sizes.keys, positions: sizes.kvPositions }
    const all = {
      q: gathered(affine(q, params.scale, 0), sizes),
      k: gathered(k, ofKeys),
      v: gathered(v, ofKeys),
      up: gathered(up, sizes),
      out: gathered(out, sizes),
    }
    const along = sum(mul(all.up, all.out), { axes: [2], keepDims: true })
    const mask = maskOf(inputs.mask, sizes, params.causal, q)
    const [groups, rows] = all.q.shape
    const { queries, keys } = sizes

    // Several groups whole, or parts of the rows of one; with a mask parts that lie in one run of queries.
    const groupsAtOnce = Math.max(1, Math.floor(pieceElements / (rows * keys)))
    const run = mask ? queries : rows
    const rowsAtOnce = groupsAtOnce > 1 && !mask ? rows : Math.min(run, Math.max(1, Math.floor(pieceElements / keys)))
    const found: { q: Tensor; k: Tensor; v: Tensor }[] = []
    for (let group = 0; group < groups; group += groupsAtOnce) {
      const [from, to] = [group, Math.min(groups, group + groupsAtOnce)]
      const [ks, vs] = [slice(all.k, 0, from, to), slice(all.v, 0, from, to)]
      const pieces: { q: Tensor; k: Tensor; v: Tensor }[] = []
      for (let start = 0; start < rows; start += run)
        for (let row = start; row < start + run; row += rowsAtOnce) {
          const end = Math.min(start + run, row + rowsAtOnce)
          const part = (x: Tensor) => slice(slice(x, 0, from, to), 1, row, end)
          const own = mask && slice(mask, 0, row - start, end - start)
          pieces.push(pieceGradients({ q: part(all.q), k: ks, v: vs, up: part(all.up), along: part(along), mask: own }))
        }
      found.push({
        q: cat(
          pieces.map(piece => piece.q),
          1,
        ),
        k: pieces.map(piece => piece.k).reduce((a, b) => add(a, b)),
        v: pieces.map(piece => piece.v).reduce((a, b) => add(a, b)),
      })
    }
    const joined = (name: 'q' | 'k' | 'v') =>
      cat(
        found.map(part => part[name]),
        0,
      )
    return {
      q: affine(scattered(joined('q'), sizes, q.shape), params.scale, 0),
      k: scattered(joined('k'), ofKeys, k.shape),
      v: scattered(joined('v'), ofKeys, v.shape),
    }
  },
  () => ['q', 'k', 'v', 'mask', 'outputs'],
)
