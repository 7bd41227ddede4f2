// Launches the reductions. Operands larger than a binding are taken in pieces that add to the same results; few results
// of many elements each take two steps, with partial results between.

import { sizeOf, stridesOf, type StoredTensor } from '../../tensor/index.js'
import {
  webgpuKernel,
  wholeWindow,
  windowElements,
  windowOf,
  type Call,
  type Dispatch,
} from '../../tensor/webgpu/launch.js'
import { workgroupOf } from '../common/workgroup.js'
import { argOp, cumsumOp } from './line.js'
import { lineLaunches } from './line-launches.js'
import { reduceOp, reducedCount, axisRuns, type ReduceOperands, type ReduceParams, type Run } from './reduce.js'

type ReduceCall = Call<ReduceOperands, ReduceParams>

/** A contiguous piece of x, and the contiguous results it takes part in. */
interface Piece {
  readonly runs: readonly Run[]
  /** First element of x, first result. */
  readonly start: number
  readonly result: number
  /** Earlier pieces took part in the same results. */
  readonly accumulate: boolean
}

/** How elements become terms, and sums results. */
interface Terms {
  readonly kind: 'sum' | 'max' | 'min'
  readonly scale: number
  /** A value per result that is subtracted from its elements. */
  readonly centre?: StoredTensor
  readonly square?: boolean
  /** Take only the first element of each result. */
  readonly first?: boolean
}

const kept = (runs: readonly Run[]) => runs.filter(run => !run.reduced)
const reduced = (runs: readonly Run[]) => runs.filter(run => run.reduced)
const countOf = (runs: readonly Run[]) => sizeOf(runs.map(run => run.size))

/** Cuts x along its outermost runs into pieces of at most `most` elements. */
function piecesOf(piece: Piece, most: number): Piece[] {
  if (countOf(piece.runs) <= most) return [piece]
  const [outer, ...rest] = piece.runs
  const inner = countOf(rest)
  const step = Math.max(1, Math.floor(most / inner))
  const pieces: Piece[] = []
  for (let i = 0; i < outer.size; i += step) {
    const part = {
      runs: [{ ...outer, size: Math.min(step, outer.size - i) }, ...rest],
      start: piece.start + i * inner,
      result: piece.result + (outer.reduced ? 0 : i * countOf(kept(rest))),
      accumulate: piece.accumulate || (outer.reduced && i > 0),
    }
    // A single index of this run is still too much: the next run is cut.
    pieces.push(...(inner > most ? piecesOf({ ...part, runs: rest }, most) : [part]))
  }
  return pieces
}

export const reduceWebGpu = webgpuKernel(reduceOp, call => {
  const { inputs, outputs, params } = call
  const { x } = inputs
  const [out] = outputs
  if (sizeOf(out.shape) === 0) return []
  const scale = 1 / reducedCount(x.shape, params)
  switch (params.kind) {
    case 'sum':
    case 'max':
    case 'min':
      return reduce(call, out, { kind: params.kind, scale: 1 })
    case 'mean':
      return reduce(call, out, { kind: 'sum', scale })
    case 'variance': {
      // The mean is reckoned from the first element of each result, so that a large one costs no digits.
      const centre = call.scratch(out.shape, 'f32')
      const mean = call.scratch(out.shape, 'f32')
      const first: Terms = { kind: 'sum', scale: 1, first: true }
      return [
        ...reduce(call, centre, first),
        ...reduce(call, mean, first),
        ...reduce(call, mean, { kind: 'sum', scale, centre }, true),
        ...reduce(call, out, { kind: 'sum', scale, centre: mean, square: true }),
      ]
    }
  }
})

// As many invocations as keep the device busy, and the fewest elements worth one.
const busy = (isFallback: boolean) => (isFallback ? 256 : 16384)
const leastPart = 64

