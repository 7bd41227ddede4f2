// Launches the norms. Group norm takes three passes (moments of slices, their merger, the result), for runs of batches
// where they fit their bindings, else for one batch at a time in windows of whole slices.

import { sizeOf } from '../../tensor/index.js'
import { webgpuKernel, windowElements, windowOf, type Dispatch } from '../../tensor/webgpu/launch.js'
import { formatOf } from '../common/operand.js'
import { chunkRows } from '../common/rows.js'
import { widthOf } from '../common/strip.js'
import { workgroupOf } from '../common/workgroup.js'
import { groupNormOp, groupNormSizes } from './group-norm.js'
import { layerNormOp } from './layer-norm.js'

// As many invocations as keep the device busy in the pass over slices.
const busy = (isFallback: boolean) => (isFallback ? 256 : 32768)
const leastSliceRows = 16
// Rows that share the statistics an invocation has loaded in the last pass.
const rowsOfInvocation = (isFallback: boolean) => (isFallback ? 32 : 4)

export const groupNormWebGpu = webgpuKernel(groupNormOp, call => {
  const { inputs, outputs, params, facts } = call
  const { x, weight, bias } = inputs
  const [out] = outputs
  if (sizeOf(x.shape) === 0) return []
  const { batch, rows, channels, depth } = groupNormSizes(x.shape, params)
  const { groups, eps, activation } = params
  const width = widthOf(channels)
  const strips = channels / width
  const workgroup = workgroupOf(facts)
  const applying = { rows: rowsOfInvocation(facts.isFallback), workgroup: 64 }

  const wantedSlices = Math.ceil(busy(facts.isFallback) / (batch * strips))
  const mostRows = Math.max(1, Math.floor(windowElements('f32', facts) / channels))
  const sliceRows = Math.min(rows, mostRows, Math.max(leastSliceRows, Math.ceil(rows / wantedSlices)))
  const slices = Math.ceil(rows / sliceRows)

  const operands = [x, out].map(({ dtype }) => ({ dtype, perRow: sliceRows * channels }))
  const sliceChunks = chunkRows('groupNorm', slices, operands, facts)
  const whole = sliceChunks.length === 1
  const perBatch = [2 * slices * channels, 4 * groups, whole ? sliceRows * slices * channels : 0]
  const batchChunks = chunkRows(
    'groupNorm',
    batch,
    perBatch.map(perRow => ({ dtype: 'f32', perRow })),
    facts,
  )
  const runs = whole ? batchChunks : Array.from({ length: batch }, (_, start) => ({ start, count: 1 }))

  return runs.flatMap((run): Dispatch[] => {
    const moments = call.scratch([run.count, slices, 2, channels], 'f32')
    const statistics = call.scratch([run.count, groups, 4], 'f32')
    // From the first row of the run's first batch to the first row of its last.
    const start = run.start * rows * channels
    const first = windowOf(x, start, ((run.count - 1) * rows + 1) * channels, facts)
    const firstRow = { first_base: first.base, first_stride: rows * channels }
    const windows = sliceChunks.map(chunk => {
      const row = chunk.start * sliceRows
      const count = Math.min(chunk.count * sliceRows, rows - row)
      const elements = ((run.count - 1) * rows + count) * channels
      return {
        slices: chunk,
        rows: count,
        x: windowOf(x, start + row * channels, elements, facts),
        out: windowOf(out, start + row * channels, elements, facts),
      }
    })
    return [
      ...windows.map((window): Dispatch => ({
        shader: 'norm/group-norm-moments.wgsl',
        defines: { X_FORMAT: formatOf(x, channels), WIDTH: width, WORKGROUP: workgroup },
        bindings: { x: window.x.window, first: first.window, moments },
        uniforms: {
          batch: run.count,
          rows: window.rows,
          slices: window.slices.count,
          slice_0: window.slices.start,
          slices_all: slices,
          slice_rows: sliceRows,
          channels,
          depth,
          x_base: window.x.base,
          ...firstRow,
        },
        workgroups: Math.ceil((run.count * window.slices.count * strips) / workgroup),
      })),
      {
        shader: 'norm/group-norm-merge.wgsl',
        defines: { X_FORMAT: formatOf(x, channels), WORKGROUP: workgroup },
        bindings: { first: first.window, moments, statistics },
        uniforms: { batch: run.count, rows, slices, slice_rows: sliceRows, channels, depth, eps, ...firstRow },
        workgroups: run.count * groups,
      },
      ...windows.map((window): Dispatch => ({
        shader: 'norm/group-norm-apply.wgsl',
        defines: {
          X_FORMAT: formatOf(x, channels),
          WEIGHT_FORMAT: formatOf(weight, channels),
          BIAS_FORMAT: formatOf(bias, channels),
          ACTIVATION: activation,
          WIDTH: width,
          ROWS: applying.rows,
          WORKGROUP: applying.workgroup,
        },
        bindings: { x: window.x.window, weight, bias, statistics, out: window.out.window },
        uniforms: {
          batch: run.count,
          rows: window.rows,
          channels,
          depth,
          x_base: window.x.base,
          out_base: window.out.base,
        },
        workgroups: Math.ceil((run.count * Math.ceil(window.rows / applying.rows) * strips) / applying.workgroup),
      })),
    ]
  })
})

// Up to so many rows leave a CPU's vector lanes and cores idle when an invocation takes a whole one.
const fewRows = 8
const longRow = 256
const lanesOfRow = 16

export const layerNormWebGpu = webgpuKernel(layerNormOp, ({ inputs, outputs: [out], params: { eps }, facts }) => {
  const { x, weight, bias } = inputs
  if (sizeOf(x.shape) === 0) return []
  const channels = x.shape[x.shape.length - 1]
  const rows = sizeOf(x.shape.slice(0, -1))
  const shared = !facts.isFallback || (rows <= fewRows && channels >= longRow)
  const lanes = shared ? lanesOfRow : 1
  const workgroup = shared ? 4 * lanesOfRow : workgroupOf(facts)
  const operands = [x, out].map(({ dtype }) => ({ dtype, perRow: channels }))
  return chunkRows('layerNorm', rows, operands, facts).map(({ start, count }): Dispatch => {
    const xWindow = windowOf(x, start * channels, count * channels, facts)
    const outWindow = windowOf(out, start * channels, count * channels, facts)
    return {
      shader: 'norm/layer-norm.wgsl',
      defines: {
        X_FORMAT: formatOf(x, channels),
        WEIGHT_FORMAT: formatOf(weight, channels),
        BIAS_FORMAT: formatOf(bias, channels),
        WIDTH: widthOf(channels),
        LANES: lanes,
        WORKGROUP: workgroup,
      },
      bindings: { x: xWindow.window, weight, bias, out: outWindow.window },
      uniforms: { rows: count, channels, eps, x_base: xWindow.base, out_base: outWindow.base },
      workgroups: Math.ceil((count * lanes) / workgroup),
    }
  })
})
