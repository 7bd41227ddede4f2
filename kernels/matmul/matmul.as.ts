// Matrix product with a fused epilogue, block by block. A unit is a block of rows and columns of the output of one
// batch.
//
// Paths:
//   packed   b into panels in private memory, part by part of the sum, and the tiles of gemm.as.ts over them.
//   dots     one row and b transposed, a vector times a weight: dot products straight from memory, which bounds them; a
//            panel would be used once. From two rows on, panels are as fast or faster.
// Both sum every output in the same order whatever the blocks are.

import { activateRow, addRow, gateRow } from '../common/epilogue.as'
import { listRows, madd, multiply, packColumns, packRows, roundUp, TILE_COLUMNS, TILE_ROWS } from '../common/gemm.as'
import { at, floatAt, load4, loadUpTo4 } from '../common/operand.as'

@unmanaged
class MatmulParams {
  a: usize
  b: usize
  bias: usize // 0 without
  residual: usize // 0 without
  out: usize
  aFormat: u32
  bFormat: u32
  biasFormat: u32
  residualFormat: u32
  m: u32
  n: u32
  k: u32
  columns: u32 // n, or half of it with gates
  transposeB: u32
  activation: u32
  blockRows: u32
  blockColumns: u32
  terms: u32 // packed at a time
}

/** A unit is a block of rows and columns of one batch's product. Private memory: blockScratch in wasm-gemm.ts. */
export function matmul(p: MatmulParams, from: u32, to: u32, scratch: usize): void {
  const rowBlocks = (p.m + p.blockRows - 1) / p.blockRows
  const columnBlocks = (p.columns + p.blockColumns - 1) / p.blockColumns
  for (let unit = from; unit < to; unit++) {
    const row = (unit % rowBlocks) * p.blockRows
    const column = ((unit / rowBlocks) % columnBlocks) * p.blockColumns
    const batch = unit / rowBlocks / columnBlocks
    block(p, batch, row, min(p.blockRows, p.m - row), column, min(p.blockColumns, p.columns - column), scratch)
  }
}

/** Makes [rows, columns] of a batch's output, from that row and column on. */
function block(p: MatmulParams, batch: u32, row: u32, rows: u32, column: u32, columns: u32, scratch: usize): void {
  // Sums of the values, and beside them those of their gates.
  const gated = p.columns < p.n
  const half = roundUp(columns, TILE_COLUMNS)
  const width: u32 = gated ? half + half : half
  const sums = scratch
  const work = floatAt(sums, roundUp(rows, TILE_ROWS) * width)
  const a = at(p.a, (batch * p.m + row) * p.k, p.aFormat)
  const b = at(p.b, batch * p.n * p.k, p.bFormat)
  if (p.k == 0) memory.fill(sums, 0, work - sums)
  else if (p.m == 1 && p.transposeB) {
    dots(a, p.aFormat, at(b, column * p.k, p.bFormat), p.bFormat, columns, p.k, sums)
    if (gated) {
      const gates = at(b, (p.columns + column) * p.k, p.bFormat)
      dots(a, p.aFormat, gates, p.bFormat, columns, p.k, floatAt(sums, half))
    }
  } else packed(p, a, rows, b, column, columns, sums, work)
  for (let i: u32 = 0; i < rows; i++)
    finish(p, floatAt(sums, i * width), half, (batch * p.m + row + i) * p.columns, column, columns)
}

/**
 * sums = a b by panels, p.terms at a time. `work` has room for a list of rows, panels, and rows of a if they are
 * widened.
 */
