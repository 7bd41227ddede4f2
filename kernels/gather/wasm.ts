// Launches the gathering and scattering kernels.

import { sizeOf } from '../../tensor/index.js'
import { wasmKernel } from '../../tensor/wasm/launch.js'
import { formatNumber } from '../common/wasm-operand.js'
import { lineSizes } from '../reduce/line.js'
import { gatherOp } from './gather.js'
import { scatterAddOp } from './scatter-add.js'

/** Most elements of a unit of gather, and columns of one of scatterAdd: a line of the cache. */
const mostElements = 4096
const mostColumns = 16

export const gatherWasm = wasmKernel(gatherOp, ({ inputs: { x, index }, outputs: [out], params }) => {
  const size = sizeOf(out.shape)
  if (size === 0) return []
  const { outer, length, inner } = lineSizes(x.shape, params)
  const count = out.shape[params.axis]
  const unit = params.shared ? Math.min(inner, mostElements) : mostElements
  return [
    {
      kernel: params.shared ? 'gatherRows' : 'gatherElements',
      params: { x, index, out, format: formatNumber(x), length, count, inner, size, unit },
      units: params.shared ? outer * count * Math.ceil(inner / unit) : Math.ceil(size / unit),
    },
  ]
})

export const scatterAddWasm = wasmKernel(scatterAddOp, ({ inputs: { x, index }, outputs: [out], params }) => {
  if (sizeOf(out.shape) === 0) return []
  const { outer, length, inner } = lineSizes(x.shape, params)
  return [
    {
      kernel: 'scatterAddRows',
      params: { x, index, out, format: formatNumber(x), length, size: params.size, inner, unit: mostColumns },
      units: outer * Math.ceil(inner / mostColumns),
    },
  ]
})
