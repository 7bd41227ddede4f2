// Launches the reductions, along lines where the innermost axis is reduced and over columns where it stays.

import { sizeOf, stridesOf } from '../../tensor/index.js'
import { wasmKernel } from '../../tensor/wasm/launch.js'
import { formatNumber } from '../common/wasm-operand.js'
import { argOp, cumsumOp, lineSizes } from './line.js'
import { axisRuns, reducedCount, reduceOp, type ReduceParams } from './reduce.js'

/** Kinds by their numbers in reduce.as.ts. */
const kinds: readonly ReduceParams['kind'][] = ['sum', 'mean', 'max', 'min', 'variance']

/** Columns of a unit: of reductions, and along one axis. */
const block = 256
const lineBlock = 64

/** Units that keep many threads evenly busy, and the fewest elements worth one. */
const enough = 32
const leastPart = 8192

const bytesOfDouble = 8

export const reduceWasm = wasmKernel(reduceOp, ({ inputs: { x }, outputs: [out], params, scratch }) => {
  const results = sizeOf(out.shape)
  if (results === 0) return []
  const runs = axisRuns(x.shape, params)
  const strides = stridesOf(runs.map(({ size }) => size))
  const inner = runs.at(-1)
  const lines = !inner || inner.reduced
  const width = inner?.size ?? 1
  // How many axes, and size and stride of each; one of size 1 where there is none.
  const list = (wanted: boolean) => {
    const axes = runs
      .slice(0, -1)
      .flatMap(({ size, reduced }, i) => (reduced === wanted ? [[size, strides[i]]] : []))
      .reverse()
    return [Math.max(1, axes.length), ...(axes.length > 0 ? axes.flat() : [1, 0])]
  }
  const total = reducedCount(x.shape, params)
  const units = lines ? results : (results / width) * Math.ceil(width / block)
  const most = Math.floor((total * results) / units / leastPart)
  const wanted = Math.max(1, Math.min(Math.ceil(enough / units), most))
  const part = Math.max(1, Math.ceil(total / wanted))
  const parts = Math.max(1, Math.ceil(total / part))
  const all = {
    x,
    out,
    states: parts > 1 ? scratch([results * parts * 2 * bytesOfDouble], 'u8') : 0,
    format: formatNumber(x),
    kind: kinds.indexOf(params.kind),
    total,
    width,
    parts,
    part,
    block,
    kept: list(false),
    reduced: list(true),
  }
  const merge = { kernel: 'reduceParts', params: all, units: results, scratch: 2 * bytesOfDouble }
  return [
    {
      kernel: lines ? 'reduceLines' : 'reduceColumns',
      params: all,
      units: units * parts,
      scratch: 2 * bytesOfDouble * (lines ? 1 : block + 1),
    },
    ...(parts > 1 ? [merge] : []),
  ]
})

export const argWasm = wasmKernel(argOp, ({ inputs: { x }, outputs: [out], params }) => {
  const { outer, length, inner } = lineSizes(x.shape, params)
  const lines = inner === 1
  const smallest = params.kind === 'argmin' ? 1 : 0
  return [
    {
      kernel: lines ? 'argLines' : 'argColumns',
      params: { x, out, format: formatNumber(x), length, inner, block: lineBlock, smallest },
      units: outer * Math.ceil(inner / lineBlock),
      scratch: lines ? 0 : 8 * lineBlock,
    },
  ]
})

export const cumsumWasm = wasmKernel(cumsumOp, ({ inputs: { x }, outputs: [out], params }) => {
  const { outer, length, inner } = lineSizes(x.shape, params)
  const lines = inner === 1
  return [
    {
      kernel: lines ? 'cumsumLines' : 'cumsumColumns',
      params: { x, out, format: formatNumber(x), length, inner, block: lineBlock },
      units: outer * Math.ceil(inner / lineBlock),
      scratch: lines ? 0 : bytesOfDouble * lineBlock,
    },
  ]
})
