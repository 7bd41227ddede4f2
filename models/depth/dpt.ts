// The dense prediction transformer's neck and head: features of a backbone to one map of depth.
// Ported from huggingface/transformers: models/depth_anything/modeling_depth_anything.py (DepthAnythingNeck,
// DepthAnythingDepthEstimationHead).

import { add, relu, resize, slice } from '../../kernels/index.js'
import { Conv2d, ConvTranspose2d, into, type WeightScope } from '../../nn/index.js'
import { scope as release, type Tensor } from '../../tensor/index.js'
import { reassembleFactors, type DepthAnythingConfig } from './config.js'

/** Height and width of a map, in pixels or patches. */
export type Size = readonly [height: number, width: number]

const sizeOfMap = ({ shape }: Tensor): Size => [shape[1], shape[2]]

/** The map at another size, its corner pixels in their places. */
function enlarge(x: Tensor, size: Size): Tensor {
  return resize(x, { size, mode: 'bilinear', alignCorners: true })
}

/** Tokens to a map of the channels and the size of one level. */
class ReassembleLayer {
  readonly projection: Conv2d
  readonly resize: Conv2d | ConvTranspose2d | undefined

  constructor(scope: WeightScope, hiddenSize: number, channels: number, factor: number) {
    this.projection = new Conv2d(scope.at('projection'), hiddenSize, channels, { kernel: 1 })
    const resize = scope.at('resize')
    if (factor > 1) this.resize = new ConvTranspose2d(resize, channels, channels, factor)
    else if (factor < 1)
      this.resize = new Conv2d(resize, channels, channels, { kernel: 3, stride: 1 / factor, padding: 1 })
  }

  /** [B,1+hw,D] to [B,factor h,factor w,C]. */
  forward(tokens: Tensor, [rows, columns]: Size): Tensor {
    return release(() => {
      const [batch, count, width] = tokens.shape
      const grid = slice(tokens, 1, 1, count).reshape([batch, rows, columns, width]) // [B,h,w,D]
      const map = this.projection.forward(grid) // [B,h,w,C]
      return this.resize ? into(map, map => this.resize!.forward(map)) : map
    })
  }
}

/** Two convolutions, each behind a relu, with a residual. */
class PreActResidualLayer {
  readonly convolution1: Conv2d
  readonly convolution2: Conv2d

  constructor(scope: WeightScope, channels: number) {
    const same = { kernel: 3, padding: 1 }
    this.convolution1 = new Conv2d(scope.at('convolution1'), channels, channels, same)
    this.convolution2 = new Conv2d(scope.at('convolution2'), channels, channels, same)
  }

  /** [B,H,W,C] to the same shape. */
  forward(x: Tensor): Tensor {
    const hidden = into(relu(x), h => this.convolution1.forward(h, { activation: 'relu' }))
    return into(hidden, h => this.convolution2.forward(h, { residual: x }))
  }
}

/** A coarser map and the next finer level become one map; the coarsest level has no map before it. */
class FeatureFusionLayer {
  readonly projection: Conv2d
  readonly residual_layer1: PreActResidualLayer | undefined
  readonly residual_layer2: PreActResidualLayer

  constructor(
    private readonly scope: WeightScope,
    channels: number,
    isFirst: boolean,
  ) {
    this.projection = new Conv2d(scope.at('projection'), channels, channels, { kernel: 1 })
    if (!isFirst) this.residual_layer1 = new PreActResidualLayer(scope.at('residual_layer1'), channels)
    this.residual_layer2 = new PreActResidualLayer(scope.at('residual_layer2'), channels)
  }

  /** `level` and `coarser` [B,H,W,C] to [B,size,C]. */
  forward(level: Tensor, coarser: Tensor | undefined, size: Size): Tensor {
    return this.scope.observe(
      release(() => {
        const joined =
          coarser && this.residual_layer1 ? add(coarser, this.residual_layer1.forward(level)) : level.share()
        const mended = into(joined, h => this.residual_layer2.forward(h))
        return into(enlarge(mended, size), h => this.projection.forward(h))
      }),
    )
  }
}

/** Features of several depths to one map, at eight times the patches' grid. */
export class DepthAnythingNeck {
  readonly reassemble_stage: { readonly layers: readonly ReassembleLayer[] }
  readonly convs: readonly Conv2d[]
  /** Coarsest first. */
  readonly fusion_stage: { readonly layers: readonly FeatureFusionLayer[] }

  constructor(scope: WeightScope, { backbone, neckHiddenSizes, fusionHiddenSize }: DepthAnythingConfig) {
    const layers = neckHiddenSizes.map((channels, i) => {
      const place = scope.at('reassemble_stage', 'layers', i)
      return new ReassembleLayer(place, backbone.hiddenSize, channels, reassembleFactors[i])
    })
    this.reassemble_stage = { layers }
    this.convs = neckHiddenSizes.map((channels, i) => {
      const options = { kernel: 3, padding: 1, bias: false }
      return new Conv2d(scope.at('convs', i), channels, fusionHiddenSize, options)
    })
    const fusion = scope.at('fusion_stage', 'layers')
    this.fusion_stage = {
      layers: neckHiddenSizes.map((_, i) => new FeatureFusionLayer(fusion.at(i), fusionHiddenSize, i === 0)),
    }
  }

  /** Tokens [B,1+hw,D] of each depth, finest level first, to [B,8h,8w,C]. */
  forward(features: readonly Tensor[], grid: Size): Tensor {
    return release(() => {
      const levels = features.map((tokens, i) =>
        into(this.reassemble_stage.layers[i].forward(tokens, grid), map => this.convs[i].forward(map)),
      )
      levels.reverse()
      let fused: Tensor | undefined
      for (const [i, layer] of this.fusion_stage.layers.entries()) {
        const [height, width] = sizeOfMap(levels[i])
        const size: Size = i + 1 < levels.length ? sizeOfMap(levels[i + 1]) : [2 * height, 2 * width]
        const next: Tensor = layer.forward(levels[i], fused, size)
        fused?.dispose()
        levels[i].dispose()
        fused = next
      }
      return fused!
    })
  }
}

/** A map to depth. */
export class DepthAnythingHead {
  readonly conv1: Conv2d
  readonly conv2: Conv2d
  readonly conv3: Conv2d

  constructor(scope: WeightScope, { fusionHiddenSize, headHiddenSize }: DepthAnythingConfig) {
    const same = { kernel: 3, padding: 1 }
    this.conv1 = new Conv2d(scope.at('conv1'), fusionHiddenSize, fusionHiddenSize / 2, same)
    this.conv2 = new Conv2d(scope.at('conv2'), fusionHiddenSize / 2, headHiddenSize, same)
    this.conv3 = new Conv2d(scope.at('conv3'), headHiddenSize, 1, { kernel: 1 })
  }

  /** [B,8h,8w,C] to [B,H,W], none below zero. */
  forward(map: Tensor, [height, width]: Size): Tensor {
    const narrow = into(this.conv1.forward(map), h => enlarge(h, [height, width])) // [B,H,W,C/2]
    const hidden = into(narrow, h => this.conv2.forward(h, { activation: 'relu' })) // [B,H,W,head]
    const depth = into(hidden, h => this.conv3.forward(h, { activation: 'relu' })) // [B,H,W,1]
    return into(depth, depth => depth.reshape([depth.shape[0], height, width])) // [B,H,W]
  }
}
