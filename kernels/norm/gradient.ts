// Gradients of the norms.

import { gradient } from '../../tensor/index.js'
import { add, mul, sub } from '../elementwise/binary.js'
import { affine, rsqrt } from '../elementwise/unary.js'
import { mean, sum, variance } from '../reduce/reduce.js'
import { layerNormOp } from './layer-norm.js'

export const layerNormGradient = gradient(
  layerNormOp,
  ({ inputs: { x, weight }, upstream: [g], params: { eps }, needs }) => {
    if (!g) return {}
    const along = { axes: [-1], keepDims: true }
    const scale = rsqrt(affine(variance(x, along), 1, eps)) // [...,1]
    const normal = mul(sub(x, mean(x, along)), scale)
    const rows = { axes: g.shape.slice(0, -1).map((_, axis) => axis) }
    const found = {
      weight: needs.has('weight') ? sum(mul(g, normal), rows) : undefined,
      bias: needs.has('bias') ? sum(g, rows) : undefined,
    }
    if (!needs.has('x')) return found
    const weighted = mul(g, weight)
    const shift = add(mean(weighted, along), mul(normal, mean(mul(weighted, normal), along)))
    return { ...found, x: mul(sub(weighted, shift), scale) }
  },
  (_, needs) => (needs.has('x') || needs.has('weight') ? ['x', 'weight'] : []),
)
