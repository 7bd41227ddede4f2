// Attention with its four projections, under diffusers' names.
// Ported from huggingface/diffusers: models/attention_processor.py (Attention). What differs: residual fused into the
// last projection; what depends on the context alone can be made ahead; a context of one token takes a short cut.

import { attention } from '../kernels/index.js'
import { scope as release, type Tensor } from '../tensor/index.js'
import { Linear } from './layers.js'
import type { WeightScope } from './weights.js'

/** Sizes of an attention layer. */
export interface AttentionOptions {
  /** Channels of the queries and of the result. */
  channels: number
  heads: number
  /** Channels of the context; default: those of the queries (self-attention). */
  contextChannels?: number
  /** Whether to_q, to_k and to_v have a bias; to_out.0 has one always. Default: false. */
  bias?: boolean
}

/** Projections of a context, [Bk,M,C]. */
export interface KeysAndValues {
  readonly keys: Tensor
  readonly values: Tensor
}

/**
 * What an attention makes of a context alone, the same for all queries: keys and values; or, of a context of one token,
 * the answer that every query gets, [Bk,1,C], since its softmax is 1 whatever the query is.
 */
export type AttentionContext = KeysAndValues | { readonly answer: Tensor }

/** f of every tensor of a context. */
export function mapContext(context: AttentionContext, f: (tensor: Tensor) => Tensor): AttentionContext {
  if ('answer' in context) return { answer: f(context.answer) }
  return { keys: f(context.keys), values: f(context.values) }
}

/** Bk: how many rows a context has. */
export function contextRows(context: AttentionContext): number {
  return ('answer' in context ? context.answer : context.keys).shape[0]
}

/** Multi-head attention. */
export class Attention {
  readonly to_q: Linear
  readonly to_k: Linear
  readonly to_v: Linear
  readonly to_out: readonly [Linear]
  readonly #heads: number

  constructor(scope: WeightScope, { channels, heads, contextChannels = channels, bias = false }: AttentionOptions) {
    this.to_q = new Linear(scope.at('to_q'), channels, channels, { bias })
    this.to_k = new Linear(scope.at('to_k'), contextChannels, channels, { bias })
    this.to_v = new Linear(scope.at('to_v'), contextChannels, channels, { bias })
    this.to_out = [new Linear(scope.at('to_out.0'), channels, channels)]
    this.#heads = heads
  }

  /**
   * What it makes of a context [Bk,M,D]. Of a single token that is to_out(to_v(context)): Stable Video Diffusion has
   * such a context, which saves it 4 % of its work.
   */
  prepare(context: Tensor): AttentionContext {
    if (context.shape[1] > 1) return this.#project(context)
    return release(() => ({ answer: this.to_out[0].forward(this.to_v.forward(context)) }))
  }

  /**
   * Attends from x to a context and adds `residual` (shape of x). x [B,N,C], where the context has Bk rows and Bk
   * divides B. Without a context x attends to itself; then it may also be [B,F,P,C], which attends over F for each P.
   */
  forward(x: Tensor, residual: Tensor, context?: KeysAndValues): Tensor {
    return release(() => {
      const q = this.to_q.forward(x)
      const own = context ? undefined : this.#project(x)
      const { keys, values } = context ?? own!
      const attended = attention(q, keys, values, { heads: this.#heads })
      for (const operand of [q, own?.keys, own?.values]) operand?.dispose()
      return this.to_out[0].forward(attended, { residual })
    })
  }

  #project(context: Tensor): KeysAndValues {
    return { keys: this.to_k.forward(context), values: this.to_v.forward(context) }
  }
}
