// Launches resizing: a unit is a row of the result.

import { sizeOf } from '../../tensor/index.js'
import { wasmKernel } from '../../tensor/wasm/launch.js'
import { formatNumber } from '../common/wasm-operand.js'
import { cubicOf, resizeOp, samplingOf, type ResizeParams, type Sampling } from './resize.js'

/** A sampling as resize.as.ts reads it: words of doubles. */
function wordsOf({ scale, shift, support, stretch }: Sampling, params: ResizeParams): number[] {
  return [...new Int32Array(Float64Array.of(scale, shift, support, stretch, cubicOf(params)).buffer)]
}

export const resizeWasm = wasmKernel(resizeOp, ({ inputs: { x }, outputs: [out], params }) => {
  if (sizeOf(out.shape) === 0) return []
  const [, height, width, channels] = x.shape
  const [batch, outHeight, outWidth] = out.shape
  const vertical = samplingOf(params, height, 0)
  const horizontal = samplingOf(params, width, 1)
  const shared = { x, out, format: formatNumber(x), height, width, channels, outHeight, outWidth }
  const units = batch * outHeight
  if (params.mode === 'nearest')
    return [
      {
        kernel: 'resizeNearest',
        params: { rowScale: vertical.scale, columnScale: horizontal.scale, ...shared },
        units,
      },
    ]
  const tapsOf = ({ support }: Sampling) => Math.floor(2 * support) + 1
  const rowTaps = tapsOf(vertical)
  const columnTaps = tapsOf(horizontal)
  return [
    {
      kernel: 'resize',
      params: {
        rowSampling: wordsOf(vertical, params),
        columnSampling: wordsOf(horizontal, params),
        rowTaps,
        columnTaps,
        cubic: params.mode === 'bicubic' ? 1 : 0,
        antialias: params.antialias ? 1 : 0,
        direct: outWidth * columnTaps * (rowTaps - 1) < width * rowTaps ? 1 : 0,
        ...shared,
      },
      units,
      scratch: 4 * (outWidth * (columnTaps + 2) + rowTaps + 2 + width * channels + 4),
    },
  ]
})
