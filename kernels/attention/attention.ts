// Scaled dot-product attention, fused in the manner of flash attention (Dao et al. 2022, algorithm 1): the scores are
// never in memory as a whole.

import { execute, ShapeError, showShape, sizeOf, type Op, type Shape, type Tensor } from '../../tensor/index.js'
import { assertFloat } from '../common/operand.js'

export interface AttentionOperands {
  /** [B, Nq, C] or [B, Nq, P, C] */
  q: unknown
  /** [Bk, Nk, C] or [Bk, Nk, Pk, C] */
  k: unknown
  /** [Bk, Nk, Cv] or [Bk, Nk, Pk, Cv] */
  v: unknown
  /** [Nq, Nk] */
  mask?: unknown
}

export interface AttentionParams {
  readonly heads: number
  /** What the scores are multiplied by, before the mask is added. */
  readonly scale: number
  /** Query n sees keys 0..n only. */
  readonly causal: boolean
}

/** Sizes of an attention whose operands have been checked. */
export interface AttentionSizes {
  readonly batch: number
  readonly queries: number
  /** Positions along the third axis of q, each attended by itself; 1 for operands of three axes. */
  readonly positions: number
  readonly heads: number
  /** Channels of one head in q and k. */
  readonly width: number
  readonly kvBatch: number
  readonly keys: number
  /** `positions`, or 1 where all positions share keys and values. */
  readonly kvPositions: number
  /** Channels of one head in v and the output. */
  readonly valueWidth: number
}

/** The sizes of an attention whose operands have been checked. */
export function attentionSizes(q: Shape, k: Shape, v: Shape, { heads }: AttentionParams): AttentionSizes {
  const [batch, queries] = q
  const [kvBatch, keys] = k
  return {
    batch,
    queries,
    positions: sizeOf(q.slice(2, -1)),
    heads,
    width: q[q.length - 1] / heads,
    kvBatch,
    keys,
    kvPositions: sizeOf(k.slice(2, -1)),
    valueWidth: v[v.length - 1] / heads,
  }
}

export const attentionOp: Op<AttentionOperands, AttentionParams> = {
  name: 'attention',

  infer({ q, k, v, mask }, params) {
    const fail = (what: string, expected: string, got: Shape | number): never => {
      throw new ShapeError({
        where: 'attention',
        what,
        expected,
        got: typeof got === 'number' ? String(got) : showShape(got),
      })
    }
    for (const [name, operand] of Object.entries({ q, k, v, mask }))
      if (operand) assertFloat('attention', name, operand)
    const { heads, scale } = params
    if (q.shape.length !== 3 && q.shape.length !== 4) fail('q has the wrong axes', '[B, N, C] or [B, N, P, C]', q.shape)
    if (k.shape.length !== q.shape.length) fail('k has other axes than q', showShape(q.shape), k.shape)
    if (String(v.shape.slice(0, -1)) !== String(k.shape.slice(0, -1)))
      fail('k and v differ', `${showShape(k.shape)} up to the last axis`, v.shape)
    if (!Number.isInteger(heads) || heads < 1) fail('heads cannot be counted', 'a whole number from 1', heads)
    const { batch, queries, positions, width, kvBatch, keys, kvPositions, valueWidth } = attentionSizes(
      q.shape,
      k.shape,
      v.shape,
      params,
    )
    const channels = q.shape[q.shape.length - 1]
    if (k.shape[k.shape.length - 1] !== channels)
      fail('channels of k differ from those of q', String(channels), k.shape)
    if (!Number.isInteger(width) || width < 1)
      fail('channels of q do not divide', `a multiple of ${heads} heads`, q.shape)
    if (!Number.isInteger(valueWidth) || valueWidth < 1)
      fail('channels of v do not divide', `a multiple of ${heads} heads`, v.shape)
    if (!Number.isFinite(scale)) fail('scale is not finite', 'a number', scale)
    if (keys < 1) fail('nothing to attend to', 'at least one key', k.shape)
    if (kvBatch < 1 || batch % kvBatch !== 0) fail('batches of k do not fit', `a divisor of ${batch}`, kvBatch)
    if (kvPositions !== 1 && kvPositions !== positions)
      fail('positions of k do not fit', positions === 1 ? '1' : `${positions} or 1`, kvPositions)
    if (mask && String(mask.shape) !== String([queries, keys]))
      fail('mask does not fit', showShape([queries, keys]), mask.shape)
    return [{ shape: [...q.shape.slice(0, -1), valueWidth * heads], dtype: 'f32' }]
  },

  // As if nothing were masked.
  flops({ q, k, v }, _outputs, params) {
    const { batch, queries, positions, heads, width, keys, valueWidth } = attentionSizes(
      q.shape,
      k.shape,
      v.shape,
      params,
    )
    return 2 * batch * queries * positions * heads * keys * (width + valueWidth)
  },
}

export interface AttentionOptions {
  /** Heads lie side by side in the channels: head h has channels [h C / heads, (h + 1) C / heads). */
  heads: number
  /** Default 1 / sqrt(C / heads). */
  scale?: number
  /** Query n sees keys 0..n only, as torch's is_causal. */
  causal?: boolean
  /** [Nq, Nk], added to the scaled scores; -Infinity hides a key. A query that sees no key gives NaN, as in torch. */
  mask?: Tensor
}

/**
 * softmax(scale q k^T + mask) v for every head. q [B, Nq, C], k [Bk, Nk, C], v [Bk, Nk, Cv] give f32 [B, Nq, Cv]; Bk
 * divides B, and query batch b attends to batch floor(b Bk / B). With a third axis of positions, q [B, Nq, P, C], every
 * position attends along axis 1 by itself (attention over the frames of a video); those of k and v are P or 1.
 * Throws a ShapeError when operands do not fit.
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): Tensor {
  const { heads, causal = false, mask } = options
  const scale = options.scale ?? Math.sqrt(heads / q.shape[q.shape.length - 1])
  return execute(attentionOp, { q, k, v, mask }, { heads, scale, causal })[0]
}