function packed(
  p: MatmulParams,
  a: usize,
  rows: u32,
  b: usize,
  column: u32,
  columns: u32,
  sums: usize,
  work: usize,
): void {
  const half = roundUp(columns, TILE_COLUMNS)
  const width: u32 = p.columns < p.n ? half + half : half
  const panels = floatAt(work, roundUp(rows, TILE_ROWS))
  for (let first: u32 = 0; first < p.k; first += p.terms) {
    const terms = min(p.terms, p.k - first)
    for (let part: u32 = 0; part < width; part += half) {
      const start = part == 0 ? column : p.columns + column
      const target = floatAt(panels, part * terms)
      if (p.transposeB) packRows(at(b, start * p.k + first, p.bFormat), p.bFormat, p.k, columns, terms, target)
      else packColumns(at(b, first * p.n + start, p.bFormat), p.bFormat, p.n, columns, terms, target)
    }
    listRows(at(a, first, p.aFormat), p.aFormat, p.k, rows, terms, work, floatAt(panels, width * terms))
    multiply(work, 1, terms, panels, sums, roundUp(rows, TILE_ROWS), width, first > 0)
  }
}

/** Makes outputs of a row of sums, with gates `half` floats on; `start` is the row's place in the output. */
function finish(p: MatmulParams, sums: usize, half: u32, start: u32, column: u32, columns: u32): void {
  if (p.bias) addRow(sums, at(p.bias, column, p.biasFormat), p.biasFormat, columns)
  if (p.columns < p.n) {
    const gates = floatAt(sums, half)
    if (p.bias) addRow(gates, at(p.bias, p.columns + column, p.biasFormat), p.biasFormat, columns)
    gateRow(sums, gates, columns)
  } else activateRow(sums, p.activation, columns)
  if (p.residual) addRow(sums, at(p.residual, start + column, p.residualFormat), p.residualFormat, columns)
  memory.copy(floatAt(p.out, start + column), sums, columns << 2)
}

/** Dot products of a vector with rows of b, four at a time and in four parts each; sums are padded to fours. */
function dots(a: usize, aFormat: u32, b: usize, bFormat: u32, rows: u32, terms: u32, sums: usize): void {
  const whole = terms & ~3
  for (let row: u32 = 0; row < rows; row += 4, sums += 16) {
    const last = rows - 1
    const row0 = at(b, row * terms, bFormat)
    const row1 = at(b, min(row + 1, last) * terms, bFormat)
    const row2 = at(b, min(row + 2, last) * terms, bFormat)
    const row3 = at(b, min(row + 3, last) * terms, bFormat)
    let c0 = f32x4.splat(0)
    let c1 = c0
    let c2 = c0
    let c3 = c0
    for (let term: u32 = 0; term < whole; term += 4) {
      const x = load4(at(a, term, aFormat), aFormat)
      c0 = madd(x, load4(at(row0, term, bFormat), bFormat), c0)
      c1 = madd(x, load4(at(row1, term, bFormat), bFormat), c1)
      c2 = madd(x, load4(at(row2, term, bFormat), bFormat), c2)
      c3 = madd(x, load4(at(row3, term, bFormat), bFormat), c3)
    }
    const left = terms - whole
    if (left > 0) {
      const x = loadUpTo4(at(a, whole, aFormat), aFormat, left)
      c0 = madd(x, loadUpTo4(at(row0, whole, bFormat), bFormat, left), c0)
      c1 = madd(x, loadUpTo4(at(row1, whole, bFormat), bFormat, left), c1)
      c2 = madd(x, loadUpTo4(at(row2, whole, bFormat), bFormat, left), c2)
      c3 = madd(x, loadUpTo4(at(row3, whole, bFormat), bFormat, left), c3)
    }
    // The four parts of each, added: lanes 0 and 1 to lanes 2 and 3, then one to the other.
    const sums01 = f32x4.add(v128.shuffle<f32>(c0, c1, 0, 4, 1, 5), v128.shuffle<f32>(c0, c1, 2, 6, 3, 7))
    const sums23 = f32x4.add(v128.shuffle<f32>(c2, c3, 0, 4, 1, 5), v128.shuffle<f32>(c2, c3, 2, 6, 3, 7))
    v128.store(
      sums,
      f32x4.add(v128.shuffle<f32>(sums01, sums23, 0, 1, 4, 5), v128.shuffle<f32>(sums01, sums23, 2, 3, 6, 7)),
    )
  }
}
