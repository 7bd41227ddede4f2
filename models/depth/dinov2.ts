// DINOv2's vision transformer as a backbone: features of a picture of any size after several of its layers.
// Ported from huggingface/transformers: models/dinov2/modeling_dinov2.py (Dinov2Backbone). What differs: position
// embeddings are enlarged as facebookresearch/dinov2 and DepthAnything/Depth-Anything-V2 do it (interpolate_pos_encoding
// of depth_anything_v2/dinov2.py), with 0.1 added to the grid's sides; features keep their class token.

import { add, attention, cat, mul, resize, slice } from '../../kernels/index.js'
import { Conv2d, into, LayerNorm, Linear, type Parameter, type WeightScope } from '../../nn/index.js'
import { scope as release, type Tensor } from '../../tensor/index.js'
import type { Dinov2Config } from './config.js'

// Added to rows and columns of patches before they become a scale, as the reference does; the weights know it so.
const interpolateOffset = 0.1

/** Patches and one class token, each with the embedding of its place. */
class Dinov2Embeddings {
  readonly cls_token: Parameter
  readonly position_embeddings: Parameter
  readonly patch_embeddings: { readonly projection: Conv2d }
  /** Rows and columns of the grid that the position embeddings were made for. */
  readonly #side: number

  constructor(scope: WeightScope, { hiddenSize, imageSize, patchSize }: Dinov2Config) {
    this.#side = imageSize / patchSize
    this.cls_token = scope.parameter('cls_token', [1, 1, hiddenSize], { dtype: 'f32' })
    const positions = [1, 1 + this.#side ** 2, hiddenSize]
    this.position_embeddings = scope.parameter('position_embeddings', positions, { dtype: 'f32' })
    const projection = scope.at('patch_embeddings', 'projection')
    const patches = { kernel: patchSize, stride: patchSize }
    this.patch_embeddings = { projection: new Conv2d(projection, 3, hiddenSize, patches) }
  }

  /** Embeddings of the places of a grid of patches, the class token's first: [1,N,D]. */
  positions(rows: number, columns: number): Tensor {
    const { value } = this.position_embeddings
    const side = this.#side
    if (rows === side && columns === side) return value.share()
    return release(() => {
      const grid = slice(value, 1, 1, 1 + side ** 2).reshape([1, side, side, -1]) // [1,S,S,D]
      const factors = [rows, columns].map(n => (n + interpolateOffset) / side)
      const scaleFactor = [factors[0], factors[1]] as const
      const places = resize(grid, { size: [rows, columns], mode: 'bicubic', scaleFactor }) // [1,h,w,D]
      return cat([slice(value, 1, 0, 1), places.reshape([1, rows * columns, -1])], 1) // [1,N,D]
    })
  }

  /** [B,H,W,3] to [B,N,D]. */
  forward(picture: Tensor): Tensor {
    return release(() => {
      const grid = this.patch_embeddings.projection.forward(picture) // [B,h,w,D]
      const [batch, rows, columns, width] = grid.shape
      const patches = grid.reshape([batch, rows * columns, width]) // [B,N-1,D]
      const classes = Array.from({ length: batch }, () => this.cls_token.value)
      const tokens = cat([cat(classes, 0), patches], 1) // [B,N,D]
      return add(tokens, this.positions(rows, columns))
    })
  }
}

/** Self-attention with a projection behind it. */
class Dinov2Attention {
  readonly attention: { readonly query: Linear; readonly key: Linear; readonly value: Linear }
  readonly output: { readonly dense: Linear }

  constructor(
    scope: WeightScope,
    channels: number,
    private readonly heads: number,
  ) {
    const part = (name: string) => new Linear(scope.at('attention', name), channels, channels)
    this.attention = { query: part('query'), key: part('key'), value: part('value') }
    this.output = { dense: new Linear(scope.at('output', 'dense'), channels, channels) }
  }

  /** [B,N,D] to the same shape. */
  forward(x: Tensor): Tensor {
    const { query, key, value } = this.attention
    using q = query.forward(x)
    using k = key.forward(x)
    using v = value.forward(x)
    using attended = attention(q, k, v, { heads: this.heads })
    return this.output.dense.forward(attended)
  }
}

/** Attention and a feed-forward part, each behind a LayerNorm, scaled by channel and with a residual. */
class Dinov2Layer {
  readonly norm1: LayerNorm
  readonly attention: Dinov2Attention
  readonly layer_scale1: { readonly lambda1: Parameter }
  readonly norm2: LayerNorm
  readonly mlp: { readonly fc1: Linear; readonly fc2: Linear }
  readonly layer_scale2: { readonly lambda1: Parameter }

  constructor(
    private readonly scope: WeightScope,
    { hiddenSize, intermediateSize, heads, layerNormEps }: Dinov2Config,
  ) {
    const lambda = (name: string) => ({ lambda1: scope.at(name).parameter('lambda1', [hiddenSize], { dtype: 'f32' }) })
    this.norm1 = new LayerNorm(scope.at('norm1'), hiddenSize, layerNormEps)
    this.attention = new Dinov2Attention(scope.at('attention'), hiddenSize, heads)
    this.layer_scale1 = lambda('layer_scale1')
    this.norm2 = new LayerNorm(scope.at('norm2'), hiddenSize, layerNormEps)
    const mlp = scope.at('mlp')
    this.mlp = {
      fc1: new Linear(mlp.at('fc1'), hiddenSize, intermediateSize),
      fc2: new Linear(mlp.at('fc2'), intermediateSize, hiddenSize),
    }
    this.layer_scale2 = lambda('layer_scale2')
  }

  /** [B,N,D] to the same shape. */
  forward(x: Tensor): Tensor {
    return this.scope.observe(
      release(() => {
        const attended = into(this.norm1.forward(x), norm => this.attention.forward(norm))
        const h = add(
          x,
          into(attended, a => mul(a, this.layer_scale1.lambda1.value)),
        )
        const hidden = into(this.norm2.forward(h), norm => this.mlp.fc1.forward(norm, { activation: 'gelu' })) // [B,N,4D]
        const out = into(hidden, hidden => this.mlp.fc2.forward(hidden)) // [B,N,D]
        return add(
          h,
          into(out, out => mul(out, this.layer_scale2.lambda1.value)),
        )
      }),
    )
  }
}

/** The transformer, without a head of its own. */
export class Dinov2Backbone {
  readonly embeddings: Dinov2Embeddings
  readonly encoder: { readonly layer: readonly Dinov2Layer[] }
  readonly layernorm: LayerNorm

  constructor(
    scope: WeightScope,
    private readonly config: Dinov2Config,
  ) {
    const { hiddenSize, layers, layerNormEps } = config
    this.embeddings = new Dinov2Embeddings(scope.at('embeddings'), config)
    const layer = Array.from({ length: layers }, (_, i) => new Dinov2Layer(scope.at('encoder', 'layer', i), config))
    this.encoder = { layer }
    this.layernorm = new LayerNorm(scope.at('layernorm'), hiddenSize, layerNormEps)
  }

  /** [B,H,W,3] to normalised tokens [B,N,D] after each of the layers of outIndices, class token first. */
  forward(picture: Tensor): Tensor[] {
    const { outIndices } = this.config
    return release(() => {
      const features: Tensor[] = []
      let h = this.embeddings.forward(picture)
      // Layers behind the last feature would be in vain.
      for (let i = 1; i <= outIndices[outIndices.length - 1]; i++) {
        h = into(h, h => this.encoder.layer[i - 1].forward(h))
        if (outIndices.includes(i)) features.push(this.layernorm.forward(h))
      }
      return features
    })
  }
}
