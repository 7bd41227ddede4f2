// Convolution with a fused epilogue.
//
// Kernels:
//   conv        matrix products by the tiles of convolve.as.ts. A unit is a block of a group's pixels and output
//               channels.
//   convGroups  for groups of few output channels, which would leave tiles nearly empty: four output channels at a
//               time, whatever groups they are of. A unit is a run of pixels.

import { behind, columnsOf, Convolution, convolve, framesOf, rowsOf, setAxis, setTaps } from '../common/convolve.as'
import { madd, roundUp, TILE_COLUMNS } from '../common/gemm.as'
import { at, floatAt, load1, load4 } from '../common/operand.as'
import { finish, Output } from './output.as'

@unmanaged
class ConvParams {
  // As Output has them.
  bias: usize
  shift: usize
  residual: usize
  out: usize
  biasFormat: u32
  shiftFormat: u32
  residualFormat: u32
  shiftPixels: u32
  outChannels: u32
  activation: u32
  // Of its own.
  x: usize
  weight: usize
  xFormat: u32
  weightFormat: u32
  pixels: u32 // of the output, in all batches
  channels: u32
  groups: u32
  stride: u32
  frames: u32
  frameTaps: u32
  framesBefore: u32
  outFrames: u32
  rows: u32
  rowTaps: u32
  rowsBefore: u32
  outRows: u32
  columns: u32
  columnTaps: u32
  columnsBefore: u32
  outColumns: u32
  blockPixels: u32
  blockChannels: u32
  segments: u32
  terms: u32
  gather: u32
}

/** A unit is a block of a group's pixels and output channels. Private memory: that of convolve.as.ts. */
export function conv(p: ConvParams, from: u32, to: u32, scratch: usize): void {
  const convolution = convolutionOf(p, scratch)
  const outs = p.outChannels / p.groups
  const blocks = (p.pixels + p.blockPixels - 1) / p.blockPixels
  const parts = (outs + p.blockChannels - 1) / p.blockChannels
  const sums = behind(convolution)
  for (let unit = from; unit < to; unit++) {
    const pixel = (unit % blocks) * p.blockPixels
    const first = ((unit / blocks) % parts) * p.blockChannels
    const group = unit / blocks / parts
    const pixels = min(p.blockPixels, p.pixels - pixel)
    const columns = min(p.blockChannels, outs - first)
    const outChannel = group * outs + first
    convolve(convolution, group * convolution.groupChannels, pixel, pixels, outChannel, columns, sums)
    const width = roundUp(columns, TILE_COLUMNS)
    for (let i: u32 = 0; i < pixels; i++)
      finish(changetype<Output>(p), floatAt(sums, i * width), pixel + i, outChannel, columns)
  }
}

/** Tells `convolve` what to do, in the first words of private memory. */
function convolutionOf(p: ConvParams, scratch: usize): Convolution {
  const convolution = changetype<Convolution>(scratch)
  convolution.x = p.x
  convolution.weight = p.weight
  convolution.xFormat = p.xFormat
  convolution.weightFormat = p.weightFormat
  convolution.channels = p.channels
  convolution.groupChannels = p.channels / p.groups
  convolution.weightTaps = p.frameTaps * p.rowTaps * p.columnTaps
  convolution.segments = p.segments
  convolution.terms = p.terms
  convolution.gather = p.gather
  setAxis(framesOf(convolution), p.frames, 1, p.framesBefore, p.frameTaps, p.outFrames)
  setAxis(rowsOf(convolution), p.rows, p.stride, p.rowsBefore, p.rowTaps, p.outRows)
  setAxis(columnsOf(convolution), p.columns, p.stride, p.columnsBefore, p.columnTaps, p.outColumns)
  setTaps(framesOf(convolution), 0, p.rowTaps * p.columnTaps)
  setTaps(rowsOf(convolution), 0, p.columnTaps)
  setTaps(columnsOf(convolution), 0, 1)
  return convolution
}

/**
 * A unit is a run of pixels. Private memory: a pixel's sums, and the weight as [taps, group channels, output channels],
 * both padded to fours.
 */
export function convGroups(p: ConvParams, from: u32, to: u32, scratch: usize): void {
  const width = roundUp(p.outChannels, 4)
  const weight = floatAt(scratch, width)
  const length = p.frameTaps * p.rowTaps * p.columnTaps * (p.channels / p.groups)
  for (let o: u32 = 0; o < width; o++)
    for (let i: u32 = 0; i < length; i++) {
      const value = o < p.outChannels ? load1(at(p.weight, o * length + i, p.weightFormat), p.weightFormat) : 0
      store<f32>(floatAt(weight, i * width + o), value)
    }
  for (let unit = from; unit < to; unit++) {
    const first = unit * p.blockPixels
    const last = min(first + p.blockPixels, p.pixels)
    for (let pixel = first; pixel < last; pixel++) {
      for (let o: u32 = 0; o < width; o += 4) v128.store(floatAt(scratch, o), sumOf4(p, pixel, o, floatAt(weight, o)))
      finish(changetype<Output>(p), scratch, pixel, 0, p.outChannels)
    }
  }
}

/** Sums of a pixel for four output channels from `outChannel` on. */
function sumOf4(p: ConvParams, pixel: u32, outChannel: u32, weight: usize): v128 {
  const groupChannels = p.channels / p.groups
  const outs = p.outChannels / p.groups
  const step: usize = roundUp(p.outChannels, 4) << 2
  // The first channel that each of them sees; padding sees the last one's.
  const last = p.outChannels - 1
  const channel0 = (outChannel / outs) * groupChannels
  const channel1 = (min(outChannel + 1, last) / outs) * groupChannels
  const channel2 = (min(outChannel + 2, last) / outs) * groupChannels
  const channel3 = (min(outChannel + 3, last) / outs) * groupChannels
  const frameIndex = pixel / p.outColumns / p.outRows
  const batch = frameIndex / p.outFrames
  const start = (frameIndex % p.outFrames) - p.framesBefore
  const top = ((pixel / p.outColumns) % p.outRows) * p.stride - p.rowsBefore
  const left = (pixel % p.outColumns) * p.stride - p.columnsBefore
  const beside = channel1 - channel0 == 1 && channel2 - channel1 == 1 && channel3 - channel2 == 1
  let sum = f32x4.splat(0)
  for (let frame: u32 = 0; frame < p.frameTaps; frame++)
    for (let row: u32 = 0; row < p.rowTaps; row++)
      for (let column: u32 = 0; column < p.columnTaps; column++) {
        // Below zero wraps around, and is outside as well.
        const inside = start + frame < p.frames && top + row < p.rows && left + column < p.columns
        if (!inside) {
          weight += step * groupChannels
          continue
        }
        const place = ((batch * p.frames + start + frame) * p.rows + top + row) * p.columns + left + column
        const x = at(p.x, place * p.channels, p.xFormat)
        for (let i: u32 = 0; i < groupChannels; i++, weight += step) {
          let seen: v128
          if (beside) seen = load4(at(x, channel0 + i, p.xFormat), p.xFormat)
          else {
            seen = f32x4.splat(load1(at(x, channel0 + i, p.xFormat), p.xFormat))
            seen = f32x4.replace_lane(seen, 1, load1(at(x, channel1 + i, p.xFormat), p.xFormat))
            seen = f32x4.replace_lane(seen, 2, load1(at(x, channel2 + i, p.xFormat), p.xFormat))
            seen = f32x4.replace_lane(seen, 3, load1(at(x, channel3 + i, p.xFormat), p.xFormat))
          }
          sum = madd(seen, v128.load(weight), sum)
        }
      }
  return sum
}
