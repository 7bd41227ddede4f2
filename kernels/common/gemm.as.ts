// The engine of matrix products: out = a b in f32, b packed into panels of eight columns, a read where it lies.
//
// A tile of 4 x 8 sums takes 8 registers, a row of the panel 2, four values of a 4, a product 1: the sixteen that SIMD
// has on x86, less the one compilers keep. Larger tiles and unrolled loops spill, and lost 10 to 40 % when measured.

import { at, F32, floatAt, load1, load4, widen } from './operand.as'

/** Rows and columns of a tile. */
export const TILE_ROWS: u32 = 4
export const TILE_COLUMNS: u32 = 8

/** The least multiple that is no less than n. */
export function roundUp(n: u32, multiple: u32): u32 {
  return ((n + multiple - 1) / multiple) * multiple
}

/** a b + c: in one rounding where the module is built with relaxed SIMD. */
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c)
  return f32x4.add(f32x4.mul(a, b), c)
}

/**
 * Adds to 4 x 8 sums.
 * @param rows addresses of four rows of a, of each of so many `segments` of `terms` floats
 * @param panel [segments * terms, 8]
 * @param sums the tile, rows `stride` bytes apart
 * @param onto whether to add to what is there, or to zero
 */
function tile(rows: usize, segments: u32, terms: u32, panel: usize, sums: usize, stride: usize, onto: bool): void {
  const sums1 = sums + stride
  const sums2 = sums1 + stride
  const sums3 = sums2 + stride
  let c00 = f32x4.splat(0)
  let c01 = c00
  let c10 = c00
  let c11 = c00
  let c20 = c00
  let c21 = c00
  let c30 = c00
  let c31 = c00
  if (onto) {
    c00 = v128.load(sums)
    c01 = v128.load(sums, 16)
    c10 = v128.load(sums1)
    c11 = v128.load(sums1, 16)
    c20 = v128.load(sums2)
    c21 = v128.load(sums2, 16)
    c30 = v128.load(sums3)
    c31 = v128.load(sums3, 16)
  }
  for (; segments > 0; segments--, rows += 16) {
    let a0 = load<usize>(rows)
    let a1 = load<usize>(rows, 4)
    let a2 = load<usize>(rows, 8)
    let a3 = load<usize>(rows, 12)
    let left = terms
    do {
      const b0 = v128.load(panel)
      const b1 = v128.load(panel, 16)
      let a = v128.load32_splat(a0)
      c00 = madd(a, b0, c00)
      c01 = madd(a, b1, c01)
      a = v128.load32_splat(a1)
      c10 = madd(a, b0, c10)
      c11 = madd(a, b1, c11)
      a = v128.load32_splat(a2)
      c20 = madd(a, b0, c20)
      c21 = madd(a, b1, c21)
      a = v128.load32_splat(a3)
      c30 = madd(a, b0, c30)
      c31 = madd(a, b1, c31)
      a0 += 4
      a1 += 4
      a2 += 4
      a3 += 4
      panel += 32
    } while (--left)
  }
  v128.store(sums, c00)
  v128.store(sums, c01, 16)
  v128.store(sums1, c10)
  v128.store(sums1, c11, 16)
  v128.store(sums2, c20)
  v128.store(sums2, c21, 16)
  v128.store(sums3, c30)
  v128.store(sums3, c31, 16)
}

/**
 * sums [m, n] = a b, or += with `onto`; m a multiple of 4, n of 8, rows of sums n floats apart.
 * @param rows for each four rows of a: the addresses of the rows in the first segment, in the second, ...
 * @param panels n / 8 panels of [segments * terms, 8]
 */
export function multiply(
  rows: usize,
  segments: u32,
  terms: u32,
  panels: usize,
  sums: usize,
  m: u32,
  n: u32,
  onto: bool,
): void {
  const stride: usize = n << 2
  const panelBytes: usize = (segments * terms) << 5
  for (let column: u32 = 0; column < n; column += TILE_COLUMNS, panels += panelBytes) {
    let group = rows
    let target = sums + (column << 2)
    for (let row: u32 = 0; row < m; row += TILE_ROWS) {
      tile(group, segments, terms, panels, target, stride, onto)
      group += segments << 4
      target += stride << 2
    }
  }
}

