// The transformer of a video UNet's level: blocks over positions and blocks over frames, in turns.
// Ported from huggingface/diffusers: models/transformers/transformer_temporal.py (TransformerSpatioTemporalModel). What
// differs: channels last, so nothing is permuted; the sinusoids of the frame numbers come from outside.

import { scope as release, type Tensor } from '../tensor/index.js'
import { AlphaBlender } from './alpha-blender.js'
import { TimestepEmbedding } from './embeddings.js'
import { into } from './into.js'
import { GroupNorm, Linear } from './layers.js'
import { BasicTransformerBlock, TemporalBasicTransformerBlock, type TransformerBlockOptions } from './transformer.js'
import type { WeightScope } from './weights.js'

export interface SpatioTemporalTransformerOptions extends TransformerBlockOptions {
  /** Pairs of a spatial and a temporal block. */
  layers: number
}

/** Spatial and temporal attention over video, with a residual around all of it. */
export class TransformerSpatioTemporalModel {
  readonly norm: GroupNorm
  readonly proj_in: Linear
  readonly transformer_blocks: readonly BasicTransformerBlock[]
  readonly temporal_transformer_blocks: readonly TemporalBasicTransformerBlock[]
  readonly time_pos_embed: TimestepEmbedding
  readonly time_mixer: AlphaBlender
  readonly proj_out: Linear

  constructor(
    private readonly scope: WeightScope,
    { layers, ...block }: SpatioTemporalTransformerOptions,
  ) {
    const { channels } = block
    const numbers = Array.from({ length: layers }, (_, i) => i)
    this.norm = new GroupNorm(scope.at('norm'), channels, { eps: 1e-6 })
    this.proj_in = new Linear(scope.at('proj_in'), channels, channels)
    this.transformer_blocks = numbers.map(i => new BasicTransformerBlock(scope.at('transformer_blocks', i), block))
    this.temporal_transformer_blocks = numbers.map(
      i => new TemporalBasicTransformerBlock(scope.at('temporal_transformer_blocks', i), block),
    )
    this.time_pos_embed = new TimestepEmbedding(scope.at('time_pos_embed'), channels, 4 * channels, channels)
    this.time_mixer = new AlphaBlender(scope.at('time_mixer'))
    this.proj_out = new Linear(scope.at('proj_out'), channels, channels)
  }

  /** x [B F,H,W,C] to the same shape; context [B,M,D]; positions [F,C]: sinusoids of the frame numbers 0..F-1. */
  forward(x: Tensor, context: Tensor, positions: Tensor): Tensor {
    return this.scope.observe(
      release(() => {
        const [pictures, height, width, channels] = x.shape
        const frames = positions.shape[0]
        const tokens = [pictures, height * width, channels]
        const video = [pictures / frames, frames, height * width, channels]
        const position = this.time_pos_embed.forward(positions).reshape([frames, 1, channels]) // [F,1,C]
        const normed = into(this.norm.forward(x), h => this.proj_in.forward(h))
        let h = into(normed, h => h.reshape(tokens)) // [B F,P,C]
        this.transformer_blocks.forEach((block, i) => {
          const seen = into(h, h => block.forward(h, context))
          const spatial = into(seen, h => h.reshape(video)) // [B,F,P,C]
          const temporal = this.temporal_transformer_blocks[i].forward(spatial, context, position)
          const blended = this.time_mixer.forward(spatial, temporal)
          h = into(blended, h => h.reshape(tokens)) // [B F,P,C]
          for (const path of [spatial, temporal]) path.dispose()
        })
        return this.proj_out.forward(h.reshape(x.shape), { residual: x }) // [B F,H,W,C]
      }),
    )
  }
}
