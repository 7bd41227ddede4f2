// Transformer blocks: over the positions of a picture, and over the frames of a video.
// Ported from huggingface/diffusers: models/attention.py (BasicTransformerBlock, TemporalBasicTransformerBlock). What
// differs: residuals are fused; the context comes prepared; the temporal block keeps video as [B,F,P,C] and takes the
// context once per video.

import { add } from '../kernels/index.js'
import { scope as release, type Tensor } from '../tensor/index.js'
import { Attention, contextRows, mapContext, type AttentionContext } from './attention.js'
import { overAxis, overPictures, type Own } from './chunks.js'
import { FeedForward } from './feed-forward.js'
import { into } from './into.js'
import { LayerNorm } from './layers.js'
import type { WeightScope } from './weights.js'

/** Sizes of a transformer block. */
export interface TransformerBlockOptions {
  channels: number
  heads: number
  /** Channels of the context. */
  contextChannels: number
}

/** What both blocks do: self-attention, cross-attention, feed-forward, each behind a LayerNorm and with a residual. */
class TransformerLayers {
  readonly norm1: LayerNorm
  readonly attn1: Attention
  readonly norm2: LayerNorm
  readonly attn2: Attention
  readonly norm3: LayerNorm
  readonly ff: FeedForward

  constructor(scope: WeightScope, { channels, heads, contextChannels }: TransformerBlockOptions) {
    this.norm1 = new LayerNorm(scope.at('norm1'), channels)
    this.attn1 = new Attention(scope.at('attn1'), { channels, heads })
    this.norm2 = new LayerNorm(scope.at('norm2'), channels)
    this.attn2 = new Attention(scope.at('attn2'), { channels, heads, contextChannels })
    this.norm3 = new LayerNorm(scope.at('norm3'), channels)
    this.ff = new FeedForward(scope.at('ff'), channels)
  }

  /** What cross-attention makes of a context [Bk,M,D], for as long as that stays the same. */
  prepare(context: Tensor): AttentionContext {
    return this.attn2.prepare(context)
  }

  /** x [B,N,C], or [B,F,P,C] to attend over frames; a context of Bk rows, each shared by B / Bk neighbours. */
  protected layers(x: Tensor, context: AttentionContext): Tensor {
    const attended = into(this.norm1.forward(x), norm => this.attn1.forward(norm, x))
    const informed = into(attended, h => this.cross(h, context))
    return into(informed, h => into(this.norm3.forward(h), norm => this.ff.forward(norm, h)))
  }

  private cross(h: Tensor, context: AttentionContext): Tensor {
    const channels = h.shape[h.shape.length - 1]
    if ('answer' in context) {
      using rows = h.reshape([context.answer.shape[0], -1, channels]) // [Bk,N B/Bk,C]
      return into(add(rows, context.answer), informed => informed.reshape(h.shape))
    }
    // Positions are independent of each other here, so frames and positions are one axis.
    using rows = h.reshape([h.shape[0], -1, channels]) // [B,F P,C]
    const informed = into(this.norm2.forward(rows), norm => this.attn2.forward(norm, rows, context))
    return into(informed, rows => rows.reshape(h.shape))
  }
}

/** A block over the positions of each picture. */
export class BasicTransformerBlock extends TransformerLayers {
  constructor(
    private readonly scope: WeightScope,
    options: TransformerBlockOptions,
  ) {
    super(scope, options)
  }

  /** x [B F,P,C]; context: prepared of B rows, each shared by the frames of a video. */
  forward(x: Tensor, context: AttentionContext): Tensor {
    const [, positions, channels] = x.shape
    const width = positions * FeedForward.expansion * channels
    const forward = (x: Tensor, own: Own) => release(() => this.layers(x, mapContext(context, own)))
    return this.scope.observe(overPictures(x, contextRows(context), width, this.scope.chunkBytes, forward))
  }
}

/** A block over the frames of each position, behind one more feed-forward layer. */
export class TemporalBasicTransformerBlock extends TransformerLayers {
  readonly norm_in: LayerNorm
  readonly ff_in: FeedForward

  constructor(
    private readonly scope: WeightScope,
    options: TransformerBlockOptions,
  ) {
    super(scope, options)
    this.norm_in = new LayerNorm(scope.at('norm_in'), options.channels)
    this.ff_in = new FeedForward(scope.at('ff_in'), options.channels)
  }

  /** x [B,F,P,C]; context: prepared of B rows; position [F,1,C] is added to x first. */
  forward(x: Tensor, context: AttentionContext, position: Tensor): Tensor {
    const [videos, frames, , channels] = x.shape
    const width = videos * frames * FeedForward.expansion * channels
    const forward = (x: Tensor) =>
      release(() => {
        const placed = add(x, position)
        const h = into(placed, x => into(this.norm_in.forward(x), norm => this.ff_in.forward(norm, x)))
        return into(h, h => this.layers(h, context))
      })
    return this.scope.observe(overAxis(x, 2, width, this.scope.chunkBytes, forward))
  }
}
