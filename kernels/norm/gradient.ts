// Gradients of the norms, of which both see x as [B, rows, groups, depth] with statistics for each batch and group: layer
// norm has one row and one group. Activations are not fused while a tape records (see group-norm.ts).

import { execute, gradient, UsageError, type Shape, type Tensor } from '../../tensor/index.js'
import { add, mul, sub } from '../elementwise/binary.js'
import { affine, rsqrt } from '../elementwise/unary.js'
import { slice } from '../move/slice.js'
import { mean, sum, variance } from '../reduce/reduce.js'
import { groupNormOp, groupNormSizes } from './group-norm.js'
import { layerNormOp } from './layer-norm.js'
import { groupNormGradientOp, layerNormGradientOp } from './norm-gradient.js'

interface Operands<T> {
  readonly x: T
  readonly weight: T
  readonly bias: T
}

/** Whether the gradient is an operation of its own: not in shaders, where it is put together. */
const isFused = ({ runtime, size }: Tensor) => runtime.name !== 'webgpu' && size > 0

/** All gradients, from that of x and sums [parts, 2, C]. */
function fromSums([x, sums]: readonly Tensor[]): Operands<Tensor> {
  const totals = sum(sums, { axes: [0] }) // [2,C]
  const row = (index: number) => slice(totals, 0, index, index + 1).reshape([-1])
  return { x, bias: row(0), weight: row(1) }
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
  if (!readsOperands(needs)) return found
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

/** Whether x and the weight are looked into. */
const readsOperands = (needs: ReadonlySet<keyof Operands<unknown>>) => needs.has('x') || needs.has('weight')

const reads = (_: unknown, needs: ReadonlySet<keyof Operands<unknown>>) =>
  readsOperands(needs) ? (['x', 'weight'] as const) : []

export const layerNormGradient = gradient(
  layerNormOp,
  ({ inputs, upstream: [g], params: { eps }, needs }) => {
    if (!g) return {}
    const { x, weight } = inputs
    const [channels] = weight.shape
    return isFused(g) && readsOperands(needs)
      ? fromSums(execute(layerNormGradientOp, { x, weight, upstream: g }, { eps }))
      : normGradients(inputs, g, [g.size / channels, 1, 1, channels], eps, needs)
  },
  reads,
)

export const groupNormGradient = gradient(
  groupNormOp,
  ({ inputs, upstream: [g], params, needs }) => {
    const { activation, groups, eps } = params
    if (activation !== 'none')
      throw new UsageError({ where: 'groupNorm', what: 'a fused activation has no gradient', got: activation })
    if (!g) return {}
    const { x, weight } = inputs
    const { batch, rows, depth } = groupNormSizes(x.shape, params)
    return isFused(g) && readsOperands(needs)
      ? fromSums(execute(groupNormGradientOp, { x, weight, upstream: g }, { groups, eps }))
      : normGradients(inputs, g, [batch, rows, groups, depth], eps, needs)
  },
  reads,
)
