// The transformer of CLIP's towers.
// Ported from huggingface/transformers: models/clip/modeling_clip.py (CLIPAttention, CLIPMLP, CLIPEncoderLayer). What
// differs: residuals and the activation are fused into the linear layers.

import { attention } from '../../kernels/index.js'
import { into, LayerNorm, Linear, type WeightScope } from '../../nn/index.js'
import { scope as release, type Tensor } from '../../tensor/index.js'

/** What one layer is made of. */
export interface CLIPLayerOptions {
  hiddenSize: number
  intermediateSize: number
  heads: number
  hiddenAct: 'quick_gelu' | 'gelu'
  layerNormEps: number
  /** Tokens see themselves and those before them only. Default: false. */
  causal?: boolean
}

/** Self-attention over tokens; unlike diffusers' layers it has biases everywhere and names of its own. */
class CLIPAttention {
  readonly q_proj: Linear
  readonly k_proj: Linear
  readonly v_proj: Linear
  readonly out_proj: Linear

  constructor(
    scope: WeightScope,
    channels: number,
    private readonly options: { heads: number; causal?: boolean },
  ) {
    this.q_proj = new Linear(scope.at('q_proj'), channels, channels)
    this.k_proj = new Linear(scope.at('k_proj'), channels, channels)
    this.v_proj = new Linear(scope.at('v_proj'), channels, channels)
    this.out_proj = new Linear(scope.at('out_proj'), channels, channels)
  }

  /** [B,N,C] to the same shape, plus `residual`. */
  forward(x: Tensor, residual: Tensor): Tensor {
    using q = this.q_proj.forward(x)
    using k = this.k_proj.forward(x)
    using v = this.v_proj.forward(x)
    using attended = attention(q, k, v, this.options)
    return this.out_proj.forward(attended, { residual })
  }
}

class CLIPMLP {
  readonly fc1: Linear
  readonly fc2: Linear

  constructor(
    scope: WeightScope,
    private readonly options: CLIPLayerOptions,
  ) {
    const { hiddenSize, intermediateSize } = options
    this.fc1 = new Linear(scope.at('fc1'), hiddenSize, intermediateSize)
    this.fc2 = new Linear(scope.at('fc2'), intermediateSize, hiddenSize)
  }

  /** [B,N,C] to the same shape, plus `residual`. */
  forward(x: Tensor, residual: Tensor): Tensor {
    using hidden = this.fc1.forward(x, { activation: this.options.hiddenAct }) // [B,N,intermediate]
    return this.fc2.forward(hidden, { residual })
  }
}

/** Attention and a feed-forward part, each behind a LayerNorm and with a residual. */
export class CLIPEncoderLayer {
  readonly layer_norm1: LayerNorm
  readonly self_attn: CLIPAttention
  readonly layer_norm2: LayerNorm
  readonly mlp: CLIPMLP

  constructor(
    private readonly scope: WeightScope,
    options: CLIPLayerOptions,
  ) {
    const { hiddenSize, heads, causal, layerNormEps } = options
    this.layer_norm1 = new LayerNorm(scope.at('layer_norm1'), hiddenSize, layerNormEps)
    this.self_attn = new CLIPAttention(scope.at('self_attn'), hiddenSize, { heads, causal })
    this.layer_norm2 = new LayerNorm(scope.at('layer_norm2'), hiddenSize, layerNormEps)
    this.mlp = new CLIPMLP(scope.at('mlp'), options)
  }

  /** [B,N,C] to the same shape. */
  forward(x: Tensor): Tensor {
    return this.scope.observe(
      release(() => {
        const attended = into(this.layer_norm1.forward(x), norm => this.self_attn.forward(norm, x))
        return into(this.layer_norm2.forward(attended), norm => this.mlp.forward(norm, attended))
      }),
    )
  }
}
