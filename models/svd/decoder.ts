// The decoder of the video autoencoder: residual blocks over pictures and over frames, blended, so that a video does
// not flicker.
// Ported from huggingface/diffusers: models/autoencoders/autoencoder_kl_temporal_decoder.py (TemporalDecoder),
// models/unets/unet_3d_blocks.py (MidBlockTemporalDecoder, UpBlockTemporalDecoder). What differs: channels last.

import {
  Conv2d,
  GroupNorm,
  into,
  SpatioTemporalResBlock,
  TemporalConv,
  Upsample2D,
  type WeightScope,
} from '../../nn/index.js'
import { scope as release, type Tensor } from '../../tensor/index.js'
import { VaeAttention } from './vae-attention.js'
import type { VaeConfig, VaeLevel } from './vae-config.js'

const eps = 1e-6

function resBlock(scope: WeightScope, inChannels: number, outChannels: number, groups: number): SpatioTemporalResBlock {
  return new SpatioTemporalResBlock(scope, {
    inChannels,
    outChannels,
    groups,
    eps,
    temporalEps: 1e-5,
    switchSpatialToTemporalMix: true,
  })
}

/** The narrowest level. */
class MidBlockTemporalDecoder {
  readonly resnets: readonly SpatioTemporalResBlock[]
  readonly attentions: readonly [VaeAttention]

  constructor(
    private readonly scope: WeightScope,
    channels: number,
    layers: number,
    groups: number,
  ) {
    this.resnets = Array.from({ length: layers }, (_, i) =>
      resBlock(scope.at('resnets', i), channels, channels, groups),
    )
    this.attentions = [new VaeAttention(scope.at('attentions', 0), channels, groups)]
  }

  /** [B F,H,W,C] to the same shape. Releases x. */
  forward(x: Tensor, frames: number): Tensor {
    return this.scope.observe(
      release(() => {
        let h = this.resnets[0].consume(x, frames)
        // The reference pairs the blocks after the first with the one attention: weights of further blocks are idle.
        for (const resnet of this.resnets.slice(1, 2)) {
          h = into(h, h => this.attentions[0].forward(h))
          h = resnet.consume(h, frames)
        }
        return h
      }),
    )
  }
}

/** One level on the way up. */
class UpBlockTemporalDecoder {
  readonly resnets: readonly SpatioTemporalResBlock[]
  readonly upsamplers: readonly Upsample2D[]

  constructor(
    private readonly scope: WeightScope,
    { inChannels, outChannels, layers, groups, resample }: VaeLevel,
  ) {
    this.resnets = Array.from({ length: layers }, (_, i) =>
      resBlock(scope.at('resnets', i), i === 0 ? inChannels : outChannels, outChannels, groups),
    )
    this.upsamplers = resample ? [new Upsample2D(scope.at('upsamplers', 0), outChannels)] : []
  }

  /** [B F,H,W,in] to [B F,2H,2W,out], or [B F,H,W,out] without an upsampler. Releases x. */
  forward(x: Tensor, frames: number): Tensor {
    return this.scope.observe(
      release(() => {
        let h = x
        for (const resnet of this.resnets) h = resnet.consume(h, frames)
        for (const upsampler of this.upsamplers) h = into(h, h => upsampler.forward(h))
        return h
      }),
    )
  }
}

/** Latents to video. */
export class TemporalDecoder {
  readonly conv_in: Conv2d
  readonly mid_block: MidBlockTemporalDecoder
  readonly up_blocks: readonly UpBlockTemporalDecoder[]
  readonly conv_norm_out: GroupNorm
  readonly conv_out: Conv2d
  readonly time_conv_out: TemporalConv

  constructor(scope: WeightScope, config: VaeConfig) {
    const { latentChannels, outChannels, blockOutChannels, layersPerBlock, groups } = config
    const channels = blockOutChannels.toReversed()
    const last = channels.length - 1
    const [narrowest, widest] = [channels[0], channels[last]]
    const conv = { kernel: 3, padding: 1 }
    this.conv_in = new Conv2d(scope.at('conv_in'), latentChannels, narrowest, conv)
    this.mid_block = new MidBlockTemporalDecoder(scope.at('mid_block'), narrowest, layersPerBlock, groups)
    this.up_blocks = channels.map((outChannels, i) => {
      const inChannels = channels[Math.max(i - 1, 0)]
      const options = { inChannels, outChannels, layers: layersPerBlock + 1, groups, resample: i < last }
      return new UpBlockTemporalDecoder(scope.at('up_blocks', i), options)
    })
    this.conv_norm_out = new GroupNorm(scope.at('conv_norm_out'), widest, { groups, eps, activation: 'silu' })
    this.conv_out = new Conv2d(scope.at('conv_out'), widest, outChannels, conv)
    this.time_conv_out = new TemporalConv(scope.at('time_conv_out'), outChannels, outChannels)
  }

  /** [B F,h,w,latent] to [B F,H,W,out]; the F frames of a video see each other, and no others. */
  forward(z: Tensor, frames: number): Tensor {
    return release(() => {
      let h = this.conv_in.forward(z) // [B F,h,w,C]
      for (const block of [this.mid_block, ...this.up_blocks]) h = block.forward(h, frames)
      const normed = into(h, h => this.conv_norm_out.forward(h))
      const pictures = into(normed, h => this.conv_out.forward(h)) // [B F,H,W,out]
      const { shape } = pictures
      const video = into(pictures, x => x.reshape([-1, frames, ...shape.slice(1)])) // [B,F,H,W,out]
      const smooth = into(video, x => this.time_conv_out.forward(x))
      return into(smooth, x => x.reshape(shape)) // [B F,H,W,out]
    })
  }
}
