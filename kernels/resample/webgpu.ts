// Launches resize.wgsl: for runs of pictures where they fit their bindings, else for windows of a picture's rows.

import { sizeOf } from '../../tensor/index.js'
import { webgpuKernel, windowElements, windowOf, type Dispatch } from '../../tensor/webgpu/launch.js'
import { formatOf } from '../common/operand.js'
import { chunkRows, whole, type Rows } from '../common/rows.js'
import { widthOf } from '../common/strip.js'
import { streamOf } from '../common/workgroup.js'
import { cubicOf, resizeOp, samplingOf } from './resize.js'

// Rows of the input beside a window's own: rounding, and both ends.
const slack = 3

export const resizeWebGpu = webgpuKernel(resizeOp, ({ inputs: { x }, outputs: [out], params, facts }) => {
  if (sizeOf(out.shape) === 0) return []
  const [batch, height, width, channels] = x.shape
  const [outHeight, outWidth] = params.size
  const vertical = samplingOf(params, height, 0)
  const horizontal = samplingOf(params, width, 1)
  const strip = widthOf(channels)
  const stream = streamOf(facts)
  const each = channels / strip < stream.each ? 1 : stream.each
  const runs = Math.ceil(channels / (strip * each))
  const rowOf = { x: width * channels, out: outWidth * channels }

  const launch = (batches: Rows, outRows: Rows): Dispatch => {
    const place = (row: number) => vertical.scale * row + vertical.shift
    const bound = (row: number) => Math.min(Math.max(Math.floor(row), 0), height - 1)
    const all = outRows.count === outHeight
    const top = all ? 0 : bound(place(outRows.start) - vertical.support - 1)
    const bottom = all ? height - 1 : bound(place(outRows.start + outRows.count - 1) + vertical.support + 1)
    const rows = bottom - top + 1
    const elements = (all: number, rows: number, row: number) => ((batches.count - 1) * all + rows) * row
    const xWindow = windowOf(x, (batches.start * height + top) * rowOf.x, elements(height, rows, rowOf.x), facts)
    const outStart = (batches.start * outHeight + outRows.start) * rowOf.out
    const outWindow = windowOf(out, outStart, elements(outHeight, outRows.count, rowOf.out), facts)
    const results = batches.count * outRows.count * outWidth
    return {
      shader: 'resample/resize.wgsl',
      defines: {
        X_FORMAT: formatOf(x, channels),
        MODE: params.mode,
        ANTIALIAS: params.antialias,
        CUBIC: cubicOf(params),
        WIDTH: strip,
        WORKGROUP: stream.workgroup,
        EACH: each,
      },
      bindings: { x: xWindow.window, out: outWindow.window },
      uniforms: {
        batch: batches.count,
        height,
        width,
        channels,
        runs,
        window_row: top,
        window_rows: rows,
        out_row: outRows.start,
        out_rows: outRows.count,
        out_width: outWidth,
        scale_y: vertical.scale,
        scale_x: horizontal.scale,
        shift_y: vertical.shift,
        shift_x: horizontal.shift,
        support_y: vertical.support,
        support_x: horizontal.support,
        shrink_y: 1 / vertical.stretch,
        shrink_x: 1 / horizontal.stretch,
        x_base: xWindow.base,
        out_base: outWindow.base,
      },
      workgroups: Math.ceil((results * runs) / stream.workgroup),
    }
  }

  const pictures = [
    { dtype: x.dtype, perRow: height * rowOf.x },
    { dtype: out.dtype, perRow: outHeight * rowOf.out },
  ]
  if (pictures.every(({ dtype, perRow }) => perRow <= windowElements(dtype, facts)))
    return chunkRows('resize', batch, pictures, facts).map(chunk => launch(chunk, whole(outHeight)))

  // A row of the result counts for all the rows that a window of it alone would want: simple, and never too little.
  const rows = [
    { dtype: x.dtype, perRow: Math.ceil(vertical.scale + 2 * vertical.support + slack) * rowOf.x },
    { dtype: out.dtype, perRow: rowOf.out },
  ]
  const rowChunks = chunkRows('resize', outHeight, rows, facts)
  return Array.from({ length: batch }, (_, start) => ({ start, count: 1 })).flatMap(picture =>
    rowChunks.map(chunk => launch(picture, chunk)),
  )
})
