// Gradients of data movement: everything goes back to where it came from, and what was copied several times is added.

import { gradient, type Tensor } from '../../tensor/index.js'
import { add } from '../elementwise/binary.js'
import { reversed } from '../gather/reversed.js'
import { sum } from '../reduce/reduce.js'
import { sumTo } from '../reduce/sum-to.js'
import { catOp, catStarts } from './cat.js'
import { expandOp } from './expand.js'
import { padOp, type PadMode } from './pad.js'
import { permute, permuteOp } from './permute.js'
import { slice, sliceOp } from './slice.js'
import { padAxis, spread } from './spread.js'

export const permuteGradient = gradient(
  permuteOp,
  ({ upstream: [g], params: { axes } }) =>
    g
      ? {
          x: permute(
            g,
            axes.map((_, axis) => axes.indexOf(axis)),
          ),
        }
      : {},
  () => [],
)

export const sliceGradient = gradient(
  sliceOp,
  ({ inputs: { x }, upstream: [g], params: { axis, start, step } }) => {
    if (!g) return {}
    const rest = x.shape[axis] - start
    const apart = step === 1 ? g : spread(g, axis, step)
    const length = Math.min(apart.shape[axis], rest) // the last one's zeros may reach over the end
    return { x: padAxis(slice(apart, axis, 0, length), axis, start, rest - length) }
  },
  () => [],
)

export const catGradient = gradient(
  catOp,
  ({ inputs, upstream: [g], params: { axis }, needs }) => {
    if (!g) return {}
    const parts = Object.values(inputs)
    const starts = catStarts(parts, axis)
    const wanted = Object.keys(inputs).map((name, i) => ({ name, start: starts[i], size: parts[i].shape[axis] }))
    return Object.fromEntries(
      wanted
        .filter(({ name }) => needs.has(name))
        .map(({ name, start, size }) => [name, slice(g, axis, start, start + size)]),
    )
  },
  () => [],
)

export const expandGradient = gradient(
  expandOp,
  ({ inputs: { x }, upstream: [g] }) => (g ? { x: sumTo(g, x.shape) } : {}),
  () => [],
)

/** What the elements added in front of an axis (`size` long) give back to it; those behind it are the same reversed. */
function givenBack(front: Tensor, axis: number, size: number, mode: PadMode): Tensor {
  const width = front.shape[axis]
  if (mode === 'replicate') return padAxis(sum(front, { axes: [axis], keepDims: true }), axis, 0, size - 1)
  return padAxis(reversed(front, axis), axis, 1, size - 1 - width)
}

function unpadAxis(g: Tensor, axis: number, [before, after]: readonly [number, number], mode: PadMode): Tensor {
  const size = g.shape[axis] - before - after
  let inner = slice(g, axis, before, before + size)
  if (mode === 'constant') return inner
  if (before > 0) inner = add(inner, givenBack(slice(g, axis, 0, before), axis, size, mode))
  if (after > 0) {
    const behind = reversed(slice(g, axis, before + size, g.shape[axis]), axis)
    inner = add(inner, reversed(givenBack(behind, axis, size, mode), axis))
  }
  return inner
}

export const padGradient = gradient(
  padOp,
  ({ upstream: [g], params: { widths, mode } }) =>
    g ? { x: widths.reduce((inner, pair, axis) => unpadAxis(inner, axis, pair, mode), g) } : {},
  () => [],
)
