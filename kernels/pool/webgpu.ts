// Launches pool.wgsl: for runs of pictures where they fit their bindings, else for rows of one picture.

import { sizeOf } from '../../tensor/index.js'
import { webgpuKernel, type Dispatch } from '../../tensor/webgpu/launch.js'
import { formatOf } from '../common/operand.js'
import { pictureParts, pictureWindow } from '../common/pictures.js'
import { whole } from '../common/rows.js'
import { widthOf } from '../common/strip.js'
import { streamOf } from '../common/workgroup.js'
import { spanOf } from '../conv/parts.js'
import { poolAxis, poolOp } from './pool.js'

export const poolWebGpu = webgpuKernel(poolOp, ({ inputs: { x }, outputs: [out], params, facts }) => {
  if (sizeOf(out.shape) === 0) return []
  const { kind, kernel, stride, padding, countIncludePad } = params
  const [, , width, channels] = x.shape
  const vertical = poolAxis(x.shape, params, 0)
  const outWidth = out.shape[2]
  const strip = widthOf(channels)
  const { workgroup } = streamOf(facts)
  const parts = pictureParts(`${kind}Pool2d`, x, out, rows => spanOf(vertical, rows, whole(kernel)), facts)
  return parts.map(({ pictures, rows, seen }): Dispatch => {
    const xWindow = pictureWindow(x, pictures, seen, facts)
    const outWindow = pictureWindow(out, pictures, rows, facts)
    return {
      shader: 'pool/pool.wgsl',
      defines: { X_FORMAT: formatOf(x, channels), KIND: kind, WIDTH: strip, WORKGROUP: workgroup },
      bindings: { x: xWindow.window, out: outWindow.window },
      uniforms: {
        batch: pictures.count,
        rows: seen.count,
        width,
        channels,
        out_rows: rows.count,
        out_width: outWidth,
        kernel,
        stride,
        first_row: rows.start * stride - padding - seen.start,
        first_column: -padding,
        pixels: countIncludePad ? kernel ** 2 : 0,
        x_base: xWindow.base,
        out_base: outWindow.base,
      },
      workgroups: Math.ceil((pictures.count * rows.count * outWidth * channels) / strip / workgroup),
    }
  })
})
