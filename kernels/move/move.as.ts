// Elements of 1, 2 or 4 bytes from strided places to strided places, a block of a box at a time.
//
// Kernels:
//   moveBox       row by row: as runs of bytes where both sides lie side by side, one element over and over, or singly
//   transposeBox  rows of x become columns, in squares of four by four: each side is read or written in whole vectors

import { Box, firstColumn, firstElement, firstRow } from '../common/box.as'
import { copyRun, fillRun } from '../common/bytes.as'

@unmanaged
class MoveParams {
  x: usize
  out: usize
  start: u32 // first element of x
  outStart: u32
  bits: u32 // the element's bytes as a power of two
  box: usize
  outStrides: usize
  xStrides: usize
}

/** A unit is a block of the box. */
export function moveBox(p: MoveParams, from: u32, to: u32, _scratch: usize): void {
  const box = changetype<Box>(p.box)
  const bits = p.bits
  const xStep = load<u32>(p.xStrides)
  const outStep = load<u32>(p.outStrides)
  for (let unit = from; unit < to; unit++) {
    let out = p.out + ((p.outStart + firstElement(box, unit, p.outStrides)) << bits)
    let x = p.x + ((p.start + firstElement(box, unit, p.xStrides)) << bits)
    const columns = min(box.blockColumns, box.columns - firstColumn(box, unit))
    for (let rows = min(box.blockRows, box.rows - firstRow(box, unit)); rows > 0; rows--) {
      if (xStep == 1 && outStep == 1) copyRun(out, x, columns << bits)
      else if (xStep == 0 && outStep == 1) fillRun(out, word(x, bits), columns << bits)
      else if (bits == 2) moveElements<u32>(out, outStep, x, xStep, columns)
      else if (bits == 1) moveElements<u16>(out, outStep, x, xStep, columns)
      else moveElements<u8>(out, outStep, x, xStep, columns)
      out += load<u32>(p.outStrides, 4) << bits
      x += load<u32>(p.xStrides, 4) << bits
    }
  }
}

/** The element at the address, as often as a word holds it. */
function word(x: usize, bits: u32): u32 {
  if (bits == 2) return load<u32>(x)
  if (bits == 1) return <u32>load<u16>(x) * 0x00010001
  return <u32>load<u8>(x) * 0x01010101
}

function moveElements<T>(out: usize, outStep: u32, x: usize, xStep: u32, count: u32): void {
  for (; count > 0; count--) {
    store<T>(out, load<T>(x))
    out += outStep * sizeof<T>()
    x += xStep * sizeof<T>()
  }
}

/** A unit is a block of the box. Rows lie side by side in x, columns in the output; elements are of 2 or 4 bytes. */
export function transposeBox(p: MoveParams, from: u32, to: u32, _scratch: usize): void {
  const box = changetype<Box>(p.box)
  const bits = p.bits
  const xStep = load<u32>(p.xStrides) << bits
  const outStep = load<u32>(p.outStrides, 4) << bits
  for (let unit = from; unit < to; unit++) {
    const out = p.out + ((p.outStart + firstElement(box, unit, p.outStrides)) << bits)
    const x = p.x + ((p.start + firstElement(box, unit, p.xStrides)) << bits)
    const columns = min(box.blockColumns, box.columns - firstColumn(box, unit))
    const rows = min(box.blockRows, box.rows - firstRow(box, unit))
    if (bits == 2) transposeWords(out, outStep, x, xStep, rows, columns)
    else transposeHalves(out, outStep, x, xStep, rows, columns)
  }
}

/** out[row][column] = x[column][row]; steps in bytes, from row to row of the output and from column to column of x. */
function transposeWords(out: usize, outStep: u32, x: usize, xStep: u32, rows: u32, columns: u32): void {
  const wholeRows = rows & ~3
  const wholeColumns = columns & ~3
  for (let row: u32 = 0; row < wholeRows; row += 4) {
    let from = x + (row << 2)
    let to = out + row * outStep
    for (let column: u32 = 0; column < wholeColumns; column += 4, from += xStep << 2, to += 16) {
      const a = v128.load(from)
      const b = v128.load(from + xStep)
      const c = v128.load(from + 2 * xStep)
      const d = v128.load(from + 3 * xStep)
      const lowAB = v128.shuffle<f32>(a, b, 0, 4, 1, 5)
      const lowCD = v128.shuffle<f32>(c, d, 0, 4, 1, 5)
      const highAB = v128.shuffle<f32>(a, b, 2, 6, 3, 7)
      const highCD = v128.shuffle<f32>(c, d, 2, 6, 3, 7)
      v128.store(to, v128.shuffle<f32>(lowAB, lowCD, 0, 1, 4, 5))
      v128.store(to + outStep, v128.shuffle<f32>(lowAB, lowCD, 2, 3, 6, 7))
      v128.store(to + 2 * outStep, v128.shuffle<f32>(highAB, highCD, 0, 1, 4, 5))
      v128.store(to + 3 * outStep, v128.shuffle<f32>(highAB, highCD, 2, 3, 6, 7))
    }
  }
  edges<u32>(out, outStep, x, xStep, rows, columns)
}

function transposeHalves(out: usize, outStep: u32, x: usize, xStep: u32, rows: u32, columns: u32): void {
  const wholeRows = rows & ~3
  const wholeColumns = columns & ~3
  for (let row: u32 = 0; row < wholeRows; row += 4) {
    let from = x + (row << 1)
    let to = out + row * outStep
    for (let column: u32 = 0; column < wholeColumns; column += 4, from += xStep << 2, to += 8) {
      const a = v128.load64_zero(from)
      const b = v128.load64_zero(from + xStep)
      const c = v128.load64_zero(from + 2 * xStep)
      const d = v128.load64_zero(from + 3 * xStep)
      const ab = v128.shuffle<u16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
      const cd = v128.shuffle<u16>(c, d, 0, 8, 1, 9, 2, 10, 3, 11)
      const low = v128.shuffle<u32>(ab, cd, 0, 4, 1, 5)
      const high = v128.shuffle<u32>(ab, cd, 2, 6, 3, 7)
      v128.store64_lane(to, low, 0)
      v128.store64_lane(to + outStep, low, 1)
      v128.store64_lane(to + 2 * outStep, high, 0)
      v128.store64_lane(to + 3 * outStep, high, 1)
    }
  }
  edges<u16>(out, outStep, x, xStep, rows, columns)
}

/** The rows and columns beyond whole squares. */
function edges<T>(out: usize, outStep: u32, x: usize, xStep: u32, rows: u32, columns: u32): void {
  const wholeRows = rows & ~3
  for (let row = wholeRows; row < rows; row++)
    moveElements<T>(out + row * outStep, 1, x + row * sizeof<T>(), xStep / sizeof<T>(), columns)
  for (let column = columns & ~3; column < columns; column++)
    moveElements<T>(out + column * sizeof<T>(), outStep / sizeof<T>(), x + column * xStep, 1, wholeRows)
}
