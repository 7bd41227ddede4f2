// Attention with its four projections, under diffusers' names.
// Ported from huggingface/diffusers: models/attention_processor.py (Attention). What differs: residual fused into the
// last projection; a context of one token takes a short cut.

import { add, attention } from '../kernels/index.js'
import { scope as release, type Tensor } from '../tensor/index.js'
import { Linear } from './layers.js'
import type { WeightScope } from './weights.js'

export interface AttentionOptions {
  /** Channels of the queries and of the result. */
  channels: number
  heads: number
  /** Channels of the context; default: those of the queries (self-attention). */
  contextChannels?: number
  /** Whether to_q, to_k and to_v have a bias; to_out.0 has one always. Default: false. */
  bias?: boolean
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
   * Attends from x to the context and adds `residual` (shape of x). x [B,N,C] with context [Bk,M,D] (Bk divides B); for
   * self-attention also x [B,F,P,C], which attends over F for each P. Default context: x.
   */
  forward(x: Tensor, residual: Tensor, context = x): Tensor {
    return release(() => {
      const q = this.to_q.forward(x)
      const k = this.to_k.forward(context)
      const v = this.to_v.forward(context)
      const attended = attention(q, k, v, { heads: this.#heads })
      for (const operand of [q, k, v]) operand.dispose()
      return this.to_out[0].forward(attended, { residual })
    })
  }

  /**
   * The same for a context [Bk,1,D] of a single token, whose softmax is 1 whatever the queries are: every position gets
   * to_out(to_v(context)). Stable Video Diffusion has such a context, and this saves it 4 % of its work.
   */
  forwardOneToken(residual: Tensor, context: Tensor): Tensor {
    return release(() => {
      const value = this.to_out[0].forward(this.to_v.forward(context)) // [Bk,1,C]
      const [batches, , channels] = value.shape
      const rows = residual.reshape([batches, -1, channels]) // [Bk,N B/Bk,C]
      return add(rows, value).reshape(residual.shape)
    })
  }
}
