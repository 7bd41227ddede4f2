// Launches conv-transpose.wgsl: for runs of pictures where they fit their bindings, else for rows of one picture; and
// for runs of output channels whose weights fit.

import { sizeOf } from '../../tensor/index.js'
import { webgpuKernel, windowOf, type Dispatch } from '../../tensor/webgpu/launch.js'
import { formatOf } from '../common/operand.js'
import { pictureParts, pictureWindow } from '../common/pictures.js'
import { chunkRows } from '../common/rows.js'
import { workgroupOf } from '../common/workgroup.js'
import { convTransposeAxis, convTransposeOp, sourcesOf } from './conv-transpose.js'

// Eight pixels share each load of the weight.
const tilePixels = 8

export const convTransposeWebGpu = webgpuKernel(convTransposeOp, ({ inputs, outputs: [out], params, facts }) => {
  const { x, weight, bias } = inputs
  if (sizeOf(out.shape) === 0) return []
  const { stride, padding } = params
  const [, , width, channels] = x.shape
  const [outChannels, kernelHeight, kernelWidth] = weight.shape
  const outWidth = out.shape[2]
  const vertical = convTransposeAxis(x.shape, weight.shape, params, 0)
  const weightRow = kernelHeight * kernelWidth * channels
  const workgroup = workgroupOf(facts)
  const parts = pictureParts('convTranspose2d', x, out, rows => sourcesOf(vertical, rows), facts)
  const channelRuns = chunkRows('convTranspose2d', outChannels, [{ dtype: weight.dtype, perRow: weightRow }], facts)

  return parts.flatMap(({ pictures, rows, seen }) =>
    channelRuns.map((run): Dispatch => {
      const xWindow = pictureWindow(x, pictures, seen, facts)
      const outWindow = pictureWindow(out, pictures, rows, facts)
      const weightWindow = windowOf(weight, run.start * weightRow, run.count * weightRow, facts)
      const strips = run.count > 4 ? 2 : 1
      const phasePixels = pictures.count * Math.ceil(rows.count / stride) * Math.ceil(outWidth / stride)
      const tiles = stride ** 2 * Math.ceil(phasePixels / tilePixels) * Math.ceil(run.count / (4 * strips))
      return {
        shader: 'conv-transpose/conv-transpose.wgsl',
        defines: {
          X_FORMAT: formatOf(x, channels),
          WEIGHT_FORMAT: formatOf(weight, channels),
          BIAS: bias !== undefined,
          BIAS_FORMAT: bias?.dtype ?? '',
          C_TAIL: channels % 4 !== 0,
          ROWS: tilePixels,
          STRIPS: strips,
          WORKGROUP: workgroup,
        },
        bindings: {
          x: xWindow.window,
          weight: weightWindow.window,
          out: outWindow.window,
          ...(bias && { bias }),
        },
        uniforms: {
          batch: pictures.count,
          rows: seen.count,
          width,
          channels,
          out_rows: rows.count,
          out_width: outWidth,
          out_channels: outChannels,
          out_channel_0: run.start,
          n: run.count,
          kernel_height: kernelHeight,
          kernel_width: kernelWidth,
          stride,
          first_row: rows.start + padding,
          first_column: padding,
          x_row: seen.start,
          x_base: xWindow.base,
          weight_base: weightWindow.base,
          out_base: outWindow.base,
        },
        workgroups: Math.ceil(tiles / workgroup),
      }
    }),
  )
})
