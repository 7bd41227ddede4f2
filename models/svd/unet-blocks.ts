// The blocks of the video UNet: the way down, the middle, the way up.
// Ported from huggingface/diffusers: models/unets/unet_3d_blocks.py (DownBlockSpatioTemporal,
// CrossAttnDownBlockSpatioTemporal, UNetMidBlockSpatioTemporal, UpBlockSpatioTemporal, CrossAttnUpBlockSpatioTemporal).
// What differs: one class for each way, with or without transformers.

import { cat } from '../../kernels/index.js'
import {
  Downsample2D,
  into,
  SpatioTemporalResBlock,
  contextTensors,
  TransformerSpatioTemporalModel,
  Upsample2D,
  withContextTensors,
  type SpatioTemporalContext,
  type WeightScope,
} from '../../nn/index.js'
import { checkpoint, scope as release, type Tensor } from '../../tensor/index.js'
import type { UNetLevel } from './config.js'
import type { UNetContext } from './unet-context.js'

/** What every block of one forward pass is given beside its input. */
export interface Conditions {
  frames: number
  /** [B,T] or [1,T]: time and added ids, after SiLU. */
  temb: Tensor
  /** What each transformer has been prepared for. */
  transformers: UNetContext['transformers']
  /** Whether a tape keeps only what goes into each layer. */
  checkpointing: boolean
}

function transformer(scope: WeightScope, level: UNetLevel): TransformerSpatioTemporalModel {
  const { channels, heads, groups, contextChannels, transformerLayers: layers } = level
  return new TransformerSpatioTemporalModel(scope, { channels, heads, groups, contextChannels, layers })
}

/**
 * A residual block and the transformer behind it, if there is one: x [B F,H,W,in] to [B F,H,W,C]. `consume` releases x
 * as soon as it is not needed any more.
 */
function layer(
  resnet: SpatioTemporalResBlock,
  attention: TransformerSpatioTemporalModel | undefined,
  x: Tensor,
  { frames, temb, transformers, checkpointing }: Conditions,
  way: 'forward' | 'consume' = 'forward',
): Tensor {
  const run = (x: Tensor, temb: Tensor, context?: SpatioTemporalContext) => {
    const h = resnet[way](x, frames, temb)
    return attention && context ? into(h, h => attention.forward(h, context)) : h
  }
  const context = attention && transformers.get(attention)!
  if (!checkpointing) return run(x, temb, context)
  // The context is released before the way back: what is computed again takes it from the tape.
  const again = (x: Tensor, temb: Tensor, ...tensors: Tensor[]) =>
    release(() => run(x.share(), temb, context && withContextTensors(context, tensors)))
  return checkpoint(again, x, temb, ...(context ? contextTensors(context) : []))
}

/** What a block is told beside its level. */
export interface BlockOptions {
  /** Channels of what comes in. */
  inChannels: number
  tembChannels: number
  /** Whether the size of the pictures changes at the end. */
  resample: boolean
}

/** One level on the way down. */
export class DownBlock {
  readonly resnets: readonly SpatioTemporalResBlock[]
  readonly attentions: readonly TransformerSpatioTemporalModel[]
  readonly downsamplers: readonly Downsample2D[]

  constructor(
    private readonly scope: WeightScope,
    level: UNetLevel,
    { inChannels, tembChannels, resample }: BlockOptions,
  ) {
    const { channels: outChannels, groups, downAttention } = level
    const layers = Array.from({ length: level.layers }, (_, i) => i)
    // The reference gives the two kinds of blocks different epsilons.
    const eps = downAttention ? 1e-6 : 1e-5
    this.resnets = layers.map(
      i =>
        new SpatioTemporalResBlock(scope.at('resnets', i), {
          inChannels: i === 0 ? inChannels : outChannels,
          outChannels,
          tembChannels,
          eps,
          groups,
        }),
    )
    this.attentions = downAttention ? layers.map(i => transformer(scope.at('attentions', i), level)) : []
    this.downsamplers = resample ? [new Downsample2D(scope.at('downsamplers', 0), outChannels)] : []
  }

