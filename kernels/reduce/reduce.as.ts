// Reductions over any axes. What is reduced is cut into parts where there are few results; a part's state is two
// doubles: a sum, or an extreme, and a sum of squares. Parts are merged in their order, so that threads don't change
// the result.
//
// Kernels:
//   reduceLines    the innermost axis is reduced: a unit is a part of a result, along contiguous runs
//   reduceColumns  it is kept: a unit is a part of a block of columns, row after row
//   reduceParts    makes results of the states of their parts

import { at, floatAt, load1, load4 } from '../common/operand.as'
import { extremeRun, momentsRun, promoteHigh, sumRun } from './folds.as'

// Kinds, by their numbers in wasm.ts.
const MEAN: u32 = 1
const MAX: u32 = 2
const MIN: u32 = 3
const VARIANCE: u32 = 4

@unmanaged
class ReduceParams {
  x: usize
  out: usize
  states: usize // [results, parts, 2] doubles; 0 for one part, which becomes the result at once
  format: u32
  kind: u32
  total: u32 // elements, or rows, that make a result
  width: u32 // of a line, or of rows
  parts: u32
  part: u32 // of the total
  block: u32 // most columns of a unit of reduceColumns, a multiple of 4
  kept: usize // axes outside: how many, and size and stride of each, innermost first
  reduced: usize
}

/** Where an index lies among axes as in ReduceParams; 0 along none. */
function elementAt(axes: usize, index: u32): u32 {
  let element: u32 = 0
  for (let axis = load<u32>(axes); axis > 1; axis--, axes += 8) {
    const size = load<u32>(axes, 4)
    element += (index % size) * load<u32>(axes, 8)
    index /= size
  }
  return element + index * load<u32>(axes, 8)
}

function identity(kind: u32): f64 {
  return kind == MAX ? -Infinity : kind == MIN ? Infinity : 0
}

function begin(kind: u32, state: usize): void {
  store<f64>(state, identity(kind))
  store<f64>(state, 0, 8)
}

/** The result of a complete state. */
function finish(p: ReduceParams, result: u32, state: usize): void {
  const n: f64 = p.total
  let value = load<f64>(state)
  if (p.kind == MEAN) value /= n
  else if (p.kind == VARIANCE) value = n > 0 ? max<f64>(0, (load<f64>(state, 8) - (value * value) / n) / n) : 0
  store<f32>(floatAt(p.out, result), <f32>value)
}

/** A unit is a part of a result, parts of the same result one after the other. */
export function reduceLines(p: ReduceParams, from: u32, to: u32, scratch: usize): void {
  const kind = p.kind
  const format = p.format
  const width = p.width
  for (let unit = from; unit < to; unit++) {
    const result = p.parts == 1 ? unit : unit / p.parts
    const x = at(p.x, elementAt(p.kept, result), format)
    const state = p.states ? p.states + (unit << 4) : scratch
    begin(kind, state)
    // Sums of squares are reckoned from an element, so that a large mean costs no digits.
    const centre: f64 = kind == VARIANCE ? load1(x, format) : 0
    let element = (unit - result * p.parts) * p.part
    const end = min(element + p.part, p.total)
    while (element < end) {
      const line = element / width
      const first = element - line * width
      const count = min(width - first, end - element)
      const run = at(x, elementAt(p.reduced, line) + first, format)
      if (kind == VARIANCE) momentsRun(run, format, count, centre, state)
      else if (kind <= MEAN) store<f64>(state, load<f64>(state) + sumRun(run, format, count))
      else {
        const most: f64 = extremeRun(run, format, count, kind == MIN)
        store<f64>(state, kind == MIN ? min(load<f64>(state), most) : max(load<f64>(state), most))
      }
      element += count
    }
    if (!p.states) finish(p, result, scratch)
  }
}

