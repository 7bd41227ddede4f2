// Attention in the middle of an autoencoder.
// Ported from huggingface/diffusers: models/attention_processor.py (Attention with group_norm and residual_connection).

import { Attention, GroupNorm, into, type WeightScope } from '../../nn/index.js'
import { scope as release, type Tensor } from '../../tensor/index.js'

/**
 * GroupNorm, then self-attention over the positions of a picture with a single head of all channels, plus the input.
 */
export class VaeAttention extends Attention {
  readonly group_norm: GroupNorm
  readonly #scope: WeightScope

  constructor(scope: WeightScope, channels: number, groups = 32) {
    super(scope, { channels, heads: 1, bias: true })
    this.#scope = scope
    this.group_norm = new GroupNorm(scope.at('group_norm'), channels, { groups, eps: 1e-6 })
  }

  /** [N,H,W,C] to the same shape. */
  override forward(x: Tensor): Tensor {
    return this.#scope.observe(
      release(() => {
        const [pictures, , , channels] = x.shape
        const tokens = x.reshape([pictures, -1, channels]) // [N,H W,C]
        const attended = into(this.group_norm.forward(tokens), norm => super.forward(norm, tokens))
        return into(attended, h => h.reshape(x.shape)) // [N,H,W,C]
      }),
    )
  }
}
