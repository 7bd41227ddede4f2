// Launches convolution's variants: whole operands where they fit their bindings, else in parts (parts.ts).

import { sizeOf, type StoredTensor } from '../../tensor/index.js'
import { webgpuKernel, windowOf, type Call, type Dispatch } from '../../tensor/webgpu/launch.js'
import { formatOf } from '../common/operand.js'
import { allFit, whole, type Rows } from '../common/rows.js'
import { shaderOf, tilesOf, type Variant } from '../common/variant.js'
import { convOp, convSizes, type ConvOperands, type ConvParams, type ConvSizes } from './conv.js'
import { channelParts, pixelParts, spanOf, wholePart, type PixelPart, type Taps } from './parts.js'
import { convVariant } from './variant.js'

type ConvCall = Call<ConvOperands, ConvParams>

/** One dispatch's share: pixels, output channels, and taps, of which the first starts the sum and the last ends it. */
interface Part extends PixelPart {
  readonly outChannels: Rows
  readonly tap: Taps
}

export const convWebGpu = webgpuKernel(convOp, call => {
  const { inputs, outputs, params, facts } = call
  const { x, weight, residual } = inputs
  if (sizeOf(outputs[0].shape) === 0) return []
  const sizes = narrowRows(convSizes(x.shape, weight.shape, params))
  const variant = convVariant(sizes, weight.dtype, facts, call.tune)
  const fits = allFit([x, weight, residual, outputs[0]], facts)
  const outputTypes = [outputs[0].dtype, ...(residual ? [residual.dtype] : [])]
  const pixels = fits ? [wholePart(sizes)] : pixelParts(sizes, x.dtype, outputTypes, facts)
  const channels = fits ? [whole(sizes.outChannels)] : channelParts(sizes, weight.dtype, facts)
  return pixels.flatMap(part =>
    channels.flatMap(outChannels => part.taps.map(tap => launch(call, variant, sizes, { ...part, outChannels, tap }))),
  )
})

/** Where the kernel is one pixel wide and high, every pixel may be a row of its own: such rows can be cut anywhere. */
function narrowRows(sizes: ConvSizes): ConvSizes {
  const { rows, columns } = sizes
  if (rows.kernel > 1 || columns.kernel > 1 || rows.stride > 1) return sizes
  const pixels = rows.size * columns.size
  return { ...sizes, rows: { ...rows, size: pixels, out: pixels }, columns: { ...columns, size: 1, out: 1 } }
}

function launch(
  { inputs, outputs, params, facts }: ConvCall,
  variant: Variant,
  sizes: ConvSizes,
  part: Part,
): Dispatch {
  const { x, weight, bias, shift, residual } = inputs
  const { batch, frames, rows, columns, channels, outChannels, groups } = sizes
  const { batches, tap } = part
  const groupChannels = channels / groups
  const groupOut = outChannels / groups
  const partGroups = groups > 1 ? part.outChannels.count / groupOut : 1
  const n = part.outChannels.count / partGroups

  // A window is contiguous: whole batches, whole frames of one, or rows of one frame.
  const xFrames = batches.count > 1 ? whole(frames.size) : spanOf(frames, part.frames, tap.frames)
  const xRows = batches.count > 1 || xFrames.count > 1 ? whole(rows.size) : spanOf(rows, part.rows, tap.rows)
  const xRow = columns.size * channels
  const xWindow = windowOf(
    x,
    ((batches.start * frames.size + xFrames.start) * rows.size + xRows.start) * xRow,
    batches.count * xFrames.count * xRows.count * xRow,
    facts,
  )
  const pixels = batches.count * part.frames.count * part.rows.count * columns.out
  const outWindowOf = (tensor: StoredTensor) =>
    windowOf(
      tensor,
      ((batches.start * frames.out + part.frames.start) * rows.out + part.rows.start) * columns.out * outChannels,
      pixels * outChannels,
      facts,
    )
  const outWindow = outWindowOf(outputs[0])
  const residualWindow = residual && outWindowOf(residual)
  const weightRow = frames.kernel * rows.kernel * columns.kernel * groupChannels
  const weightWindow = windowOf(weight, part.outChannels.start * weightRow, part.outChannels.count * weightRow, facts)
  const firstTap = (tap.frames.start * rows.kernel + tap.rows.start) * columns.kernel
  const shiftRepeat = shift ? batch / shift.shape[0] : 1
  const shiftRow = Math.floor(batches.start / shiftRepeat)
  const shiftEnd = Math.floor((batches.start + batches.count - 1) / shiftRepeat) + 1
  const shiftWindow = shift && windowOf(shift, shiftRow * outChannels, (shiftEnd - shiftRow) * outChannels, facts)

  const first = tap === part.taps[0]
  const last = tap === part.taps[part.taps.length - 1]
  const tiles = tilesOf(variant, { rows: pixels, columns: n }, false, facts)
  const tileCount = partGroups * Math.ceil(pixels / tiles.rows) * Math.ceil(n / tiles.columns)
  return {
    shader: shaderOf('conv', variant),
    defines: {
      X_FORMAT: formatOf(x, groupChannels),
      WEIGHT_FORMAT: formatOf(weight, groupChannels),
      BIAS: bias !== undefined && last,
      BIAS_FORMAT: bias?.dtype ?? '',
      SHIFT: shift !== undefined && last,
      SHIFT_FORMAT: shift?.dtype ?? '',
      RESIDUAL: residual !== undefined && last,
      RESIDUAL_FORMAT: residual?.dtype ?? '',
      ACTIVATION: last ? params.activation : 'none',
      ACCUMULATE: !first,
      C_TAIL: groupChannels % 4 !== 0,
      ...tiles.defines,
    },
    bindings: {
      x: xWindow.window,
      weight: weightWindow.window,
      out: outWindow.window,
      ...(bias && last && { bias }),
      ...(shiftWindow && last && { shift: shiftWindow.window }),
      ...(residualWindow && last && { residual: residualWindow.window }),
    },
    uniforms: {
      pixels,
      out_frames: part.frames.count,
      out_height: part.rows.count,
      out_width: columns.out,
      groups: partGroups,
      n,
      out_channels: outChannels,
      out_channel_0: part.outChannels.start,
      x_frames: xFrames.count,
      x_height: xRows.count,
      x_width: columns.size,
      x_channels: channels,
      group_0: groups > 1 ? part.outChannels.start / groupOut : 0,
      channels: groupChannels,
      tap_frames: tap.frames.count,
      tap_height: tap.rows.count,
      tap_width: columns.kernel,
      weight_stride: weightRow,
      stride: params.stride,
      first_frame: part.frames.start - frames.before + tap.frames.start - xFrames.start,
      first_row: part.rows.start * rows.stride - rows.before + tap.rows.start - xRows.start,
      first_column: -columns.before,
      batch_0: batches.start,
      shift_repeat: shiftRepeat,
      shift_0: shiftRow,
      x_base: xWindow.base,
      weight_base: weightWindow.base + firstTap * groupChannels,
      out_base: outWindow.base,
      shift_base: shiftWindow?.base ?? 0,
      residual_base: residualWindow?.base ?? 0,
      out_last: pixels * outChannels - 1,
    },
    workgroups: Math.ceil(tileCount / tiles.perWorkgroup),
  }
}