/** A unit is a part of a block of columns of one slab, which is what all rows of it become. */
export function reduceColumns(p: ReduceParams, from: u32, to: u32, scratch: usize): void {
  const kind = p.kind
  const format = p.format
  const width = p.width
  const block = p.block
  const sums = scratch
  const squares = scratch + (block << 3)
  const blocks = (width + block - 1) / block
  // Rows of the innermost reduced axis follow each other at one stride.
  const following = load<u32>(p.reduced, 4)
  const stride = load<u32>(p.reduced, 8)
  for (let unit = from; unit < to; unit++) {
    const part = unit % p.parts
    const column = ((unit / p.parts) % blocks) * block
    const slab = unit / p.parts / blocks
    const columns = min(block, width - column)
    const x = at(p.x, elementAt(p.kept, slab) + column, format)
    for (let i: u32 = 0; i < columns; i++) {
      store<f64>(sums + (i << 3), identity(kind))
      store<f64>(squares + (i << 3), 0)
    }
    let row = part * p.part
    const end = min(row + p.part, p.total)
    while (row < end) {
      const outer = row / following
      let count = min((outer + 1) * following, end) - row
      let run = at(x, elementAt(p.reduced, row), format)
      row += count
      for (; count > 0; count--, run = at(run, stride, format)) {
        if (kind == VARIANCE) addMoments(run, x, format, columns, sums, squares)
        else if (kind <= MEAN) addSums(run, format, columns, sums)
        else takeExtremes(run, format, columns, sums, kind == MIN)
      }
    }
    const result = slab * width + column
    for (let i: u32 = 0; i < columns; i++) {
      const state = p.states ? p.states + (((result + i) * p.parts + part) << 4) : squares + (block << 3)
      store<f64>(state, load<f64>(sums + (i << 3)))
      store<f64>(state, load<f64>(squares + (i << 3)), 8)
      if (!p.states) finish(p, result + i, state)
    }
  }
}

/** Adds a row to sums of its columns; behind the last one, up to three more. */
function addSums(x: usize, format: u32, columns: u32, sums: usize): void {
  for (let i: u32 = 0; i < columns; i += 4, sums += 32) {
    const value = load4(at(x, i, format), format)
    v128.store(sums, f64x2.add(v128.load(sums), f64x2.promote_low_f32x4(value)))
    v128.store(sums, f64x2.add(v128.load(sums, 16), promoteHigh(value)), 16)
  }
}

/** As addSums, of differences from the row `centres`, and their squares. */
function addMoments(x: usize, centres: usize, format: u32, columns: u32, sums: usize, squares: usize): void {
  for (let i: u32 = 0; i < columns; i += 4, sums += 32, squares += 32) {
    const value = load4(at(x, i, format), format)
    const centre = load4(at(centres, i, format), format)
    const low = f64x2.sub(f64x2.promote_low_f32x4(value), f64x2.promote_low_f32x4(centre))
    const high = f64x2.sub(promoteHigh(value), promoteHigh(centre))
    v128.store(sums, f64x2.add(v128.load(sums), low))
    v128.store(sums, f64x2.add(v128.load(sums, 16), high), 16)
    v128.store(squares, f64x2.add(v128.load(squares), f64x2.mul(low, low)))
    v128.store(squares, f64x2.add(v128.load(squares, 16), f64x2.mul(high, high)), 16)
  }
}

/** As addSums, of the larger or the smaller. */
function takeExtremes(x: usize, format: u32, columns: u32, extremes: usize, smallest: bool): void {
  for (let i: u32 = 0; i < columns; i += 4, extremes += 32) {
    const value = load4(at(x, i, format), format)
    const low = f64x2.promote_low_f32x4(value)
    const high = promoteHigh(value)
    const most0 = v128.load(extremes)
    const most1 = v128.load(extremes, 16)
    v128.store(extremes, smallest ? f64x2.min(most0, low) : f64x2.max(most0, low))
    v128.store(extremes, smallest ? f64x2.min(most1, high) : f64x2.max(most1, high), 16)
  }
}

/** A unit is a result. */
export function reduceParts(p: ReduceParams, from: u32, to: u32, scratch: usize): void {
  const kind = p.kind
  for (let result = from; result < to; result++) {
    begin(kind, scratch)
    let state = p.states + ((result * p.parts) << 4)
    for (let part: u32 = 0; part < p.parts; part++, state += 16) {
      const own = load<f64>(scratch)
      const other = load<f64>(state)
      store<f64>(scratch, kind == MIN ? min(own, other) : kind == MAX ? max(own, other) : own + other)
      store<f64>(scratch, load<f64>(scratch, 8) + load<f64>(state, 8), 8)
    }
    finish(p, result, scratch)
  }
}
