// Halving and doubling the size of pictures.
// Ported from huggingface/diffusers: models/downsampling.py (Downsample2D), models/upsampling.py (Upsample2D).

import { resize } from '../kernels/index.js'
import type { Tensor } from '../tensor/index.js'
import { overPictures } from './chunks.js'
import { into } from './into.js'
import { Conv2d, type Conv2dOptions } from './layers.js'
import type { WeightScope } from './weights.js'

/** A 3x3 convolution of stride 2. */
export class Downsample2D {
  readonly conv: Conv2d

  /** `padding`: 1 in UNets; the autoencoder pads right and bottom only. */
  constructor(
    private readonly scope: WeightScope,
    channels: number,
    padding: Conv2dOptions['padding'] = 1,
  ) {
    this.conv = new Conv2d(scope.at('conv'), channels, channels, { kernel: 3, stride: 2, padding })
  }

  /** [N,H,W,C] to [N,H/2,W/2,C], odd sizes rounded up (padding 1). */
  forward(x: Tensor): Tensor {
    return this.scope.observe(this.conv.forward(x))
  }
}

/** Nearest neighbours, then a 3x3 convolution. */
export class Upsample2D {
  readonly conv: Conv2d

  constructor(
    private readonly scope: WeightScope,
    channels: number,
  ) {
    this.conv = new Conv2d(scope.at('conv'), channels, channels, { kernel: 3, padding: 1 })
  }

  /** [N,H,W,C] to [N,h,w,C]; default size: twice that of x. */
  forward(x: Tensor, size: readonly [height: number, width: number] = [2 * x.shape[1], 2 * x.shape[2]]): Tensor {
    const [height, width] = size
    const enlarge = (x: Tensor) =>
      into(resize(x, { size: [height, width], mode: 'nearest' }), h => this.conv.forward(h))
    return this.scope.observe(overPictures(x, 1, height * width * x.shape[3], this.scope.chunkBytes, enlarge))
  }
}