/** Reduces x to `out`; `accumulate` adds to what is there. */
function reduce(call: ReduceCall, out: StoredTensor, terms: Terms, accumulate = false): Dispatch[] {
  const { inputs, params, facts } = call
  const most = windowElements('f32', facts)
  const invocations = Math.min(busy(facts.isFallback), most)
  const pieces = piecesOf({ runs: axisRuns(inputs.x.shape, params), start: 0, result: 0, accumulate }, most)
  if (terms.first)
    return pieces.filter(piece => !piece.accumulate).map(piece => launch(call, inputs.x, piece, out, terms))

  return pieces.flatMap(piece => {
    const results = countOf(kept(piece.runs))
    const parts = Math.floor(Math.min(invocations / results, countOf(reduced(piece.runs)) / leastPart))
    if (parts < 2) return [launch(call, inputs.x, piece, out, terms)]
    const partial = call.scratch([parts, results], 'f32')
    const merger: Piece = {
      ...piece,
      runs: [
        { size: parts, reduced: true },
        { size: results, reduced: false },
      ],
      start: 0,
    }
    return [
      launch(call, inputs.x, { ...piece, accumulate: false }, partial, { ...terms, scale: 1 }, parts),
      launch(call, partial, merger, out, { kind: terms.kind, scale: terms.scale }),
    ]
  })
}

const identities = { sum: 0, max: -Infinity, min: Infinity }

/** One dispatch. With several parts, `out` holds [parts, results] of this piece alone. */
function launch(
  { facts }: ReduceCall,
  x: StoredTensor,
  { runs, start, result, accumulate }: Piece,
  out: StoredTensor,
  { kind, scale, centre, square = false, first = false }: Terms,
  parts = 1,
): Dispatch {
  const strides = stridesOf(runs.map(run => run.size))
  // Sizes and strides of the kept or the reduced runs, as the last of four.
  const axes = (wanted: boolean) => {
    const chosen = runs.map((run, i) => ({ ...run, stride: strides[i] })).filter(run => run.reduced === wanted)
    const padding = new Array<number>(4 - chosen.length)
    return {
      sizes: [...padding.fill(1), ...chosen.map(run => run.size)],
      strides: [...padding.fill(0), ...chosen.map(run => run.stride)],
    }
  }
  const results = countOf(kept(runs))
  const count = first ? Math.min(1, countOf(reduced(runs))) : countOf(reduced(runs))
  const xWindow = windowOf(x, start, countOf(runs), facts)
  const outWindow = parts === 1 ? windowOf(out, result, results, facts) : { window: wholeWindow(out), base: 0 }
  const centreWindow = centre && windowOf(centre, result, results, facts)
  const workgroup = workgroupOf(facts)
  return {
    shader: 'reduce/reduce.wgsl',
    defines: {
      X_FORMAT: x.dtype,
      KIND: kind,
      CENTRE: centre !== undefined,
      SQUARE: square,
      ACCUMULATE: accumulate,
      WORKGROUP: workgroup,
    },
    bindings: { x: xWindow.window, out: outWindow.window, ...(centreWindow && { centre: centreWindow.window }) },
    uniforms: {
      results,
      parts,
      count,
      part: Math.ceil(count / parts),
      kept_sizes: axes(false).sizes,
      kept_strides: axes(false).strides,
      reduced_sizes: axes(true).sizes,
      reduced_strides: axes(true).strides,
      identity: identities[kind],
      scale,
      x_base: xWindow.base,
      centre_base: centreWindow?.base ?? 0,
      out_base: outWindow.base,
    },
    workgroups: Math.ceil((results * parts) / workgroup),
  }
}

export const argWebGpu = webgpuKernel(argOp, ({ inputs: { x }, outputs: [out], params, facts }) => {
  if (sizeOf(out.shape) === 0) return []
  const workgroup = workgroupOf(facts)
  return lineLaunches(params.kind, x, out, 1, params, facts).map(({ lines, bindings, uniforms }): Dispatch => ({
    shader: 'reduce/arg.wgsl',
    defines: { X_FORMAT: x.dtype, SIGN: params.kind === 'argmax' ? 1 : -1, WORKGROUP: workgroup },
    bindings,
    uniforms,
    workgroups: Math.ceil(lines / workgroup),
  }))
})

export const cumsumWebGpu = webgpuKernel(cumsumOp, ({ inputs: { x }, outputs: [out], params, facts }) => {
  if (sizeOf(x.shape) === 0) return []
  const workgroup = workgroupOf(facts)
  const length = x.shape[params.axis]
  return lineLaunches('cumsum', x, out, length, params, facts).map(({ lines, bindings, uniforms }): Dispatch => ({
    shader: 'reduce/cumsum.wgsl',
    defines: { X_FORMAT: x.dtype, WORKGROUP: workgroup },
    bindings,
    uniforms,
    workgroups: Math.ceil(lines / workgroup),
  }))
})
