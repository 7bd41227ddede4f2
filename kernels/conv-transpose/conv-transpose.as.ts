// Transposed convolution. Outputs of one phase, a stride apart, meet every stride-th tap of the kernel, and see inputs
// side by side: as many plain convolutions with the kernel seen from its end as there are phases. A unit is a block
// of one phase's pixels and output channels.

import {
  behind,
  columnsOf,
  Convolution,
  convolve,
  framesOf,
  rowsOf,
  setAxis,
  setTaps,
  Axis,
} from '../common/convolve.as'
import { addRow } from '../common/epilogue.as'
import { roundUp, TILE_COLUMNS } from '../common/gemm.as'
import { at, floatAt } from '../common/operand.as'

@unmanaged
class ConvTransposeParams {
  x: usize
  weight: usize
  bias: usize // 0 without
  out: usize
  xFormat: u32
  weightFormat: u32
  biasFormat: u32
  batch: u32
  height: u32
  width: u32
  channels: u32
  outHeight: u32
  outWidth: u32
  outChannels: u32
  kernelRows: u32
  kernelColumns: u32
  stride: u32
  padding: u32
  blockPixels: u32
  blockChannels: u32
  blocks: u32 // of pixels, in the largest phase
  segments: u32
  terms: u32
  gather: u32
}

/** A unit is a block of one phase's pixels and output channels. Private memory: that of convolve.as.ts. */
export function convTranspose(p: ConvTransposeParams, from: u32, to: u32, scratch: usize): void {
  const convolution = convolutionOf(p, scratch)
  const rows = rowsOf(convolution)
  const columns = columnsOf(convolution)
  const parts = (p.outChannels + p.blockChannels - 1) / p.blockChannels
  const sums = behind(convolution)
  for (let unit = from; unit < to; unit++) {
    const pixel = (unit % p.blocks) * p.blockPixels
    const outChannel = ((unit / p.blocks) % parts) * p.blockChannels
    const phase = unit / p.blocks / parts
    const top = setPhase(p, rows, phase / p.stride, p.height, p.kernelRows, p.outHeight, p.kernelColumns)
    const left = setPhase(p, columns, phase % p.stride, p.width, p.kernelColumns, p.outWidth, 1)
    const all = p.batch * rows.outputs * columns.outputs
    if (pixel >= all) continue
    const pixels = min(p.blockPixels, all - pixel)
    const count = min(p.blockChannels, p.outChannels - outChannel)
    convolve(convolution, 0, pixel, pixels, outChannel, count, sums)
    const width = roundUp(count, TILE_COLUMNS)
    for (let i: u32 = 0; i < pixels; i++) {
      const source = floatAt(sums, i * width)
      if (p.bias) addRow(source, at(p.bias, outChannel, p.biasFormat), p.biasFormat, count)
      const row = (pixel + i) / columns.outputs
      const y = top + (row % rows.outputs) * p.stride
      const x = left + ((pixel + i) % columns.outputs) * p.stride
      const place = ((row / rows.outputs) * p.outHeight + y) * p.outWidth + x
      memory.copy(floatAt(p.out, place * p.outChannels + outChannel), source, count << 2)
    }
  }
}

function convolutionOf(p: ConvTransposeParams, scratch: usize): Convolution {
  const convolution = changetype<Convolution>(scratch)
  convolution.x = p.x
  convolution.weight = p.weight
  convolution.xFormat = p.xFormat
  convolution.weightFormat = p.weightFormat
  convolution.channels = p.channels
  convolution.groupChannels = p.channels
  convolution.weightTaps = p.kernelRows * p.kernelColumns
  convolution.segments = p.segments
  convolution.terms = p.terms
  convolution.gather = p.gather
  setAxis(framesOf(convolution), 1, 1, 0, 1, 1)
  setTaps(framesOf(convolution), 0, 0)
  return convolution
}

/**
 * Sets an axis to the outputs that meet taps `phase`, `phase` + stride, ...: output `first` + j stride sees, through
 * the last but n of these taps, input j - before + n. `tapSize` taps of the weight lie from one of this axis to
 * the next.
 * @returns first
 */
function setPhase(p: ConvTransposeParams, axis: Axis, phase: u32, size: u32, kernel: u32, out: u32, tapSize: u32): u32 {
  const first = (phase + p.stride - (p.padding % p.stride)) % p.stride
  const taps = (kernel - phase + p.stride - 1) / p.stride
  const before = taps - 1 - (first + p.padding - phase) / p.stride
  const outputs = first < out ? (out - first + p.stride - 1) / p.stride : 0
  setAxis(axis, size, 1, before, taps, outputs)
  setTaps(axis, (phase + (taps - 1) * p.stride) * tapSize, 0 - p.stride * tapSize)
  return first
}
