// Gradients of choosing by indices and of summing by them: each is the other's.

import { gradient } from '../../tensor/index.js'
import { cast } from '../elementwise/cast.js'
import { affine, clamp } from '../elementwise/unary.js'
import { expand } from '../move/expand.js'
import { pad } from '../move/pad.js'
import { gather, gatherOp } from './gather.js'
import { scatterAdd, scatterAddOp } from './scatter-add.js'

export const gatherGradient = gradient(
  gatherOp,
  ({ inputs: { x, index }, upstream: [g], params: { axis, shared } }) => {
    if (!g) return {}
    const lines = shared ? expand(index.reshape(g.shape.map((n, i) => (i === axis ? n : 1))), g.shape) : index
    return { x: scatterAdd(g, axis, lines, x.shape[axis]) }
  },
  () => ['index'],
)

/**
 * Elements left out, whose index is outside, find a zero at either end. Indices go through f32, which is exact below
 * 2^24.
 */
export const scatterAddGradient = gradient(
  scatterAddOp,
  ({ inputs: { index }, upstream: [g], params: { axis, size } }) => {
    if (!g) return {}
    const ends = g.shape.map((_, i): [number, number] => (i === axis ? [1, 1] : [0, 0]))
    const moved = cast(affine(clamp(cast(index, 'f32'), -1, size), 1, 1), 'i32')
    return { x: gather(pad(g, ends), axis, moved) }
  },
  () => ['index'],
)
