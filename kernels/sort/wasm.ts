// Launches the sort: a unit is a line.

import { sizeOf } from '../../tensor/index.js'
import { wasmKernel } from '../../tensor/wasm/launch.js'
import { formatNumber } from '../common/wasm-operand.js'
import { lineSizes } from '../reduce/line.js'
import { constants } from '../wasm.generated.js'
import { sortOp } from './sort.js'

/** Bytes of the counts of four bytes' values. */
const counters = 4 * 4 * constants.BUCKETS

export const sortWasm = wasmKernel(sortOp, ({ inputs: { x }, outputs: [values, indices], params }) => {
  if (sizeOf(x.shape) === 0) return []
  const { outer, length, inner } = lineSizes(x.shape, params)
  const descending = params.descending ? 1 : 0
  return [
    {
      kernel: 'sort',
      params: { x, values, indices, xFormat: formatNumber(x), length, inner, descending },
      units: outer * inner,
      // Items of a key and a place, twice.
      scratch: 16 * length + counters,
    },
  ]
})
