// The video autoencoder of Stable Video Diffusion: its encoder sees pictures, its decoder video.
// Ported from huggingface/diffusers: models/autoencoders/autoencoder_kl_temporal_decoder.py
// (AutoencoderKLTemporalDecoder), models/autoencoders/vae.py (DiagonalGaussianDistribution). What differs: channels
// last inside; encoding gives the moments, of which Stable Video Diffusion takes the mean.

import { clamp, permute, slice } from '../../kernels/index.js'
import { Conv2d, into, loadModel, Weights, type ModelLoadOptions } from '../../nn/index.js'
import type { TensorFile } from '../../tensor/files/index.js'
import { scope as release, ShapeError, showShape, type Runtime, type Tensor } from '../../tensor/index.js'
import { TemporalDecoder } from './decoder.js'
import { Encoder } from './encoder.js'
import { latentPixels, type VaeConfig } from './vae-config.js'

/** Of the normal distribution of a picture's latent. Both [B,latent,h,w], not multiplied by scaling_factor. */
export interface LatentMoments {
  mean: Tensor
  /** Clamped to -30..20. */
  logvar: Tensor
}

/** Pictures to latents and latents to video. */
export class AutoencoderKLTemporalDecoder implements Disposable {
  /** What `encode` and what `decode` need, for `load`'s option `only`: beginnings of the weights' names. */
  static readonly encoderWeights = ['encoder.', 'quant_conv.']
  static readonly decoderWeights = ['decoder.']

  readonly encoder: Encoder
  readonly decoder: TemporalDecoder
  readonly quant_conv: Conv2d

  constructor(
    readonly config: VaeConfig,
    readonly weights = new Weights(),
  ) {
    const scope = weights.scope()
    const moments = 2 * config.latentChannels
    this.encoder = new Encoder(scope.at('encoder'), config)
    this.decoder = new TemporalDecoder(scope.at('decoder'), config)
    this.quant_conv = new Conv2d(scope.at('quant_conv'), moments, moments, { kernel: 1 })
  }

  /** Builds the model and loads its weights. Errors: as loadModel. */
  static load(
    runtime: Runtime,
    file: TensorFile,
    config: VaeConfig,
    options?: ModelLoadOptions<AutoencoderKLTemporalDecoder>,
  ): Promise<AutoencoderKLTemporalDecoder> {
    return loadModel(runtime, () => new AutoencoderKLTemporalDecoder(config), file, options)
  }

  /** Pixels along a side of a picture for each place along a side of its latent; 8 for Stable Video Diffusion. */
  get scale(): number {
    return latentPixels(this.config)
  }

  /** image [B,3,H,W] in -1..1, H and W multiples of `scale`. Throws a ShapeError if it does not fit. */
  encode(image: Tensor): LatentMoments {
    const { inChannels, latentChannels } = this.config
    const [, channels, height, width] = image.shape
    this.#check(image, channels === inChannels && height % this.scale === 0 && width % this.scale === 0, {
      what: 'image does not fit',
      expected: `[B, ${inChannels}, H, W], H and W multiples of ${this.scale}`,
    })
    return release(() => {
      const picture = permute(image, [0, 2, 3, 1]) // [B,H,W,3]
      const encoded = into(picture, x => this.encoder.forward(x)) // [B,h,w,2 latent]
      const moments = into(encoded, x => this.quant_conv.forward(x))
      const first = into(moments, x => permute(x, [0, 3, 1, 2])) // [B,2 latent,h,w]
      const mean = slice(first, 1, 0, latentChannels)
      const logvar = clamp(slice(first, 1, latentChannels, 2 * latentChannels), -30, 20)
      return { mean, logvar }
    })
  }

  /**
   * z [N,latent,h,w], already divided by scaling_factor, to pictures [N,3,H,W] in about -1..1. Every `numFrames`
   * neighbours are one video, whose frames influence each other. Throws a ShapeError if that does not come out even.
   */
  decode(z: Tensor, numFrames: number): Tensor {
    const { latentChannels } = this.config
    const videos = z.shape[0] / numFrames
    this.#check(z, z.shape[1] === latentChannels && Number.isInteger(videos) && numFrames > 0, {
      what: 'z does not fit',
      expected: `[N, ${latentChannels}, h, w], N a multiple of ${numFrames} frames`,
    })
    return release(() => {
      const latents = permute(z, [0, 2, 3, 1]) // [N,h,w,latent]
      const pictures = into(latents, x => this.decoder.forward(x, numFrames)) // [N,H,W,3]
      return into(pictures, x => permute(x, [0, 3, 1, 2])) // [N,3,H,W]
    })
  }

  /** Releases the weights. */
  dispose(): void {
    this.weights.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  #check({ shape }: Tensor, holds: boolean, message: { what: string; expected: string }): void {
    if (!holds || shape.length !== 4 || shape.some(n => n === 0))
      throw new ShapeError({ where: 'vae', ...message, got: showShape(shape) })
  }
}
