// One step of AdamW, in place.
// Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (arXiv:1711.05101), as torch.optim.AdamW computes it:
// the decay first.

import { sameShape, ShapeError, showShape, sizeOf, update, type Op, type Tensor } from '../../tensor/index.js'

export interface AdamwOperands {
  /** f32 [...] */
  gradient: unknown
  /** f32 [3]: learning rate, learning rate / (1 - beta1^t), 1 / sqrt(1 - beta2^t), at step t from 1 */
  rates: unknown
  /** f32 [1], by which the gradient is multiplied; 1 if absent */
  scale?: unknown
}

export interface AdamwParams {
  readonly beta1: number
  readonly beta2: number
  readonly eps: number
  readonly weightDecay: number
}

/** Outputs: the parameter and the two moments of its gradients, which are read before they are replaced. */
export const adamwOp: Op<AdamwOperands, AdamwParams> = {
  name: 'adamw',

  infer({ gradient, rates, scale }) {
    for (const [name, operand, shape] of [
      ['gradient', gradient, gradient.shape],
      ['rates', rates, [3]],
      ['scale', scale, [1]],
    ] as const)
      if (operand && (operand.dtype !== 'f32' || !sameShape(operand.shape, shape)))
        throw new ShapeError({
          where: 'adamw',
          what: `${name} does not fit`,
          expected: `f32 ${showShape(shape)}`,
          got: `${operand.dtype} ${showShape(operand.shape)}`,
        })
    return Array.from({ length: 3 }, () => ({ shape: gradient.shape, dtype: 'f32' }))
  },

  flops: ({ gradient }) => 14 * sizeOf(gradient.shape),
}

/** A parameter and the running means of its gradients and of their squares; all f32 and of one shape. */
export interface AdamwState {
  readonly parameter: Tensor
  readonly mean: Tensor
  readonly square: Tensor
}

/**
 * Moves a parameter by one step, in place, and its moments with it: p (1 - rate decay) - rate' m / (sqrt(v) c + eps), see
 * `AdamwOperands`. Throws a ShapeError when something does not fit, a LifetimeError while a tape still reads the parameter.
 */
export function adamwStep({ parameter, mean, square }: AdamwState, inputs: AdamwInputs, params: AdamwParams): void {
  const { gradient, rates, scale } = inputs
  update(adamwOp, { gradient, rates, scale }, [parameter, mean, square], params)
}

export interface AdamwInputs {
  gradient: Tensor
  rates: Tensor
  scale?: Tensor
}
