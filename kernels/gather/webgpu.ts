// Launches gather.wgsl and scatter-add.wgsl: for runs of slabs (the axes before the indexed one) where they fit their
// bindings, else for one slab, a window of its rows and a window of its items at a time.

import { sizeOf, type DType, type StoredTensor } from '../../tensor/index.js'
import type { AdapterFacts } from '../../tensor/webgpu/adapter.js'
import { webgpuKernel, windowElements, windowOf, type Dispatch } from '../../tensor/webgpu/launch.js'
import { formatOf } from '../common/operand.js'
import { chunkRows, whole, type Rows } from '../common/rows.js'
import { widthOf } from '../common/strip.js'
import { streamOf, workgroupOf } from '../common/workgroup.js'
import { lineSizes } from '../reduce/line.js'
import { gatherOp } from './gather.js'
import { scatterAddOp } from './scatter-add.js'

/** What an index points into, or what it points from: [slabs, length, inner] elements. */
interface Side {
  readonly length: number
  readonly dtypes: readonly DType[]
}

/** One dispatch's share: several slabs are always whole. */
interface Part {
  readonly slabs: Rows
  /** What the index points into. */
  readonly rows: Rows
  /** What it points from. */
  readonly items: Rows
}

function partsOf(where: string, slabs: number, inner: number, rows: Side, items: Side, facts: AdapterFacts): Part[] {
  const operands = (side: Side, perRow: number) => side.dtypes.map(dtype => ({ dtype, perRow }))
  const slab = [...operands(rows, rows.length * inner), ...operands(items, items.length * inner)]
  if (slab.every(({ dtype, perRow }) => perRow <= windowElements(dtype, facts)))
    return chunkRows(where, slabs, slab, facts).map(slabs => ({
      slabs,
      rows: whole(rows.length),
      items: whole(items.length),
    }))

  // Where there is nothing, one empty window: indices without a row, and rows without an index, have their outputs too.
  const cut = (side: Side) =>
    side.length === 0 ? [whole(0)] : chunkRows(where, side.length, operands(side, inner), facts)
  const rowRuns = cut(rows)
  const itemRuns = cut(items)
  return Array.from({ length: slabs }, (_, start) => ({ start, count: 1 })).flatMap(slabs =>
    rowRuns.flatMap(rows => itemRuns.map(items => ({ slabs, rows, items }))),
  )
}

export const gatherWebGpu = webgpuKernel(gatherOp, ({ inputs, outputs: [out], params, facts }) => {
  const { x, index } = inputs
  if (sizeOf(out.shape) === 0) return []
  const { outer, length, inner } = lineSizes(x.shape, params)
  const count = out.shape[params.axis]
  const strip = params.shared ? widthOf(inner) : 1
  const { workgroup, each } = streamOf(facts)
  const rows = { length, dtypes: [x.dtype] }
  const items = { length: count, dtypes: [out.dtype, index.dtype] }
  return partsOf('gather', outer, inner, rows, items, facts).map(({ slabs, rows, items }): Dispatch => {
    const itemStart = slabs.start * count + items.start
    const itemCount = slabs.count * items.count
    const xWindow = windowOf(x, (slabs.start * length + rows.start) * inner, slabs.count * rows.count * inner, facts)
    const outWindow = windowOf(out, itemStart * inner, itemCount * inner, facts)
    const indexWindow = params.shared
      ? windowOf(index, items.start, items.count, facts)
      : windowOf(index, itemStart * inner, itemCount * inner, facts)
    return {
      shader: 'gather/gather.wgsl',
      defines: {
        X_FORMAT: params.shared ? formatOf(x, inner) : x.dtype,
        WIDTH: strip,
        WORKGROUP: workgroup,
        EACH: each,
      },
      bindings: { x: xWindow.window, index: indexWindow.window, out: outWindow.window },
      uniforms: {
        slabs: slabs.count,
        items: items.count,
        inner,
        length,
        row_0: rows.start,
        rows: rows.count,
        index_slab: params.shared ? 0 : items.count * inner,
        index_item: params.shared ? 1 : inner,
        index_inner: params.shared ? 0 : 1,
        x_base: xWindow.base,
        index_base: indexWindow.base,
        out_base: outWindow.base,
        missing: NaN,
      },
      workgroups: Math.ceil((itemCount * inner) / strip / (workgroup * each)),
    }
  })
})

export const scatterAddWebGpu = webgpuKernel(scatterAddOp, ({ inputs, outputs: [out], params, facts }) => {
  const { x, index } = inputs
  if (sizeOf(out.shape) === 0) return []
  const { outer, length, inner } = lineSizes(x.shape, params)
  const { size } = params
  const workgroup = workgroupOf(facts)
  const rows = { length: size, dtypes: [out.dtype] }
  const items = { length, dtypes: [x.dtype, index.dtype] }
  return partsOf('scatterAdd', outer, inner, rows, items, facts).map(({ slabs, rows, items }): Dispatch => {
    const window = (tensor: StoredTensor, perSlab: number, { start, count }: Rows) =>
      windowOf(tensor, (slabs.start * perSlab + start) * inner, slabs.count * count * inner, facts)
    const xWindow = window(x, length, items)
    const indexWindow = window(index, length, items)
    const outWindow = window(out, size, rows)
    return {
      shader: 'gather/scatter-add.wgsl',
      defines: { X_FORMAT: x.dtype, ACCUMULATE: items.start > 0, WORKGROUP: workgroup },
      bindings: { x: xWindow.window, index: indexWindow.window, out: outWindow.window },
      uniforms: {
        slabs: slabs.count,
        items: items.count,
        inner,
        row_0: rows.start,
        rows: rows.count,
        x_base: xWindow.base,
        index_base: indexWindow.base,
        out_base: outWindow.base,
      },
      workgroups: Math.ceil((slabs.count * Math.ceil(rows.count / 4) * inner) / workgroup),
    }
  })
})
