// The encoder of the video autoencoder: pictures one by one, no time in it.
// Ported from huggingface/diffusers: models/autoencoders/vae.py (Encoder), models/unets/unet_2d_blocks.py
// (DownEncoderBlock2D, UNetMidBlock2D). What differs: channels last.

import { Conv2d, Downsample2D, GroupNorm, into, ResnetBlock2D, type WeightScope } from '../../nn/index.js'
import { scope as release, type Tensor } from '../../tensor/index.js'
import { VaeAttention } from './vae-attention.js'
import type { VaeConfig, VaeLevel } from './vae-config.js'

const eps = 1e-6

/** One level on the way down. */
class DownEncoderBlock2D {
  readonly resnets: readonly ResnetBlock2D[]
  readonly downsamplers: readonly Downsample2D[]

  constructor(
    private readonly scope: WeightScope,
    { inChannels, outChannels, layers, groups, resample }: VaeLevel,
  ) {
    this.resnets = Array.from({ length: layers }, (_, i) => {
      const channels = { inChannels: i === 0 ? inChannels : outChannels, outChannels }
      return new ResnetBlock2D(scope.at('resnets', i), { ...channels, groups, eps })
    })
    const padding = { top: 0, left: 0, bottom: 1, right: 1 }
    this.downsamplers = resample ? [new Downsample2D(scope.at('downsamplers', 0), outChannels, padding)] : []
  }

  /** [N,H,W,in] to [N,H/2,W/2,out], or [N,H,W,out] without a downsampler. Releases x. */
  forward(x: Tensor): Tensor {
    return this.scope.observe(
      release(() => [...this.resnets, ...this.downsamplers].reduce((h, layer) => into(h, h => layer.forward(h)), x)),
    )
  }
}

/** Attention between two residual blocks. */
class UNetMidBlock2D {
  readonly resnets: readonly [ResnetBlock2D, ResnetBlock2D]
  readonly attentions: readonly [VaeAttention]

  constructor(
    private readonly scope: WeightScope,
    channels: number,
    groups: number,
  ) {
    const options = { inChannels: channels, outChannels: channels, groups, eps }
    this.resnets = [
      new ResnetBlock2D(scope.at('resnets', 0), options),
      new ResnetBlock2D(scope.at('resnets', 1), options),
    ]
    this.attentions = [new VaeAttention(scope.at('attentions', 0), channels, groups)]
  }

  /** [N,H,W,C] to the same shape. Releases x. */
  forward(x: Tensor): Tensor {
    const [before, after] = this.resnets
    const layers = [before, ...this.attentions, after]
    return this.scope.observe(release(() => layers.reduce((h, layer) => into(h, h => layer.forward(h)), x)))
  }
}

/** Pictures to the moments of their latents. */
export class Encoder {
  readonly conv_in: Conv2d
  readonly down_blocks: readonly DownEncoderBlock2D[]
  readonly mid_block: UNetMidBlock2D
  readonly conv_norm_out: GroupNorm
  readonly conv_out: Conv2d

  constructor(scope: WeightScope, config: VaeConfig) {
    const { inChannels, latentChannels, blockOutChannels, layersPerBlock: layers, groups } = config
    const last = blockOutChannels.length - 1
    const [widest, narrowest] = [blockOutChannels[0], blockOutChannels[last]]
    const conv = { kernel: 3, padding: 1 }
    this.conv_in = new Conv2d(scope.at('conv_in'), inChannels, widest, conv)
    this.down_blocks = blockOutChannels.map((outChannels, i) => {
      const inChannels = blockOutChannels[Math.max(i - 1, 0)]
      const options = { inChannels, outChannels, layers, groups, resample: i < last }
      return new DownEncoderBlock2D(scope.at('down_blocks', i), options)
    })
    this.mid_block = new UNetMidBlock2D(scope.at('mid_block'), narrowest, groups)
    this.conv_norm_out = new GroupNorm(scope.at('conv_norm_out'), narrowest, { groups, eps, activation: 'silu' })
    this.conv_out = new Conv2d(scope.at('conv_out'), narrowest, 2 * latentChannels, conv)
  }

  /** [N,H,W,in] to [N,h,w,2 latent]. */
  forward(x: Tensor): Tensor {
    return release(() => {
      let h = this.conv_in.forward(x) // [N,H,W,C]
      for (const block of [...this.down_blocks, this.mid_block]) h = block.forward(h)
      const normed = into(h, h => this.conv_norm_out.forward(h))
      return into(normed, h => this.conv_out.forward(h)) // [N,h,w,2 latent]
    })
  }
}
