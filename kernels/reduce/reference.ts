// Reductions, plain: every element goes to the result it belongs to, in double precision.

import { referenceKernel } from '../../tensor/reference/compute.js'
import { sizeOf, stridesOf, type Shape } from '../../tensor/index.js'
import { argOp, cumsumOp, lineSizes } from './line.js'
import { reduceOp, reducedCount } from './reduce.js'

/** For every element of x, the index of the result it belongs to. */
function resultOf(x: Shape, axes: readonly number[]): (i: number) => number {
  const strides = stridesOf(x)
  const resultStrides = stridesOf(x.map((size, axis) => (axes.includes(axis) ? 1 : size)))
  return i =>
    x.reduce((index, size, axis) => {
      const at = axes.includes(axis) ? 0 : Math.floor(i / strides[axis]) % size
      return index + at * resultStrides[axis]
    }, 0)
}

export const reduceReference = referenceKernel(reduceOp, ({ x }, [out], { kind, axes }) => {
  const count = reducedCount(x.shape, { axes })
  const target = resultOf(x.shape, axes)
  const fold = (start: number, step: (total: number, value: number, index: number) => number): Float64Array => {
    const totals = new Float64Array(sizeOf(out.shape)).fill(start)
    for (let i = 0; i < sizeOf(x.shape); i++) totals[target(i)] = step(totals[target(i)], x.data[i], target(i))
    return totals
  }
  if (kind === 'max') return out.data.set(fold(-Infinity, (most, value) => Math.max(most, value)))
  if (kind === 'min') return out.data.set(fold(Infinity, (least, value) => Math.min(least, value)))
  const sums = fold(0, (total, value) => total + value)
  if (kind === 'sum') return out.data.set(sums)
  const means = sums.map(sum => sum / count)
  if (kind === 'mean') return out.data.set(means)
  out.data.set(fold(0, (total, value, index) => total + (value - means[index]) ** 2 / count))
})

export const argReference = referenceKernel(argOp, ({ x }, [out], params) => {
  const { outer, length, inner } = lineSizes(x.shape, params)
  const sign = params.kind === 'argmax' ? 1 : -1
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++) {
      let best = -Infinity
      let place = 0
      for (let n = 0; n < length && !Number.isNaN(best); n++) {
        const value = sign * x.data[(o * length + n) * inner + i]
        if (value > best || Number.isNaN(value)) [best, place] = [value, n]
      }
      out.data[o * inner + i] = place
    }
})

export const cumsumReference = referenceKernel(cumsumOp, ({ x }, [out], params) => {
  const { outer, length, inner } = lineSizes(x.shape, params)
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++) {
      let total = 0
      for (let n = 0; n < length; n++) {
        const at = (o * length + n) * inner + i
        total += x.data[at]
        out.data[at] = total
      }
    }
})
