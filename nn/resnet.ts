// Residual blocks of convolutions: over pictures, over frames, and the two blended.
// Ported from huggingface/diffusers: models/resnet.py (ResnetBlock2D, TemporalResnetBlock, SpatioTemporalResBlock).
// What differs: channels last; the time embedding comes activated, once per video; it is added inside the convolution.

import { scope as release, type Tensor } from '../tensor/index.js'
import { AlphaBlender } from './alpha-blender.js'
import { overPictures } from './chunks.js'
import { into } from './into.js'
import { Conv2d, GroupNorm, Linear, TemporalConv } from './layers.js'
import type { WeightScope } from './weights.js'

/** Sizes of a residual block. */
export interface ResnetOptions {
  inChannels: number
  outChannels: number
  /** Width of the time embedding; without one the block has no time_emb_proj. */
  tembChannels?: number
  /** Of the GroupNorms. */
  eps: number
  /** Of the GroupNorms; default: 32. */
  groups?: number
}

/** norm1, SiLU, conv1, + time, norm2, SiLU, conv2, + input (through a 1x1 convolution where the channels change). */
export class ResnetBlock2D {
  readonly norm1: GroupNorm
  readonly conv1: Conv2d
  readonly time_emb_proj: Linear | undefined
  readonly norm2: GroupNorm
  readonly conv2: Conv2d
  readonly conv_shortcut: Conv2d | undefined

  constructor(
    private readonly scope: WeightScope,
    { inChannels, outChannels, tembChannels, eps, groups }: ResnetOptions,
  ) {
    const norm = { eps, groups, activation: 'silu' } as const
    const conv = { kernel: 3, padding: 1 }
    this.norm1 = new GroupNorm(scope.at('norm1'), inChannels, norm)
    this.conv1 = new Conv2d(scope.at('conv1'), inChannels, outChannels, conv)
    this.time_emb_proj =
      tembChannels === undefined ? undefined : new Linear(scope.at('time_emb_proj'), tembChannels, outChannels)
    this.norm2 = new GroupNorm(scope.at('norm2'), outChannels, norm)
    this.conv2 = new Conv2d(scope.at('conv2'), outChannels, outChannels, conv)
    this.conv_shortcut =
      inChannels === outChannels
        ? undefined
        : new Conv2d(scope.at('conv_shortcut'), inChannels, outChannels, { kernel: 1 })
  }

  /** x [N,H,W,in] to [N,H,W,out]; temb [S,T], after SiLU: its row floor(n S / N) goes to picture n. */
  forward(x: Tensor, temb?: Tensor): Tensor {
    const [, height, width, channels] = x.shape
    const widest = height * width * Math.max(channels, this.conv2.weight.shape[0])
    return this.scope.observe(
      release(() => {
        const time = temb && this.time_emb_proj?.forward(temb) // [S,out]
        return overPictures(x, time?.shape[0] ?? 1, widest, this.scope.chunkBytes, (x, own) =>
          release(() => {
            const shift = time && own(time)
            const h = into(this.norm1.forward(x), h => this.conv1.forward(h, { shift }))
            const normed = into(h, h => this.norm2.forward(h))
            return this.conv2.forward(normed, { residual: this.conv_shortcut?.forward(x) ?? x })
          }),
        )
      }),
    )
  }
}

/** The same over frames, with convolutions of three frames; its norms take all frames of a video together. */
export class TemporalResnetBlock {
  readonly norm1: GroupNorm
  readonly conv1: TemporalConv
  readonly time_emb_proj: Linear | undefined
  readonly norm2: GroupNorm
  readonly conv2: TemporalConv

  constructor(
    private readonly scope: WeightScope,
    {
      channels,
      tembChannels,
      eps,
      groups,
    }: { channels: number } & Pick<ResnetOptions, 'tembChannels' | 'eps' | 'groups'>,
  ) {
    const norm = { eps, groups, activation: 'silu' } as const
    this.norm1 = new GroupNorm(scope.at('norm1'), channels, norm)
    this.conv1 = new TemporalConv(scope.at('conv1'), channels, channels)
    this.time_emb_proj =
      tembChannels === undefined ? undefined : new Linear(scope.at('time_emb_proj'), tembChannels, channels)
    this.norm2 = new GroupNorm(scope.at('norm2'), channels, norm)
    this.conv2 = new TemporalConv(scope.at('conv2'), channels, channels)
  }

  /** x [B,F,H,W,C] to the same shape; temb [B,T] after SiLU, or [1,T] for all. */
  forward(x: Tensor, temb?: Tensor): Tensor {
    return this.scope.observe(
      release(() => {
        const shift = temb && this.time_emb_proj?.forward(temb) // [B or 1,C]
        const h = into(this.norm1.forward(x), h => this.conv1.forward(h, { shift }))
        const normed = into(h, h => this.norm2.forward(h))
        return this.conv2.forward(normed, { residual: x })
      }),
    )
  }
}

/** Those of its spatial and its temporal half. */
export interface SpatioTemporalResOptions extends ResnetOptions {
  /** Of the temporal block's norms; default: eps. */
  temporalEps?: number
  /** See AlphaBlender. Default: false. */
  switchSpatialToTemporalMix?: boolean
}

/** A spatial block, a temporal block on its output, and the blend of the two outputs. */
export class SpatioTemporalResBlock {
  readonly spatial_res_block: ResnetBlock2D
  readonly temporal_res_block: TemporalResnetBlock
  readonly time_mixer: AlphaBlender

  constructor(
    private readonly scope: WeightScope,
    { temporalEps, switchSpatialToTemporalMix, ...spatial }: SpatioTemporalResOptions,
  ) {
    const { outChannels: channels, tembChannels, eps, groups } = spatial
    this.spatial_res_block = new ResnetBlock2D(scope.at('spatial_res_block'), spatial)
    this.temporal_res_block = new TemporalResnetBlock(scope.at('temporal_res_block'), {
      channels,
      tembChannels,
      eps: temporalEps ?? eps,
      groups,
    })
    this.time_mixer = new AlphaBlender(scope.at('time_mixer'), switchSpatialToTemporalMix)
  }

  /** x [B F,H,W,in] to [B F,H,W,out]; temb [B,T] after SiLU, or [1,T] for all. */
  forward(x: Tensor, frames: number, temb?: Tensor): Tensor {
    return into(this.spatial_res_block.forward(x, temb), pictures => this.#overTime(pictures, frames, temb))
  }

  /** The same, and releases x as soon as it is not needed any more: before frames are looked at together. */
  consume(x: Tensor, frames: number, temb?: Tensor): Tensor {
    const pictures = into(x, x => this.spatial_res_block.forward(x, temb))
    return into(pictures, pictures => this.#overTime(pictures, frames, temb))
  }

  #overTime(pictures: Tensor, frames: number, temb?: Tensor): Tensor {
    return this.scope.observe(
      release(() => {
        const spatial = pictures.reshape([-1, frames, ...pictures.shape.slice(1)]) // [B,F,H,W,C]
        const temporal = this.temporal_res_block.forward(spatial, temb)
        return this.time_mixer.forward(spatial, temporal).reshape(pictures.shape) // [B F,H,W,C]
      }),
    )
  }
}
