// Launches transposed convolutions: a unit is a block of one phase of the output.

import { sizeOf } from '../../tensor/index.js'
import { wasmKernel } from '../../tensor/wasm/launch.js'
import { convolutionBlocks } from '../common/wasm-convolve.js'
import { formatNumber } from '../common/wasm-operand.js'
import { convTransposeOp } from './conv-transpose.js'

export const convTransposeWasm = wasmKernel(convTransposeOp, ({ inputs, outputs: [out], params }) => {
  const { x, weight, bias } = inputs
  if (sizeOf(out.shape) === 0) return []
  const [batch, height, width, channels] = x.shape
  const [outChannels, kernelRows, kernelColumns] = weight.shape
  const [, outHeight, outWidth] = out.shape
  const { stride, padding } = params
  const inPhase = (n: number) => Math.ceil(n / stride)
  const pixels = batch * inPhase(outHeight) * inPhase(outWidth)
  const phases = stride * stride
  const taps = inPhase(kernelRows) * inPhase(kernelColumns)
  const blocks = convolutionBlocks(x, phases, pixels, outChannels, taps, channels)
  return [
    {
      kernel: 'convTranspose',
      params: {
        x,
        weight,
        bias: bias ?? 0,
        out,
        xFormat: formatNumber(x),
        weightFormat: formatNumber(weight),
        biasFormat: formatNumber(bias),
        batch,
        height,
        width,
        channels,
        outHeight,
        outWidth,
        outChannels,
        kernelRows,
        kernelColumns,
        stride,
        padding,
        blockPixels: blocks.pixels,
        blockChannels: blocks.channels,
        blocks: Math.ceil(pixels / blocks.pixels),
        segments: blocks.segments,
        terms: blocks.terms,
        gather: blocks.gather ? 1 : 0,
      },
      units: blocks.count,
      scratch: blocks.scratch,
    },
  ]
})
