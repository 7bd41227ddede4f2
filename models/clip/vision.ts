// CLIP's picture tower, which tells Stable Video Diffusion what its picture shows.
// Ported from huggingface/transformers: models/clip/modeling_clip.py (CLIPVisionEmbeddings, CLIPVisionTransformer,
// CLIPVisionModelWithProjection). What differs: no attention maps or hidden states of inner layers among the outputs.

import { add, cat, expand, permute, slice } from '../../kernels/index.js'
import {
  Conv2d,
  into,
  LayerNorm,
  type Linear,
  Weights,
  type ModelLoadOptions,
  type Parameter,
  type WeightScope,
} from '../../nn/index.js'
import type { TensorFile } from '../../tensor/files/index.js'
import { sameShape, scope as release, ShapeError, showShape, type Runtime, type Tensor } from '../../tensor/index.js'
import type { CLIPVisionConfig } from './config.js'
import { CLIPEncoder, CLIPTower, loadTower, type CLIPTowerOutput } from './tower.js'

/** Patches and one class token, each with the embedding of its place. */
class CLIPVisionEmbeddings {
  readonly class_embedding: Parameter
  readonly patch_embedding: Conv2d
  readonly position_embedding: { readonly weight: Parameter }

  constructor(scope: WeightScope, { hiddenSize, channels, imageSize, patchSize }: CLIPVisionConfig) {
    const tokens = (imageSize / patchSize) ** 2 + 1
    this.class_embedding = scope.parameter('class_embedding', [hiddenSize], { dtype: 'f32' })
    const patches = { kernel: patchSize, stride: patchSize, bias: false }
    this.patch_embedding = new Conv2d(scope.at('patch_embedding'), channels, hiddenSize, patches)
    const position = scope.at('position_embedding')
    this.position_embedding = { weight: position.parameter('weight', [tokens, hiddenSize], { dtype: 'f32' }) }
  }

  /** [B,3,S,S] to [B,N,C]. */
  forward(pixelValues: Tensor): Tensor {
    return release(() => {
      const picture = permute(pixelValues, [0, 2, 3, 1]) // [B,S,S,3]
      const grid = this.patch_embedding.forward(picture) // [B,S/P,S/P,C]
      const [batch, , , channels] = grid.shape
      const patches = grid.reshape([batch, -1, channels]) // [B,N-1,C]
      const classes = expand(this.class_embedding.value, [batch, 1, channels]) // [B,1,C]
      return add(cat([classes, patches], 1), this.position_embedding.weight.value) // [B,N,C]
    })
  }
}

class CLIPVisionTransformer {
  readonly embeddings: CLIPVisionEmbeddings
  /** Spelled as in every checkpoint. */
  readonly pre_layrnorm: LayerNorm
  readonly encoder: CLIPEncoder
  readonly post_layernorm: LayerNorm

  constructor(scope: WeightScope, config: CLIPVisionConfig) {
    const { hiddenSize, layerNormEps } = config
    this.embeddings = new CLIPVisionEmbeddings(scope.at('embeddings'), config)
    this.pre_layrnorm = new LayerNorm(scope.at('pre_layrnorm'), hiddenSize, layerNormEps)
    this.encoder = new CLIPEncoder(scope.at('encoder'), config)
    this.post_layernorm = new LayerNorm(scope.at('post_layernorm'), hiddenSize, layerNormEps)
  }

  /** [B,3,S,S] to all tokens [B,N,C] and the normalised class token [B,C]. */
  forward(pixelValues: Tensor): CLIPTowerOutput {
    return release(() => {
      let h = into(this.embeddings.forward(pixelValues), x => this.pre_layrnorm.forward(x))
      for (const layer of this.encoder.layers) h = into(h, h => layer.forward(h))
      const classes = slice(h, 1, 0, 1).reshape([h.shape[0], -1]) // [B,C]
      return { lastHiddenState: h, poolerOutput: this.post_layernorm.forward(classes) }
    })
  }
}

/** What comes out of the picture tower. */
export interface CLIPVisionOutput {
  /** [B,D], in the space that CLIP's texts share; not normalised. */
  imageEmbeds: Tensor
  /** [B,N,C]: class token and patches, before post_layernorm. */
  lastHiddenState: Tensor
  /** [B,C]: the class token after post_layernorm. */
  poolerOutput: Tensor
}

/** Embeds pictures. */
export class CLIPVisionModelWithProjection extends CLIPTower<CLIPVisionConfig> {
  /** 0, 1, 2, ...: stored by older versions of the library. */
  static readonly unusedWeights = ['vision_model.embeddings.position_ids']

  readonly vision_model: CLIPVisionTransformer
  readonly visual_projection: Linear

  constructor(config: CLIPVisionConfig, weights = new Weights()) {
    super(config, weights)
    this.vision_model = new CLIPVisionTransformer(weights.scope().at('vision_model'), config)
    this.visual_projection = this.projection('visual_projection')
  }

  /** Builds the model and loads its weights. Errors: as loadModel. */
  static load(
    runtime: Runtime,
    file: TensorFile,
    config: CLIPVisionConfig,
    options?: ModelLoadOptions<CLIPVisionModelWithProjection>,
  ): Promise<CLIPVisionModelWithProjection> {
    return loadTower(CLIPVisionModelWithProjection, runtime, file, config, options)
  }

  /**
   * pixelValues [B,3,S,S], normalised with CLIP's mean and deviation, S = config.imageSize. Throws a ShapeError if they
   * have another size.
   */
  forward(pixelValues: Tensor): CLIPVisionOutput {
    const { channels, imageSize } = this.config
    const { shape } = pixelValues
    const expected = [shape[0], channels, imageSize, imageSize]
    if (!(shape[0] > 0 && sameShape(shape, expected)))
      throw new ShapeError({
        where: 'clip vision',
        what: 'pixelValues do not fit',
        expected: `[B, ${channels}, ${imageSize}, ${imageSize}]`,
        got: showShape(shape),
        hint: 'the preprocessing of the checkpoint',
      })
    return release(() => {
      const { lastHiddenState, poolerOutput } = this.vision_model.forward(pixelValues)
      return { imageEmbeds: this.visual_projection.forward(poolerOutput), lastHiddenState, poolerOutput }
    })
  }
}