  /**
   * x [B F,H,W,in] to what each layer gives, [B F,H,W,C] and after the downsampler [B F,H/2,W/2,C]. All of it goes to
   * the way up, and the last to the next block as well.
   */
  forward(x: Tensor, conditions: Conditions): Tensor[] {
    return release(() => {
      const outputs: Tensor[] = []
      this.resnets.forEach((resnet, i) => {
        outputs.push(layer(resnet, this.attentions.at(i), outputs.at(-1) ?? x, conditions))
      })
      for (const downsampler of this.downsamplers) outputs.push(downsampler.forward(outputs.at(-1) ?? x))
      this.scope.observe(outputs.at(-1) ?? x)
      return outputs
    })
  }
}

/** The narrowest level: a transformer between two residual blocks. */
export class MidBlock {
  readonly resnets: readonly [SpatioTemporalResBlock, SpatioTemporalResBlock]
  readonly attentions: readonly [TransformerSpatioTemporalModel]

  constructor(
    private readonly scope: WeightScope,
    level: UNetLevel,
    tembChannels: number,
  ) {
    const { channels, groups } = level
    const options = { inChannels: channels, outChannels: channels, tembChannels, eps: 1e-5, groups }
    this.resnets = [
      new SpatioTemporalResBlock(scope.at('resnets', 0), options),
      new SpatioTemporalResBlock(scope.at('resnets', 1), options),
    ]
    this.attentions = [transformer(scope.at('attentions', 0), level)]
  }

  /** [B F,H,W,C] to the same shape. */
  forward(x: Tensor, conditions: Conditions): Tensor {
    const [before, after] = this.resnets
    return this.scope.observe(
      into(layer(before, this.attentions[0], x, conditions), h => layer(after, undefined, h, conditions)),
    )
  }
}

/** One level on the way up. */
export class UpBlock {
  readonly resnets: readonly SpatioTemporalResBlock[]
  readonly attentions: readonly TransformerSpatioTemporalModel[]
  readonly upsamplers: readonly Upsample2D[]

  /** `skipChannels`: of what the way down left for each layer. */
  constructor(
    private readonly scope: WeightScope,
    level: UNetLevel,
    { inChannels, tembChannels, resample }: BlockOptions,
    skipChannels: readonly number[],
  ) {
    const { channels: outChannels, groups } = level
    this.resnets = skipChannels.map(
      (skip, i) =>
        new SpatioTemporalResBlock(scope.at('resnets', i), {
          inChannels: (i === 0 ? inChannels : outChannels) + skip,
          outChannels,
          tembChannels,
          eps: 1e-6,
          groups,
        }),
    )
    this.attentions = level.upAttention ? skipChannels.map((_, i) => transformer(scope.at('attentions', i), level)) : []
    this.upsamplers = resample ? [new Upsample2D(scope.at('upsamplers', 0), outChannels)] : []
  }

  /**
   * x [B F,H,W,in] to [B F,H,W,C], after the upsampler at the size of the skip that comes next: where sizes were odd on
   * the way down, that is not twice H and W. Takes its skips from the end of the list, and releases them and x.
   */
  forward(x: Tensor, skips: Tensor[], conditions: Conditions): Tensor {
    return this.scope.observe(
      release(() => {
        let h = x
        this.resnets.forEach((resnet, i) => {
          const parts = [h, ...skips.splice(-1)]
          const joined = cat(parts, -1) // [B F,H,W,C+skip]
          for (const part of parts) part.dispose()
          h = layer(resnet, this.attentions.at(i), joined, conditions, 'consume')
        })
        for (const upsampler of this.upsamplers) {
          const [, height, width] = skips[skips.length - 1].shape
          h = into(h, h => upsampler.forward(h, [height, width]))
        }
        return h
      }),
    )
  }
}
