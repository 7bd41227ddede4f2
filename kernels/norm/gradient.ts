// Gradients of the norms, of which both see x as [B, rows, groups, depth] with statistics for each batch and group: layer
// norm has one row and one group. Activations are not fused while a tape records (see group-norm.ts).

import { gradient, UsageError, type Shape, type Tensor } from '../../tensor/index.js'
import { add, mul, sub } from '../elementwise/binary.js'
import { affine, rsqrt } from '../elementwise/unary.js'
import { mean, sum, variance } from '../reduce/reduce.js'
import { groupNormOp, groupNormSizes } from './group-norm.js'
import { layerNormOp } from './layer-norm.js'

interface Operands<T> {
  readonly x: T
  readonly weight: T
  readonly bias: T
}

/** Gradients of a norm of x seen as `shape`, [B, rows, groups, depth], from that of its result. */
function normGradients(
  { x, weight, bias }: Operands<Tensor>,
  g: Tensor,
  shape: Shape,
  eps: number,
  needs: ReadonlySet<keyof Operands<unknown>>,
): Partial<Operands<Tensor>> {
  const along = { axes: [1, 3], keepDims: true }
  const upstream = g.reshape(shape)
  const found: { x?: Tensor; weight?: Tensor; bias?: Tensor } = {}
  if (needs.has('bias')) found.bias = sum(upstream, { axes: [0, 1] }).reshape(bias.shape)
  if (!needs.has('x') && !needs.has('weight')) return found
  const values = x.reshape(shape)
  const scale = rsqrt(affine(variance(values, along), 1, eps)) // [B,1,groups,1]
  const normal = mul(sub(values, mean(values, along)), scale)
  if (needs.has('weight')) found.weight = sum(mul(upstream, normal), { axes: [0, 1] }).reshape(weight.shape)
  if (!needs.has('x')) return found
  const weighted = mul(upstream, weight.reshape(shape.slice(2)))
  const shift = add(mean(weighted, along), mul(normal, mean(mul(weighted, normal), along)))
  found.x = mul(sub(weighted, shift), scale).reshape(x.shape)
  return found
}

/** What they look into. */
const reads = (_: unknown, needs: ReadonlySet<keyof Operands<unknown>>) =>
  needs.has('x') || needs.has('weight') ? (['x', 'weight'] as const) : []

export const layerNormGradient = gradient(
  layerNormOp,
  ({ inputs, upstream: [g], params: { eps }, needs }) => {
    const channels = inputs.weight.shape[0]
    return g ? normGradients(inputs, g, [g.size / channels, 1, 1, channels], eps, needs) : {}
  },
  reads,
)

export const groupNormGradient = gradient(
  groupNormOp,
  ({ inputs, upstream: [g], params, needs }) => {
    if (params.activation !== 'none')
      throw new UsageError({ where: 'groupNorm', what: 'a fused activation has no gradient', got: params.activation })
    const { batch, rows, depth } = groupNormSizes(inputs.x.shape, params)
    return g ? normGradients(inputs, g, [batch, rows, params.groups, depth], params.eps, needs) : {}
  },
  reads,
)
