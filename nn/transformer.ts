// Transformer blocks: over the positions of a picture, and over the frames of a video.
// Ported from huggingface/diffusers: models/attention.py (BasicTransformerBlock, TemporalBasicTransformerBlock). What
// differs: residuals are fused; the temporal block keeps video as [B,F,P,C] and takes the context once per video.

import { add } from '../kernels/index.js'
import { scope as release, type Tensor } from '../tensor/index.js'
import { Attention } from './attention.js'
import { overAxis, overPictures } from './chunks.js'
import { FeedForward } from './feed-forward.js'
import { into } from './into.js'
import { LayerNorm } from './layers.js'
import type { WeightScope } from './weights.js'

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

  /** x [B,N,C], or [B,F,P,C] to attend over frames; context [Bk,M,D], shared by B / Bk neighbours. */
  protected layers(x: Tensor, context: Tensor): Tensor {
    const attended = into(this.norm1.forward(x), norm => this.attn1.forward(norm, x))
    const informed = into(attended, h => this.cross(h, context))
    return into(informed, h => into(this.norm3.forward(h), norm => this.ff.forward(norm, h)))
  }

  private cross(h: Tensor, context: Tensor): Tensor {
    if (context.shape[1] === 1) return this.attn2.forwardOneToken(h, context)
    // Positions are independent of each other here, so frames and positions are one axis.
    const [batch, channels] = [h.shape[0], h.shape[h.shape.length - 1]]
    using rows = h.reshape([batch, -1, channels]) // [B,F P,C]
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

  /** x [B F,P,C], context [B,M,D], shared by the frames of a video. */
  forward(x: Tensor, context: Tensor): Tensor {
    const [, positions, channels] = x.shape
    const width = positions * FeedForward.expansion * channels
    const forward = (x: Tensor, context: Tensor) => release(() => this.layers(x, context))
    return this.scope.observe(overPictures(x, context, width, this.scope.chunkBytes, forward))
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

  /** x [B,F,P,C]; context [B,M,D]; position [F,1,C] is added to x first. */
  forward(x: Tensor, context: Tensor, position: Tensor): Tensor {
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
