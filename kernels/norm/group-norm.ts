// Group normalisation over channels last, with an optional activation behind it.

import {
  execute,
  isTracked,
  ShapeError,
  showShape,
  sizeOf,
  type Op,
  type Shape,
  type Tensor,
} from '../../tensor/index.js'
import type { Activation } from '../common/activations.js'
import { activate } from '../elementwise/unary.js'
import { assertAffine } from './affine.js'

export interface GroupNormOperands {
  /** [B, ..., C] */
  x: unknown
  /** [C] */
  weight: unknown
  /** [C] */
  bias: unknown
}

export interface GroupNormParams {
  /** Divides C. */
  readonly groups: number
  readonly eps: number
  readonly activation: Activation
}

/** A shape seen as [batch, rows, channels], and channels per group. */
export function groupNormSizes(x: Shape, { groups }: Pick<GroupNormParams, 'groups'>) {
  const channels = x[x.length - 1]
  return { batch: x[0], rows: sizeOf(x.slice(1, -1)), channels, depth: channels / groups }
}

export const groupNormOp: Op<GroupNormOperands, GroupNormParams> = {
  name: 'groupNorm',

  infer({ x, weight, bias }, { groups, eps }) {
    if (x.shape.length < 2)
      throw new ShapeError({
        where: 'groupNorm',
        what: 'x has too few axes',
        expected: '[B, ..., C]',
        got: showShape(x.shape),
      })
    const channels = assertAffine('groupNorm', { x, weight, bias }, eps)
    if (!(Number.isInteger(groups) && groups > 0 && channels % groups === 0))
      throw new ShapeError({
        where: 'groupNorm',
        what: 'groups do not divide the channels',
        expected: `a divisor of ${channels}`,
        got: String(groups),
      })
    return [{ shape: x.shape, dtype: 'f32' }]
  },

  // Mean and deviation take five operations an element, the result four.
  flops: ({ x }) => 9 * sizeOf(x.shape),
}

export interface GroupNormOptions {
  groups: number
  eps: number
  /** Applied to the result. */
  activation?: Activation
}

/**
 * (x - mean) / sqrt(variance + eps) * weight [C] + bias [C] for x [B, ..., C], with statistics for each batch and each
 * group of C / groups neighbouring channels over all axes between; then the activation. Result f32 of x's shape.
 * Throws a ShapeError when operands do not fit.
 */
export function groupNorm(x: Tensor, weight: Tensor, bias: Tensor, options: GroupNormOptions): Tensor {
  const { groups, eps, activation = 'none' } = options
  if (activation !== 'none' && isTracked(x, weight, bias)) {
    using inner = groupNorm(x, weight, bias, { groups, eps })
    return activate(inner, activation)
  }
  return execute(groupNormOp, { x, weight, bias }, { groups, eps, activation })[0]
}
