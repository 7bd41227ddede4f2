// Launches pooling: a unit is a row of the output, or of few rows a part of the channels.

import { sizeOf } from '../../tensor/index.js'
import { wasmKernel } from '../../tensor/wasm/launch.js'
import { formatNumber } from '../common/wasm-operand.js'
import { poolOp } from './pool.js'

/** Fewer rows than this do not keep many threads busy. */
const enough = 32

/** Channels of a part: four cache lines. */
const partChannels = 64

export const poolWasm = wasmKernel(poolOp, ({ inputs: { x }, outputs: [out], params }) => {
  if (sizeOf(out.shape) === 0) return []
  const [, height, width, channels] = x.shape
  const [batch, outHeight, outWidth] = out.shape
  const rows = batch * outHeight
  const blockChannels = rows < enough ? partChannels : channels
  return [
    {
      kernel: 'pool',
      params: {
        x,
        out,
        format: formatNumber(x),
        height,
        width,
        channels,
        outHeight,
        outWidth,
        kernel: params.kernel,
        stride: Math.min(params.stride, 2 ** 32 - 1),
        padding: params.padding,
        largest: params.kind === 'max' ? 1 : 0,
        countIncludePad: params.countIncludePad ? 1 : 0,
        blockChannels,
      },
      units: rows * Math.ceil(channels / blockChannels),
    },
  ]
})
