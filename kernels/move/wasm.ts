// Data movement: strided copies as moves or transpositions of boxes, and padding by rows.

import { broadcastStrides, byteSize, sizeOf, stridesOf, type Shape, type StoredTensor } from '../../tensor/index.js'
import { wasmKernel, type Launch } from '../../tensor/wasm/launch.js'
import { cutBox, cutRows, mergedBox } from '../common/wasm-box.js'
import { catOp, catStarts } from './cat.js'
import { wordOf } from './copy.js'
import { expandOp } from './expand.js'
import { padOp, type PadMode, type PadParams } from './pad.js'
import { permuteOp } from './permute.js'
import { sliceOp } from './slice.js'

/** Elements of a tensor: the first one, and strides. */
interface Walk {
  readonly tensor: StoredTensor
  readonly start?: number
  readonly strides: readonly number[]
}

/** Sixteen words of x are a line of its cache; the output, which is read before it is written, goes page after page. */
const strip = { rows: 16, columns: 1024 }

/** to[i] = from[i] for every index i of the shape. */
function copy(shape: Shape, to: Walk, from: Walk): Launch[] {
  if (sizeOf(shape) === 0) return []
  const bits = Math.log2(byteSize(to.tensor.dtype))
  const both = [to.strides, from.strides]
  const merged = mergedBox(shape, both)
  // The axis whose elements lie side by side in x, where it is not the one that they do in the output.
  const inner = merged.shape.length - 1
  const beside = merged.strides[1].indexOf(1)
  const transposes = bits > 0 && beside >= 0 && beside < inner && merged.strides[0][inner] === 1
  const reordered = (list: readonly number[]) =>
    beside === inner - 1 ? list : [...list.toSpliced(beside, 1).slice(0, -1), list[beside], list[inner]]
  const { box, strides, units } = transposes
    ? cutBox(reordered(merged.shape), merged.strides.map(reordered), strip)
    : cutRows(merged)
  const [outStrides, xStrides] = strides
  const starts = { start: from.start ?? 0, outStart: to.start ?? 0 }
  return [
    {
      kernel: transposes ? 'transposeBox' : 'moveBox',
      params: { x: from.tensor, out: to.tensor, bits, box, outStrides, xStrides, ...starts },
      units,
    },
  ]
}

const contiguous = (tensor: StoredTensor): Walk => ({ tensor, strides: stridesOf(tensor.shape) })

export const permuteWasm = wasmKernel(permuteOp, ({ inputs: { x }, outputs: [out], params: { axes } }) => {
  const { strides } = contiguous(x)
  return copy(out.shape, contiguous(out), { tensor: x, strides: axes.map(axis => strides[axis]) })
})

export const sliceWasm = wasmKernel(sliceOp, ({ inputs: { x }, outputs: [out], params: { axis, start, step } }) => {
  const { strides } = contiguous(x)
  const from = { tensor: x, start: start * strides[axis], strides: strides.with(axis, step * strides[axis]) }
  return copy(out.shape, contiguous(out), from)
})

export const expandWasm = wasmKernel(expandOp, ({ inputs: { x }, outputs: [out] }) =>
  copy(out.shape, contiguous(out), { tensor: x, strides: broadcastStrides(x.shape, out.shape) }),
)

export const catWasm = wasmKernel(catOp, ({ inputs, outputs: [out], params: { axis } }) => {
  const parts = Object.values(inputs)
  const starts = catStarts(parts, axis)
  const { strides } = contiguous(out)
  return parts.flatMap((part, i) =>
    copy(part.shape, { tensor: out, start: starts[i] * strides[axis], strides }, contiguous(part)),
  )
})

/** Modes by their numbers in pad.as.ts. */
const modes: readonly PadMode[] = ['constant', 'reflect', 'replicate']

export const padWasm = wasmKernel(padOp, ({ inputs: { x }, outputs: [out], params: { widths, mode, value } }) => {
  if (sizeOf(out.shape) === 0) return []
  const axes = paddedAxes(x.shape, widths)
  // An innermost axis that is not padded is moved whole: its elements are the items of a row.
  const item = isPadded(axes[axes.length - 1]) ? 1 : axes.pop()!.size
  const row = axes.pop() ?? { size: 1, before: 0, after: 0 }
  const outSize = ({ size, before, after }: PaddedAxis) => size + before + after
  return [
    {
      kernel: 'pad',
      params: {
        x,
        out,
        mode: modes.indexOf(mode),
        value: wordOf(x.dtype, value),
        item: item * byteSize(x.dtype),
        axes: axes.length,
        list: axes.toReversed().flatMap(axis => [outSize(axis), axis.size, axis.before]),
        ...row,
      },
      units: axes.reduce((rows, axis) => rows * outSize(axis), 1),
    },
  ]
})

interface PaddedAxis {
  size: number
  readonly before: number
  readonly after: number
}

const isPadded = ({ before, after }: PaddedAxis) => before + after > 0

/** The axes of x, neighbours of which none is padded made one. */
function paddedAxes(shape: Shape, widths: PadParams['widths']): PaddedAxis[] {
  const axes: PaddedAxis[] = []
  shape.forEach((size, axis) => {
    const [before, after] = widths[axis]
    const last = axes.at(-1)
    if (before + after > 0 || !last || isPadded(last)) axes.push({ size, before, after })
    else last.size *= size
  })
  return axes
}
