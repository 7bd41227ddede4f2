// Gradients of the norms as operations of their own: with respect to x, and for weight and bias sums over parts of the
// rows.

import { ShapeError, showShape, sizeOf, type Op, type Shape, type TensorSpec } from '../../tensor/index.js'
import { assertFloat } from '../common/operand.js'
import { groupNormSizes, type GroupNormParams } from './group-norm.js'
import type { LayerNormParams } from './layer-norm.js'

export interface NormGradientOperands {
  /** [..., C] */
  x: unknown
  /** [C] */
  weight: unknown
  /** Gradient of the result, f32 of x's shape. */
  upstream: unknown
}

/** Rows of layer norm whose parts of the sums are added on the way. */
export const partRows = 64

function assertOperands(
  where: string,
  { x, weight, upstream }: { x: TensorSpec; weight: TensorSpec; upstream: TensorSpec },
): number {
  const fail = (what: string, expected: string, got: Shape): never => {
    throw new ShapeError({ where, what, expected, got: showShape(got) })
  }
  for (const [name, operand] of Object.entries({ x, weight, upstream })) assertFloat(where, name, operand)
  const channels = x.shape[x.shape.length - 1]
  if (String(weight.shape) !== String([channels])) fail('weight does not fit', `[${channels}]`, weight.shape)
  if (upstream.dtype !== 'f32' || String(upstream.shape) !== String(x.shape))
    fail('gradient does not fit', `f32 ${showShape(x.shape)}`, upstream.shape)
  return channels
}

/** Gives that of x, f32, and sums [parts, 2, C] of upstream and of upstream times the normalised x, part by part. */
export const layerNormGradientOp: Op<NormGradientOperands, LayerNormParams> = {
  name: 'layerNorm gradient',
  infer(operands) {
    const channels = assertOperands('layerNorm gradient', operands)
    const { shape } = operands.x
    const parts = Math.ceil(sizeOf(shape.slice(0, -1)) / partRows)
    return [
      { shape, dtype: 'f32' },
      { shape: [parts, 2, channels], dtype: 'f32' },
    ]
  },
  flops: ({ x }) => 20 * sizeOf(x.shape),
}

/** As of layer norm; a part is a batch. */
export const groupNormGradientOp: Op<NormGradientOperands, Omit<GroupNormParams, 'activation'>> = {
  name: 'groupNorm gradient',
  infer(operands, { groups }) {
    const channels = assertOperands('groupNorm gradient', operands)
    const { shape } = operands.x
    if (shape.length < 2 || !Number.isInteger(groups) || groups < 1 || channels % groups !== 0)
      throw new ShapeError({
        where: 'groupNorm gradient',
        what: 'groups do not divide the channels',
        expected: `[B, ..., C] and a divisor of C`,
        got: `${showShape(shape)} and ${groups}`,
      })
    return [
      { shape, dtype: 'f32' },
      { shape: [groupNormSizes(shape, { groups }).batch, 2, channels], dtype: 'f32' },
    ]
  },
  flops: ({ x }) => 20 * sizeOf(x.shape),
}
