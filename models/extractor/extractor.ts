// A small network that sees the parts of bodies and objects, and the joints of a person, in pictures of one domain: a
// U-Net (Ronneberger et al., arXiv:1505.04597) of residual blocks, with a heat map for each joint at half of each side.

import { cat, mul, permute, slice, softmax, sum } from '../../kernels/index.js'
import {
  Conv2d,
  GroupNorm,
  into,
  loadModel,
  ResnetBlock2D,
  Upsample2D,
  Weights,
  type ModelLoadOptions,
  type WeightScope,
} from '../../nn/index.js'
import type { TensorFile } from '../../tensor/files/index.js'
import { sameShape, scope as release, ShapeError, showShape, type Runtime, type Tensor } from '../../tensor/index.js'
import { labelCount } from '../svd/picture.js'
import type { PartExtractorConfig } from './config.js'

/** What is seen in pictures. */
export interface PartSight {
  /** [N,H,W,64]: logits of the part labels. */
  readonly labels: Tensor
  /** [N,J,H/2 W/2]: logits of where a joint is, over all places of a map. */
  readonly places: Tensor
  /** [N,J]: metres behind the first joint, the pelvis. */
  readonly depths: Tensor
}

const eps = 1e-5

/** One level on the way up: the narrower level at twice its size, beside what the way down left. */
class UpLevel {
  readonly upsample: Upsample2D
  readonly resnet: ResnetBlock2D

  constructor(scope: WeightScope, inChannels: number, outChannels: number, groups: number) {
    this.upsample = new Upsample2D(scope.at('upsample'), inChannels)
    this.resnet = new ResnetBlock2D(scope.at('resnet'), {
      inChannels: inChannels + outChannels,
      outChannels,
      eps,
      groups,
    })
  }

  /** x [N,h,w,in] and skip [N,2h,2w,out] to [N,2h,2w,out]. */
  forward(x: Tensor, skip: Tensor): Tensor {
    return release(() => {
      const joined = into(this.upsample.forward(x), x => cat([x, skip], -1)) // [N,2h,2w,in+out]
      return into(joined, x => this.resnet.forward(x))
    })
  }
}

/** Parts and joints of pictures. */
export class PartExtractor implements Disposable {
  readonly conv_in: Conv2d
  readonly downs: readonly Conv2d[]
  readonly resnets: readonly ResnetBlock2D[]
  readonly ups: readonly UpLevel[]
  readonly norm_joints: GroupNorm
  /** A heat map and a map of depths for each joint. */
  readonly conv_joints: Conv2d
  readonly norm_labels: GroupNorm
  readonly conv_labels: Conv2d

  constructor(
    readonly config: PartExtractorConfig,
    readonly weights = new Weights(),
  ) {
    const scope = weights.scope()
    const { channels, groups, joints } = config
    const norm = { eps, groups, activation: 'silu' } as const
    const inner = channels.slice(1)
    this.conv_in = new Conv2d(scope.at('conv_in'), 3, channels[0], { kernel: 3, padding: 1 })
    this.downs = inner.map(
      (n, i) => new Conv2d(scope.at('downs', i), channels[i], n, { kernel: 3, stride: 2, padding: 1 }),
    )
    this.resnets = inner.map(
      (n, i) => new ResnetBlock2D(scope.at('resnets', i), { inChannels: n, outChannels: n, eps, groups }),
    )
    this.ups = inner.map((n, i) => new UpLevel(scope.at('ups', i), n, channels[i], groups)).toReversed()
    this.norm_joints = new GroupNorm(scope.at('norm_joints'), channels[1], norm)
    this.conv_joints = new Conv2d(scope.at('conv_joints'), channels[1], 2 * joints, { kernel: 1 })
    this.norm_labels = new GroupNorm(scope.at('norm_labels'), channels[0], norm)
    this.conv_labels = new Conv2d(scope.at('conv_labels'), channels[0], labelCount, { kernel: 1 })
  }

  /** Builds the model and loads its weights. Errors: as loadModel. */
  static load(
    runtime: Runtime,
    file: TensorFile,
    config: PartExtractorConfig,
    options?: ModelLoadOptions<PartExtractor>,
  ): Promise<PartExtractor> {
    return loadModel(runtime, () => new PartExtractor(config), file, options)
  }

  /** pictures [N,3,H,W] in -1..1, of the configuration's size. Throws a ShapeError if they are of another. */
  forward(pictures: Tensor): PartSight {
    const { imageSize, joints } = this.config
    const [count] = pictures.shape
    if (!(count > 0 && sameShape(pictures.shape, [count, 3, imageSize, imageSize])))
      throw new ShapeError({
        where: 'part extractor',
        what: 'pictures do not fit',
        expected: `[N, 3, ${imageSize}, ${imageSize}]`,
        got: showShape(pictures.shape),
      })
    return release(() => {
      const skips = [this.conv_in.forward(permute(pictures, [0, 2, 3, 1]))] // [N,H,W,C]
      this.downs.forEach((down, i) => {
        skips.push(into(down.forward(skips[i]), x => this.resnets[i].forward(x))) // half of each side
      })
      let h = skips.pop()!
      let half = h
      for (const up of this.ups) {
        half = h
        h = up.forward(h, skips.pop()!)
      }
      const side = imageSize / 2
      const maps = into(this.norm_joints.forward(half), x => this.conv_joints.forward(x)) // [N,H/2,W/2,2J]
      const both = permute(maps.reshape([count, side * side, 2 * joints]), [0, 2, 1]) // [N,2J,P]
      const [places, behind] = [slice(both, 1, 0, joints), slice(both, 1, joints, 2 * joints)] // [N,J,P]
      const depths = sum(mul(softmax(places, -1), behind), { axes: [2] }) // [N,J]
      const labels = into(this.norm_labels.forward(h), x => this.conv_labels.forward(x)) // [N,H,W,64]
      return { labels, places, depths }
    })
  }

  /** Releases the weights. */
  dispose(): void {
    this.weights.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}
