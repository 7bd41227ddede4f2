// Launches softmax: by lines of neighbouring elements, or by blocks of lines that lie side by side.

import { sizeOf } from '../../tensor/index.js'
import { wasmKernel } from '../../tensor/wasm/launch.js'
import { formatNumber } from '../common/wasm-operand.js'
import { lineSizes } from '../reduce/line.js'
import { softmaxOp } from './softmax.js'

/** Lines side by side that are done together: whole cache lines of each row. */
const block = 64

export const softmaxWasm = wasmKernel(softmaxOp, ({ inputs: { x }, outputs: [out], params }) => {
  if (sizeOf(x.shape) === 0) return []
  const { outer, length, inner } = lineSizes(x.shape, params)
  const common = { x, out, xFormat: formatNumber(x), length, log: params.log ? 1 : 0 }
  if (inner === 1 && length > 1) return [{ kernel: 'softmaxLines', params: common, units: outer }]
  // Lines of one element lie side by side, all of them.
  const [slabs, width] = length === 1 ? [1, outer * inner] : [outer, inner]
  return [
    {
      kernel: 'softmaxColumns',
      params: { inner: width, block, ...common },
      units: slabs * Math.ceil(width / block),
      scratch: 2 * 4 * block,
    },
  ]
})
