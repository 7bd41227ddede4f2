// The feed-forward layer of transformer blocks.
// Ported from huggingface/diffusers: models/attention.py (FeedForward), models/activations.py (GEGLU).

import type { Tensor } from '../tensor/index.js'
import { Linear } from './layers.js'
import type { WeightScope } from './weights.js'

/** GEGLU to four times the width, and back. */
export class FeedForward {
  /** Width of what is between its two layers, in channels. */
  static readonly expansion = 4

  readonly net: { readonly 0: { readonly proj: Linear }; readonly 2: Linear }

  constructor(scope: WeightScope, channels: number) {
    const inner = FeedForward.expansion * channels
    this.net = {
      0: { proj: new Linear(scope.at('net.0.proj'), channels, 2 * inner) },
      2: new Linear(scope.at('net.2'), inner, channels),
    }
  }

  /** [..., C] to the same shape, plus `residual`. */
  forward(x: Tensor, residual: Tensor): Tensor {
    using hidden = this.net[0].proj.forward(x, { activation: 'geglu' }) // [...,4C]
    return this.net[2].forward(hidden, { residual })
  }
}
