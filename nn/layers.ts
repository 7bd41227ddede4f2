// The layers that every model is made of: linear maps, convolutions and normalisations with their weights. Names of
// weights are torch's, and every layer shows what it gives to the observer, with what is fused. Activations are f32 and
// channels last: tokens [B,N,C], pictures [B,H,W,C], video [B,F,H,W,C].

import {
  conv2d,
  conv3d,
  convTranspose2d,
  groupNorm,
  layerNorm,
  linear,
  permute,
  type Conv2dOptions as ConvCall,
  type ConvOptions,
  type MatmulOptions,
} from '../kernels/index.js'
import type { Tensor } from '../tensor/index.js'
import type { Init, Parameter, WeightScope } from './weights.js'

/** What a linear layer may be told. */
export interface LinearOptions {
  /** Default: true. */
  bias?: boolean
  /** How weight and bias begin in training; default: as torch's. */
  init?: Init
}

/** torch.nn.Linear: weight [out, in], bias [out]. */
export class Linear {
  readonly weight: Parameter
  readonly bias: Parameter | undefined

  constructor(
    private readonly scope: WeightScope,
    inFeatures: number,
    outFeatures: number,
    { bias = true, init }: LinearOptions = {},
  ) {
    this.weight = scope.parameter('weight', [outFeatures, inFeatures], { init })
    this.bias = bias ? scope.parameter('bias', [outFeatures], { dtype: 'f32', init }) : undefined
  }

  /** [..., in] to [..., out]: activation(x weight^T + bias) + residual; `geglu` gives half of the columns. */
  forward(x: Tensor, options: Omit<MatmulOptions, 'bias'> = {}): Tensor {
    return this.scope.observe(linear(x, this.weight.value, { ...options, bias: this.bias?.value }))
  }
}

/** What a convolution may fuse. */
export type ConvEpilogue = Pick<ConvOptions, 'shift' | 'residual' | 'activation'>

/** What a convolution may be told. */
export interface Conv2dOptions {
  kernel: number | readonly [height: number, width: number]
  /** Default: 1. */
  stride?: number
  /** Default: 0. */
  padding?: ConvCall['padding']
  /** Default: true. */
  bias?: boolean
  /** How many of the last input channels a checkpoint may lack (zero weights). Default: 0. */
  optionalInputs?: number
}

/** torch.nn.Conv2d: weight [out, in, kh, kw] in the checkpoint, [out, kh, kw, in] on the device. */
export class Conv2d {
  readonly weight: Parameter
  readonly bias: Parameter | undefined

  constructor(
    private readonly scope: WeightScope,
    inChannels: number,
    outChannels: number,
    private readonly options: Conv2dOptions,
  ) {
    const { kernel, bias = true, optionalInputs } = options
    const [height, width] = typeof kernel === 'number' ? [kernel, kernel] : kernel
    const shape = [outChannels, inChannels, height, width]
    this.weight = scope.parameter('weight', shape, { layout: 'channels-last', optionalInputs })
    this.bias = bias ? scope.parameter('bias', [outChannels], { dtype: 'f32' }) : undefined
  }

  /**
   * [B,H,W,in] to [B,H',W',out]: activation(conv + bias + shift) + residual; row floor(b S / B) of `shift` [S,out] goes
   * to picture b.
   */
  forward(x: Tensor, epilogue: ConvEpilogue = {}): Tensor {
    const { stride, padding } = this.options
    return this.scope.observe(conv2d(x, this.weight.value, { ...epilogue, stride, padding, bias: this.bias?.value }))
  }
}

/** torch.nn.ConvTranspose2d whose stride is its kernel, so that no two inputs paint one output: [in, out, k, k]. */
export class ConvTranspose2d {
  readonly weight: Parameter
  readonly bias: Parameter

  constructor(
    private readonly scope: WeightScope,
    inChannels: number,
    outChannels: number,
    private readonly kernel: number,
  ) {
    // Wide, since halves cannot be moved singly on every device.
    this.weight = scope.parameter('weight', [inChannels, outChannels, kernel, kernel], { dtype: 'f32' })
    this.bias = scope.parameter('bias', [outChannels], { dtype: 'f32' })
  }

  /** [B,H,W,in] to [B,kH,kW,out]. */
  forward(x: Tensor): Tensor {
    using weight = permute(this.weight.value, [1, 2, 3, 0]) // [out,k,k,in]
    return this.scope.observe(convTranspose2d(x, weight, { bias: this.bias.value, stride: this.kernel }))
  }
}

/** torch.nn.Conv3d along frames only, zero padded: weight [out, in, taps, 1, 1] in the checkpoint. */
export class TemporalConv {
  readonly weight: Parameter
  readonly bias: Parameter
  readonly #padding: [number, number, number]

  constructor(
    private readonly scope: WeightScope,
    inChannels: number,
    outChannels: number,
    taps = 3,
  ) {
    this.weight = scope.parameter('weight', [outChannels, inChannels, taps, 1, 1], { layout: 'channels-last' })
    this.bias = scope.parameter('bias', [outChannels], { dtype: 'f32' })
    this.#padding = [(taps - 1) / 2, 0, 0]
  }

  /** [B,F,H,W,in] to [B,F,H,W,out], `shift` and `residual` as in Conv2d. */
  forward(x: Tensor, epilogue: ConvEpilogue = {}): Tensor {
    const options = { ...epilogue, padding: this.#padding, bias: this.bias.value }
    return this.scope.observe(conv3d(x, this.weight.value, options))
  }
}

/** What a GroupNorm may be told. */
export interface GroupNormOptions {
  /** Default: 32. */
  groups?: number
  eps: number
  /** Default: none. */
  activation?: 'none' | 'silu'
}

/** torch.nn.GroupNorm, and the activation that follows it. Statistics go over all axes between batch and channels. */
export class GroupNorm {
  readonly weight: Parameter
  readonly bias: Parameter

  constructor(
    private readonly scope: WeightScope,
    channels: number,
    private readonly options: GroupNormOptions,
  ) {
    this.weight = scope.parameter('weight', [channels], { dtype: 'f32' })
    this.bias = scope.parameter('bias', [channels], { dtype: 'f32' })
  }

  /** [B,...,C] to the same shape. */
  forward(x: Tensor): Tensor {
    const { groups = 32, eps, activation = 'none' } = this.options
    return this.scope.observe(groupNorm(x, this.weight.value, this.bias.value, { groups, eps, activation }))
  }
}

/** torch.nn.LayerNorm over the last axis. */
export class LayerNorm {
  readonly weight: Parameter
  readonly bias: Parameter

  constructor(
    private readonly scope: WeightScope,
    features: number,
    private readonly eps = 1e-5,
  ) {
    this.weight = scope.parameter('weight', [features], { dtype: 'f32' })
    this.bias = scope.parameter('bias', [features], { dtype: 'f32' })
  }

  /** [..., features] to the same shape. */
  forward(x: Tensor): Tensor {
    return this.scope.observe(layerNorm(x, this.weight.value, this.bias.value, { eps: this.eps }))
  }
}
