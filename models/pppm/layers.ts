// The transformer block of the PPPM: all entities of a scene attend to each other over all frames, then to the
// conditions. After the paper's description (ReVision, section 3.3); positions in time are rotary, so that a motion may
// have any length. Activations stand alone here rather than fused: a gradient then needs no product twice.

import { attention, gelu, rotary } from '../../kernels/index.js'
import { into, LayerNorm, Linear, type WeightScope } from '../../nn/index.js'
import { scope as release, type Tensor } from '../../tensor/index.js'
import type { PPPMConfig } from './config.js'

/** Cosines and sines of the angles of every token, [N, P] each. */
export interface RotaryTable {
  readonly cos: Tensor
  readonly sin: Tensor
}

class PPPMAttention {
  readonly to_q: Linear
  readonly to_k: Linear
  readonly to_v: Linear
  readonly to_out: Linear

  constructor(
    scope: WeightScope,
    channels: number,
    private readonly heads: number,
  ) {
    this.to_q = new Linear(scope.at('to_q'), channels, channels, { bias: false })
    this.to_k = new Linear(scope.at('to_k'), channels, channels, { bias: false })
    this.to_v = new Linear(scope.at('to_v'), channels, channels, { bias: false })
    this.to_out = new Linear(scope.at('to_out'), channels, channels)
  }

  /** x [B,N,D] attends to itself, turned by its place in time; plus `residual`. */
  overTime(x: Tensor, { cos, sin }: RotaryTable, residual: Tensor): Tensor {
    return release(() => {
      const q = into(this.to_q.forward(x), q => rotary(q, cos, sin))
      const k = into(this.to_k.forward(x), k => rotary(k, cos, sin))
      const v = this.to_v.forward(x)
      return this.to_out.forward(attention(q, k, v, { heads: this.heads }), { residual })
    })
  }

  /** x [B,N,D] attends to the conditions [B,M,D]; plus `residual`. */
  toConditions(x: Tensor, conditions: Tensor, residual: Tensor): Tensor {
    return release(() => {
      const [q, k, v] = [this.to_q.forward(x), this.to_k.forward(conditions), this.to_v.forward(conditions)]
      return this.to_out.forward(attention(q, k, v, { heads: this.heads }), { residual })
    })
  }
}

class PPPMFeedForward {
  readonly fc1: Linear
  readonly fc2: Linear

  constructor(scope: WeightScope, channels: number) {
    this.fc1 = new Linear(scope.at('fc1'), channels, 4 * channels)
    this.fc2 = new Linear(scope.at('fc2'), 4 * channels, channels)
  }

  /** [B,N,D] to the same shape, plus `residual`. */
  forward(x: Tensor, residual: Tensor): Tensor {
    return into(into(this.fc1.forward(x), gelu), hidden => this.fc2.forward(hidden, { residual }))
  }
}

/** Self-attention, cross-attention and a feed-forward part, each behind a LayerNorm and with a residual. */
export class PPPMBlock {
  readonly norm1: LayerNorm
  readonly attn1: PPPMAttention
  readonly norm2: LayerNorm
  readonly attn2: PPPMAttention
  readonly norm3: LayerNorm
  readonly ff: PPPMFeedForward

  constructor(
    private readonly scope: WeightScope,
    { width, heads }: PPPMConfig,
  ) {
    this.norm1 = new LayerNorm(scope.at('norm1'), width)
    this.attn1 = new PPPMAttention(scope.at('attn1'), width, heads)
    this.norm2 = new LayerNorm(scope.at('norm2'), width)
    this.attn2 = new PPPMAttention(scope.at('attn2'), width, heads)
    this.norm3 = new LayerNorm(scope.at('norm3'), width)
    this.ff = new PPPMFeedForward(scope.at('ff'), width)
  }

  /** x [B,N,D] to the same shape; conditions [B,M,D]. */
  forward(x: Tensor, conditions: Tensor, table: RotaryTable): Tensor {
    return this.scope.observe(
      release(() => {
        const moved = into(this.norm1.forward(x), norm => this.attn1.overTime(norm, table, x))
        const told = into(moved, x => into(this.norm2.forward(x), norm => this.attn2.toConditions(norm, conditions, x)))
        return into(told, x => into(this.norm3.forward(x), norm => this.ff.forward(norm, x)))
      }),
    )
  }
}
