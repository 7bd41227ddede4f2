// The learned blend of a spatial and a temporal path.
// Ported from huggingface/diffusers: models/resnet.py (AlphaBlender). What differs: no picture-only batches.

import { mix, sigmoid } from '../kernels/index.js'
import type { Tensor } from '../tensor/index.js'
import type { Parameter, WeightScope } from './weights.js'

/** alpha spatial + (1 - alpha) temporal, alpha = sigmoid(mix_factor). */
export class AlphaBlender {
  readonly mix_factor: Parameter

  constructor(
    scope: WeightScope,
    /** Exchanges alpha and 1 - alpha, as the temporal decoder does. */
    private readonly switchSpatialToTemporalMix = false,
  ) {
    this.mix_factor = scope.parameter('mix_factor', [1], { dtype: 'f32', init: 0.5 })
  }

  /** Two tensors of one shape to a third. */
  forward(spatial: Tensor, temporal: Tensor): Tensor {
    using alpha = sigmoid(this.mix_factor.value) // [1]
    return this.switchSpatialToTemporalMix ? mix(temporal, spatial, alpha) : mix(spatial, temporal, alpha)
  }
}
