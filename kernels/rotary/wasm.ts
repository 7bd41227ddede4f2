// Launches the rotary position embedding, row by row.

import { sizeOf } from '../../tensor/index.js'
import { wasmKernel } from '../../tensor/wasm/launch.js'
import { formatNumber } from '../common/wasm-operand.js'
import { rotaryOp, rotarySizes } from './rotary.js'

export const rotaryWasm = wasmKernel(rotaryOp, ({ inputs: { x, cos, sin }, outputs: [out], params: { inverse } }) => {
  if (sizeOf(x.shape) === 0) return []
  const { rows, positions, channels, pairs } = rotarySizes(x.shape, cos.shape)
  const params = { x, cos, sin, out, xFormat: formatNumber(x), positions, channels, pairs, sign: inverse ? -1 : 1 }
  return [{ kernel: 'rotary', params, units: rows }]
})