/**
 * Lists where rows of a [rows, ...] are, which lie `stride` elements apart, for one segment of `multiply`; the last one
 * again to fill a tile. Rows of narrow floats are first written to `wide` [rows, terms] as f32.
 */
export function listRows(a: usize, format: u32, stride: u32, rows: u32, terms: u32, list: usize, wide: usize): void {
  for (let row: u32 = 0; row < rows; row++) {
    const source = at(a, row * stride, format)
    const target = floatAt(wide, row * terms)
    if (format != F32) widen(source, format, terms, target)
    store<usize>(floatAt(list, row), format == F32 ? source : target)
  }
  for (let row = rows; row < roundUp(rows, TILE_ROWS); row++)
    store<usize>(floatAt(list, row), load<usize>(floatAt(list, rows - 1)))
}

/**
 * Packs so many columns of b [terms, ...], whose rows lie `stride` elements apart, into panels of [terms, 8]; columns
 * short of a panel are zero.
 */
export function packColumns(b: usize, format: u32, stride: u32, columns: u32, terms: u32, panels: usize): void {
  const whole = columns & ~3
  const padded = roundUp(columns, TILE_COLUMNS)
  for (let term: u32 = 0; term < terms; term++, panels += 32) {
    let source = at(b, term * stride, format)
    let column: u32 = 0
    for (; column < whole; column += 4, source = at(source, 4, format))
      v128.store(inPanels(panels, terms, column), load4(source, format))
    for (; column < columns; column++, source = at(source, 1, format))
      store<f32>(inPanels(panels, terms, column), load1(source, format))
    for (; column < padded; column++) store<f32>(inPanels(panels, terms, column), 0)
  }
}

/** Where a column of the first term lies in panels of [terms, 8]. */
function inPanels(panels: usize, terms: u32, column: u32): usize {
  return floatAt(panels, (column / TILE_COLUMNS) * terms * TILE_COLUMNS + (column % TILE_COLUMNS))
}

/** As packColumns, of b transposed: [columns, ...] with its rows `stride` elements apart. */
export function packRows(b: usize, format: u32, stride: u32, columns: u32, terms: u32, panel: usize): void {
  const whole = terms & ~3
  for (let column: u32 = 0; column < columns; column += TILE_COLUMNS, panel += terms << 5) {
    for (let half: u32 = 0; half < TILE_COLUMNS; half += 4) {
      const first = column + half
      // Rows that are not there are read as the last one that is; no sum of theirs is used.
      const last = columns - 1
      const row0 = at(b, min(first, last) * stride, format)
      const row1 = at(b, min(first + 1, last) * stride, format)
      const row2 = at(b, min(first + 2, last) * stride, format)
      const row3 = at(b, min(first + 3, last) * stride, format)
      let target = panel + (half << 2)
      let term: u32 = 0
      for (; term < whole; term += 4, target += 128) {
        const x0 = load4(at(row0, term, format), format)
        const x1 = load4(at(row1, term, format), format)
        const x2 = load4(at(row2, term, format), format)
        const x3 = load4(at(row3, term, format), format)
        const low01 = v128.shuffle<f32>(x0, x1, 0, 4, 1, 5)
        const low23 = v128.shuffle<f32>(x2, x3, 0, 4, 1, 5)
        const high01 = v128.shuffle<f32>(x0, x1, 2, 6, 3, 7)
        const high23 = v128.shuffle<f32>(x2, x3, 2, 6, 3, 7)
        v128.store(target, v128.shuffle<f32>(low01, low23, 0, 1, 4, 5))
        v128.store(target, v128.shuffle<f32>(low01, low23, 2, 3, 6, 7), 32)
        v128.store(target, v128.shuffle<f32>(high01, high23, 0, 1, 4, 5), 64)
        v128.store(target, v128.shuffle<f32>(high01, high23, 2, 3, 6, 7), 96)
      }
      for (; term < terms; term++, target += 32) {
        store<f32>(target, load1(at(row0, term, format), format))
        store<f32>(target, load1(at(row1, term, format), format), 4)
        store<f32>(target, load1(at(row2, term, format), format), 8)
        store<f32>(target, load1(at(row3, term, format), format), 12)
      }
    }
  }
}
