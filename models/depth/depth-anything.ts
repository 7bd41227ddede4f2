// Depth Anything: how near each pixel of a picture is, without knowing the camera.
// Ported from huggingface/transformers: models/depth_anything/modeling_depth_anything.py (DepthAnythingForDepthEstimation).

import { permute } from '../../kernels/index.js'
import { loadModel, Weights, type ModelLoadOptions } from '../../nn/index.js'
import type { TensorFile } from '../../tensor/files/index.js'
import { scope as release, ShapeError, showShape, type Runtime, type Tensor } from '../../tensor/index.js'
import type { DepthAnythingConfig } from './config.js'
import { Dinov2Backbone } from './dinov2.js'
import { DepthAnythingHead, DepthAnythingNeck } from './dpt.js'

const firstFusion = 'neck.fusion_stage.layers.0.residual_layer1'

/** Estimates relative inverse depth: larger is nearer, up to an unknown scale and shift. */
export class DepthAnythingForDepthEstimation implements Disposable {
  /** Stored in every checkpoint, and without influence: the coarsest level has nothing to be added to. */
  static readonly unusedWeights = [
    'backbone.embeddings.mask_token',
    ...['convolution1', 'convolution2'].flatMap(name => [
      `${firstFusion}.${name}.weight`,
      `${firstFusion}.${name}.bias`,
    ]),
  ]

  readonly backbone: Dinov2Backbone
  readonly neck: DepthAnythingNeck
  readonly head: DepthAnythingHead

  constructor(
    readonly config: DepthAnythingConfig,
    readonly weights = new Weights(),
  ) {
    const scope = weights.scope()
    this.backbone = new Dinov2Backbone(scope.at('backbone'), config.backbone)
    this.neck = new DepthAnythingNeck(scope.at('neck'), config)
    this.head = new DepthAnythingHead(scope.at('head'), config)
  }

  /** Builds the model and loads its weights. Errors: as loadModel. */
  static load(
    runtime: Runtime,
    file: TensorFile,
    config: DepthAnythingConfig,
    options?: ModelLoadOptions<DepthAnythingForDepthEstimation>,
  ): Promise<DepthAnythingForDepthEstimation> {
    const ignore = [...DepthAnythingForDepthEstimation.unusedWeights, ...(options?.ignore ?? [])]
    return loadModel(runtime, () => new DepthAnythingForDepthEstimation(config), file, { ...options, ignore })
  }

  /**
   * pixelValues [B,3,H,W], normalised with ImageNet's mean and deviation, H and W multiples of the patch size; gives
   * relative inverse depth [B,H,W]. Throws a ShapeError for other shapes.
   */
  forward(pixelValues: Tensor): Tensor {
    const { patchSize } = this.config.backbone
    const { shape } = pixelValues
    const [batch, channels, height, width] = shape
    const isPatched = (n: number) => n > 0 && n % patchSize === 0
    if (shape.length !== 4 || batch < 1 || channels !== 3 || !isPatched(height) || !isPatched(width))
      throw new ShapeError({
        where: 'DepthAnythingForDepthEstimation',
        what: 'pixelValues do not fit',
        expected: `[B, 3, H, W], H and W multiples of ${patchSize}`,
        got: showShape(shape),
      })
    return release(() => {
      const picture = permute(pixelValues, [0, 2, 3, 1]) // [B,H,W,3]
      const features = this.backbone.forward(picture)
      const map = this.neck.forward(features, [height / patchSize, width / patchSize])
      for (const tokens of features) tokens.dispose()
      return this.head.forward(map, [height, width])
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
