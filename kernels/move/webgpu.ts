// Data movement as strided copies.

import { broadcastStrides, sizeOf, stridesOf, type StoredTensor } from '../../tensor/index.js'
import { webgpuKernel } from '../../tensor/webgpu/launch.js'
import type { Strided } from '../common/boxes.js'
import { catOp, catStarts } from './cat.js'
import { copyDispatches, type Copy } from './copy.js'
import { expandOp } from './expand.js'
import { padOp, type PadParams } from './pad.js'
import { permuteOp } from './permute.js'
import { sliceOp } from './slice.js'

const contiguous = (tensor: StoredTensor): Strided => ({ tensor, start: 0, strides: stridesOf(tensor.shape) })

export const permuteWebGpu = webgpuKernel(permuteOp, ({ inputs: { x }, outputs: [out], params, facts }) => {
  const { strides } = contiguous(x)
  const from = { tensor: x, start: 0, strides: params.axes.map(axis => strides[axis]) }
  return copyDispatches('permute', notEmpty([{ shape: out.shape, to: contiguous(out), from }]), facts)
})

export const sliceWebGpu = webgpuKernel(sliceOp, ({ inputs: { x }, outputs: [out], params, facts }) => {
  const { axis, start, step } = params
  const { strides } = contiguous(x)
  const from = { tensor: x, start: start * strides[axis], strides: strides.with(axis, step * strides[axis]) }
  return copyDispatches('slice', notEmpty([{ shape: out.shape, to: contiguous(out), from }]), facts)
})

export const expandWebGpu = webgpuKernel(expandOp, ({ inputs: { x }, outputs: [out], facts }) => {
  const from = { tensor: x, start: 0, strides: broadcastStrides(x.shape, out.shape) }
  return copyDispatches('expand', notEmpty([{ shape: out.shape, to: contiguous(out), from }]), facts)
})

export const catWebGpu = webgpuKernel(catOp, ({ inputs, outputs: [out], params: { axis }, facts }) => {
  const parts = Object.values(inputs)
  const starts = catStarts(parts, axis)
  const { strides } = contiguous(out)
  const copies = parts.map((part, i) => ({
    shape: part.shape,
    to: { tensor: out, start: starts[i] * strides[axis], strides },
    from: contiguous(part),
  }))
  return copyDispatches('cat', notEmpty(copies), facts)
})

export const padWebGpu = webgpuKernel(padOp, ({ inputs: { x }, outputs: [out], params, facts }) =>
  copyDispatches('pad', notEmpty(padCopies(x, out, params)), facts),
)

/** A stretch of one axis of the padded output, and where in x it comes from: nowhere when it takes the constant. */
interface Stretch {
  readonly start: number
  readonly size: number
  readonly from?: { readonly start: number; readonly step: number }
}

function stretchesOf(n: number, [before, after]: readonly [number, number], mode: PadParams['mode']): Stretch[] {
  const from = (start: number) => (mode === 'constant' ? undefined : { start, step: mode === 'reflect' ? -1 : 0 })
  return [
    { start: 0, size: before, from: from(mode === 'reflect' ? before : 0) },
    { start: before, size: n, from: { start: 0, step: 1 } },
    { start: before + n, size: after, from: from(mode === 'reflect' ? n - 2 : n - 1) },
  ].filter(({ size }) => size > 0)
}

// One copy for every combination of stretches: the inside, the edges, the corners.
function padCopies(x: StoredTensor, out: StoredTensor, { widths, mode, value }: PadParams): Copy[] {
  const source = stridesOf(x.shape)
  const target = stridesOf(out.shape)
  const regions = x.shape.reduce<Stretch[][]>(
    (regions, n, axis) =>
      regions.flatMap(region => stretchesOf(n, widths[axis], mode).map(stretch => [...region, stretch])),
    [[]],
  )
  return regions.map(region => {
    const dot = (values: readonly number[], strides: readonly number[]) =>
      values.reduce((sum, n, axis) => sum + n * strides[axis], 0)
    const sources = region.flatMap(({ from }) => from ?? [])
    const to = {
      tensor: out,
      start: dot(
        region.map(({ start }) => start),
        target,
      ),
      strides: target,
    }
    const shape = region.map(({ size }) => size)
    if (sources.length < region.length) return { shape, to, from: value }
    const start = dot(
      sources.map(({ start }) => start),
      source,
    )
    return { shape, to, from: { tensor: x, start, strides: sources.map(({ step }, axis) => step * source[axis]) } }
  })
}

const notEmpty = (copies: readonly Copy[]): Copy[] => copies.filter(({ shape }) => sizeOf(shape) > 0)
