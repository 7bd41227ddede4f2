// Launches the elementwise kernels: functions of one operand and casts over runs of elements, the others over blocks
// of the common shape.

import { broadcastStrides, sameShape, sizeOf, type DType, type StoredTensor } from '../../tensor/index.js'
import { wasmKernel } from '../../tensor/wasm/launch.js'
import { rowBlocks } from '../common/wasm-box.js'
import { formatNumber } from '../common/wasm-operand.js'
import { binaryOp } from './binary.js'
import { mixOp, whereOp } from './blend.js'
import { castOp } from './cast.js'
import { binaryFunctions, unaryFunctions } from './functions.js'
import { unaryOp } from './unary.js'

/** Elements of a unit where operands are walked from end to end. */
const unit = 1024

/** A function's number in functions.as.ts. */
const functionNumber = (functions: object, name: string) => Object.keys(functions).indexOf(name)

export const unaryWasm = wasmKernel(unaryOp, ({ inputs: { x }, outputs: [out], params: { name, constants } }) => {
  const size = sizeOf(x.shape)
  const [p = 0, second = 0] = constants
  // A power of a negative number is that of its magnitude times this.
  const sign = Number.isInteger(p) ? (p % 2 === 0 ? 1 : -1) : NaN
  const q = name === 'pow' ? sign : second
  return [
    {
      kernel: 'unary',
      params: { x, out, format: formatNumber(x), name: functionNumber(unaryFunctions, name), size, unit, p, q },
      units: Math.ceil(size / unit),
    },
  ]
})

/** Lists of the output's box and of all strides. */
function boxParams(out: StoredTensor, ...operands: readonly StoredTensor[]) {
  // Without broadcasting it is one row.
  const same = operands.every(({ shape }) => sameShape(shape, out.shape))
  const all = [out, ...operands].map(({ shape }) => (same ? [1] : broadcastStrides(shape, out.shape)))
  return rowBlocks(same ? [sizeOf(out.shape)] : out.shape, all)
}

export const binaryWasm = wasmKernel(binaryOp, ({ inputs: { a, b }, outputs: [out], params }) => {
  if (sizeOf(out.shape) === 0) return []
  const { box, strides, units } = boxParams(out, a, b)
  const [outStrides, aStrides, bStrides] = strides
  return [
    {
      kernel: 'binary',
      params: {
        a,
        b,
        out,
        aFormat: formatNumber(a),
        bFormat: formatNumber(b),
        name: functionNumber(binaryFunctions, params.name),
        box,
        outStrides,
        aStrides,
        bStrides,
      },
      units,
    },
  ]
})

function blend(a: StoredTensor, b: StoredTensor, c: StoredTensor, out: StoredTensor, mixes: boolean) {
  if (sizeOf(out.shape) === 0) return []
  const { box, strides, units } = boxParams(out, a, b, c)
  const [outStrides, aStrides, bStrides, cStrides] = strides
  const formats = { aFormat: formatNumber(a), bFormat: formatNumber(b), cFormat: formatNumber(c) }
  const lists = { box, outStrides, aStrides, bStrides, cStrides }
  return [{ kernel: 'blend', params: { a, b, c, out, mixes: Number(mixes), ...formats, ...lists }, units }]
}

export const whereWasm = wasmKernel(whereOp, ({ inputs: { condition, a, b }, outputs: [out] }) =>
  blend(a, b, condition, out, false),
)

export const mixWasm = wasmKernel(mixOp, ({ inputs: { a, b, weight }, outputs: [out] }) =>
  blend(a, b, weight, out, true),
)

/** Formats by their numbers in cast.as.ts. */
const castFormats: readonly DType[] = ['f32', 'f16', 'bf16', 'i32']

export const castWasm = wasmKernel(castOp, ({ inputs: { x }, outputs: [out] }) => {
  const size = sizeOf(x.shape)
  const [xFormat, outFormat] = [x, out].map(({ dtype }) => castFormats.indexOf(dtype))
  return [{ kernel: 'cast', params: { x, out, xFormat, outFormat, size, unit }, units: Math.ceil(size / unit) }]
})
