// The length of all gradients together, and the factor that bounds it.

import { affine, cat, clamp, reciprocal, sqrt, square, sum } from '../../kernels/index.js'
import { scope, UsageError, type Tensor } from '../../tensor/index.js'

/** The square root of the sum of squares of all gradients, f32 [1]. Absent ones are left out. */
export function globalNorm(gradients: readonly (Tensor | undefined)[]): Tensor {
  const present = gradients.filter(gradient => gradient !== undefined)
  if (present.length === 0) throw new UsageError({ where: 'globalNorm', what: 'no gradients' })
  return scope(() => {
    const squares = present.map(gradient => scope(() => sum(square(gradient)).reshape([1])))
    return sqrt(sum(cat(squares, 0))).reshape([1])
  })
}

/**
 * The factor, f32 [1], that brings gradients of this norm to at most `most`: min(1, most / (norm + 1e-6)), as
 * torch.nn.utils.clip_grad_norm_. It is meant for the optimiser, which multiplies as it goes.
 */
export function clipScale(norm: Tensor, most: number): Tensor {
  return scope(() => clamp(affine(reciprocal(affine(norm, 1, 1e-6)), most, 0), 0, 1))
}
