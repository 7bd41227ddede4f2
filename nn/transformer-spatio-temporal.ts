// The transformer of a video UNet's level: blocks over positions and blocks over frames, in turns.
// Ported from huggingface/diffusers: models/transformers/transformer_temporal.py (TransformerSpatioTemporalModel). What
// differs: channels last, so nothing is permuted; what the context and the frame numbers tell is prepared, once for all
// steps of a video; the sinusoids of the frame numbers come from outside.

import { scope as release, type Tensor } from '../tensor/index.js'
import { AlphaBlender } from './alpha-blender.js'
import { mapContext, type AttentionContext } from './attention.js'
import { TimestepEmbedding } from './embeddings.js'
import { into } from './into.js'
import { GroupNorm, Linear } from './layers.js'
import { BasicTransformerBlock, TemporalBasicTransformerBlock, type TransformerBlockOptions } from './transformer.js'
import type { WeightScope } from './weights.js'

/** Sizes of its blocks, and how many there are. */
export interface SpatioTemporalTransformerOptions extends TransformerBlockOptions {
  /** Pairs of a spatial and a temporal block. */
  layers: number
  /** Of its GroupNorm; default: 32. */
  groups?: number
}

/** What a transformer makes of all that is not the video, the same for as long as that is. */
export interface SpatioTemporalContext {
  /** [F,1,C]: embeddings of the frame numbers. */
  readonly position: Tensor
  /** For each block. */
  readonly spatial: readonly AttentionContext[]
  readonly temporal: readonly AttentionContext[]
}

/** A context like this one, of other tensors: f of each of its own, in a fixed order. */
function mapTensors(
  { position, spatial, temporal }: SpatioTemporalContext,
  f: (tensor: Tensor) => Tensor,
): SpatioTemporalContext {
  const map = (contexts: readonly AttentionContext[]) => contexts.map(context => mapContext(context, f))
  return { position: f(position), spatial: map(spatial), temporal: map(temporal) }
}

/** All tensors of a context, for `withContextTensors`. */
export function contextTensors(context: SpatioTemporalContext): Tensor[] {
  const tensors: Tensor[] = []
  mapTensors(context, tensor => {
    tensors.push(tensor)
    return tensor
  })
  return tensors
}

/** A context like this one, of others in the place of its tensors. */
export function withContextTensors(context: SpatioTemporalContext, tensors: readonly Tensor[]): SpatioTemporalContext {
  let next = 0
  return mapTensors(context, () => tensors[next++])
}

/** Spatial and temporal attention over video, with a residual around all of it. */
export class TransformerSpatioTemporalModel {
  readonly channels: number
  readonly norm: GroupNorm
  readonly proj_in: Linear
  readonly transformer_blocks: readonly BasicTransformerBlock[]
  readonly temporal_transformer_blocks: readonly TemporalBasicTransformerBlock[]
  readonly time_pos_embed: TimestepEmbedding
  readonly time_mixer: AlphaBlender
  readonly proj_out: Linear

  constructor(
    private readonly scope: WeightScope,
    { layers, groups, ...block }: SpatioTemporalTransformerOptions,
  ) {
    const { channels } = block
    this.channels = channels
    const numbers = Array.from({ length: layers }, (_, i) => i)
    this.norm = new GroupNorm(scope.at('norm'), channels, { groups, eps: 1e-6 })
    this.proj_in = new Linear(scope.at('proj_in'), channels, channels)
    this.transformer_blocks = numbers.map(i => new BasicTransformerBlock(scope.at('transformer_blocks', i), block))
    this.temporal_transformer_blocks = numbers.map(
      i => new TemporalBasicTransformerBlock(scope.at('temporal_transformer_blocks', i), block),
    )
    this.time_pos_embed = new TimestepEmbedding(scope.at('time_pos_embed'), channels, 4 * channels, channels)
    this.time_mixer = new AlphaBlender(scope.at('time_mixer'))
    this.proj_out = new Linear(scope.at('proj_out'), channels, channels)
  }

  /** Prepares for a context [B,M,D], and for positions [F,C]: sinusoids of the frame numbers 0..F-1. */
  prepare(context: Tensor, positions: Tensor): SpatioTemporalContext {
    const [frames, channels] = positions.shape
    return {
      position: into(this.time_pos_embed.forward(positions), x => x.reshape([frames, 1, channels])), // [F,1,C]
      spatial: this.transformer_blocks.map(block => block.prepare(context)),
      temporal: this.temporal_transformer_blocks.map(block => block.prepare(context)),
    }
  }

  /** x [B F,H,W,C] to the same shape. */
  forward(x: Tensor, { position, spatial, temporal }: SpatioTemporalContext): Tensor {
    return this.scope.observe(
      release(() => {
        const [pictures, height, width, channels] = x.shape
        const frames = position.shape[0]
        const tokens = [pictures, height * width, channels]
        const video = [pictures / frames, frames, height * width, channels]
        const normed = into(this.norm.forward(x), h => this.proj_in.forward(h))
        let h = into(normed, h => h.reshape(tokens)) // [B F,P,C]
        this.transformer_blocks.forEach((block, i) => {
          const seen = into(h, h => block.forward(h, spatial[i]))
          const still = into(seen, h => h.reshape(video)) // [B,F,P,C]
          const moved = this.temporal_transformer_blocks[i].forward(still, temporal[i], position)
          const blended = this.time_mixer.forward(still, moved)
          h = into(blended, h => h.reshape(tokens)) // [B F,P,C]
          for (const path of [still, moved]) path.dispose()
        })
        return this.proj_out.forward(h.reshape(x.shape), { residual: x }) // [B F,H,W,C]
      }),
    )
  }
}
