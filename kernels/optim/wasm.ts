// Launches the optimiser's steps over runs of elements.

import { sizeOf } from '../../tensor/index.js'
import { wasmKernel } from '../../tensor/wasm/launch.js'
import { formatNumber } from '../common/wasm-operand.js'
import { accumulateOp } from './accumulate.js'
import { adamwOp } from './adamw.js'

/** Elements of a unit. */
const unit = 1024

export const adamwWasm = wasmKernel(
  adamwOp,
  ({ inputs: { gradient, rates, scale }, outputs: [parameter, mean, square], params }) => {
    const { beta1, beta2, eps, weightDecay } = params
    const size = sizeOf(gradient.shape)
    const state = { parameter, mean, square, size, unit }
    const constants = { beta1, beta2, rest1: 1 - beta1, rest2: 1 - beta2, eps, weightDecay }
    return [
      {
        kernel: 'adamw',
        params: { gradient, rates, scale: scale ?? 0, ...state, ...constants },
        units: Math.ceil(size / unit),
      },
    ]
  },
)

export const accumulateWasm = wasmKernel(accumulateOp, ({ inputs: { x, shares }, outputs: [sum] }) => {
  const size = sizeOf(x.shape)
  return [
    {
      kernel: 'accumulate',
      params: { x, format: formatNumber(x), shares, sum, size, unit },
      units: Math.ceil(size / unit),
    },
  ]
})
