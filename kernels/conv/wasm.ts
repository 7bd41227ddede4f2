// Launches convolutions: a unit is a block of the output.

import { sizeOf } from '../../tensor/index.js'
import { wasmKernel } from '../../tensor/wasm/launch.js'
import { convolutionBlocks } from '../common/wasm-convolve.js'
import { activationNumber, formatNumber } from '../common/wasm-operand.js'
import { convOp, convSizes } from './conv.js'
import { isWinograd, winogradLaunches } from './winograd.js'

/** Groups of fewer output channels leave too much of a tile empty. */
const narrowGroup = 4

/** Pixels of a unit of convGroups. */
const groupPixels = 64

export const convWasm = wasmKernel(convOp, ({ inputs, outputs: [out], params, scratch }) => {
  const { x, weight, bias, shift, residual } = inputs
  const sizes = convSizes(x.shape, weight.shape, params)
  const { frames, rows, columns, channels, outChannels, groups } = sizes
  if (sizeOf(out.shape) === 0) return []
  const pixels = sizeOf(out.shape) / outChannels
  const output = {
    bias: bias ?? 0,
    shift: shift ?? 0,
    residual: residual ?? 0,
    out,
    biasFormat: formatNumber(bias),
    shiftFormat: formatNumber(shift),
    residualFormat: formatNumber(residual),
    shiftPixels: pixels / (shift?.shape[0] ?? 1),
    outChannels,
    activation: activationNumber(params.activation),
  }
  if (isWinograd(sizes)) return winogradLaunches(x, weight, sizes, output, scratch)
  const taps = frames.kernel * rows.kernel * columns.kernel
  const blocks = convolutionBlocks(x, groups, pixels, outChannels / groups, taps, channels / groups)
  const shared = {
    x,
    weight,
    xFormat: formatNumber(x),
    weightFormat: formatNumber(weight),
    pixels,
    channels,
    groups,
    stride: params.stride,
    frames: frames.size,
    frameTaps: frames.kernel,
    framesBefore: frames.before,
    outFrames: frames.out,
    rows: rows.size,
    rowTaps: rows.kernel,
    rowsBefore: rows.before,
    outRows: rows.out,
    columns: columns.size,
    columnTaps: columns.kernel,
    columnsBefore: columns.before,
    outColumns: columns.out,
    blockPixels: blocks.pixels,
    blockChannels: blocks.channels,
    segments: blocks.segments,
    terms: blocks.terms,
    gather: blocks.gather ? 1 : 0,
    ...output,
  }
  if (groups > 1 && outChannels / groups < narrowGroup)
    return [
      {
        kernel: 'convGroups',
        params: Object.assign(shared, { blockPixels: groupPixels }),
        units: Math.ceil(pixels / groupPixels),
        scratch: 4 * (Math.ceil(outChannels / 4) * 4) * (1 + (taps * channels) / groups),
      },
    ]
  return [
    {
      kernel: 'conv',
      params: shared,
      units: blocks.count,
      grain: Math.ceil(blocks.count / 256),
      scratch: blocks.scratch,
    },
  ]
})
