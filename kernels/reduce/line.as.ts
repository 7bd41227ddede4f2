// Along one axis, [outer, length, inner] elements: the place of the largest or smallest, and running sums. Lines are
// walked one by one where they are contiguous, else in blocks of columns, row after row.

import { at, floatAt, load1, load4, storeUpTo4 } from '../common/operand.as'
import { extremeRun, promoteHigh } from './folds.as'

@unmanaged
class ArgParams {
  x: usize
  out: usize
  format: u32
  length: u32
  inner: u32
  block: u32 // most columns of a unit, a multiple of 4
  smallest: u32
}

/** Lines shorter than this are looked through one by one. */
const SHORT: u32 = 16

function placeInShort(x: usize, format: u32, length: u32, smallest: bool): u32 {
  let most = load1(x, format)
  let place: u32 = 0
  for (let i: u32 = 1; i < length && most == most; i++) {
    x = at(x, 1, format)
    const value = load1(x, format)
    if (value == value && (smallest ? value >= most : value <= most)) continue
    most = value
    place = i
  }
  return place
}

/** A unit is a line, inner being 1. */
export function argLines(p: ArgParams, from: u32, to: u32, _scratch: usize): void {
  const format = p.format
  for (let line = from; line < to; line++) {
    const x = at(p.x, line * p.length, format)
    if (p.length < SHORT) {
      store<u32>(floatAt(p.out, line), placeInShort(x, format, p.length, p.smallest != 0))
      continue
    }
    const most = extremeRun(x, format, p.length, p.smallest != 0)
    const wanted = f32x4.splat(most)
    let i: u32 = 0
    for (; ; i += 4) {
      const value = load4(at(x, i, format), format)
      const hits = i32x4.bitmask(most == most ? f32x4.eq(value, wanted) : f32x4.ne(value, value))
      if (hits) {
        store<u32>(floatAt(p.out, line), i + ctz(hits))
        break
      }
    }
  }
}

/** A unit is a block of columns of one of the outer indices. */
export function argColumns(p: ArgParams, from: u32, to: u32, scratch: usize): void {
  const format = p.format
  const inner = p.inner
  const block = p.block
  const blocks = (inner + block - 1) / block
  const flip = i32x4.splat(p.smallest ? 0x80000000 : 0)
  const places = scratch + (block << 2)
  for (let unit = from; unit < to; unit++) {
    const outer = unit / blocks
    const column = (unit % blocks) * block
    const columns = min(block, inner - column)
    for (let i: u32 = 0; i < columns; i += 4) {
      v128.store(floatAt(scratch, i), f32x4.splat(-Infinity))
      v128.store(floatAt(places, i), i32x4.splat(0))
    }
    let x = at(p.x, outer * p.length * inner + column, format)
    for (let row: u32 = 0; row < p.length; row++, x = at(x, inner, format)) {
      const place = i32x4.splat(row)
      for (let i: u32 = 0; i < columns; i += 4) {
        const value = v128.xor(load4(at(x, i, format), format), flip)
        const most = v128.load(floatAt(scratch, i))
        // NaN is larger than all but another NaN.
        const nan = v128.and(f32x4.ne(value, value), f32x4.eq(most, most))
        const larger = v128.or(f32x4.gt(value, most), nan)
        v128.store(floatAt(scratch, i), v128.bitselect(value, most, larger))
        v128.store(floatAt(places, i), v128.bitselect(place, v128.load(floatAt(places, i)), larger))
      }
    }
    memory.copy(floatAt(p.out, outer * inner + column), places, columns << 2)
  }
}

@unmanaged
class CumsumParams {
  x: usize
  out: usize
  format: u32
  length: u32
  inner: u32
  block: u32 // most columns of a unit, a multiple of 4
}

/** A unit is a line, inner being 1. */
export function cumsumLines(p: CumsumParams, from: u32, to: u32, _scratch: usize): void {
  const format = p.format
  let x = at(p.x, from * p.length, format)
  let out = floatAt(p.out, from * p.length)
  for (let line = from; line < to; line++) {
    let sum: f64 = 0
    for (let i: u32 = 0; i < p.length; i++, x = at(x, 1, format), out += 4) {
      sum += load1(x, format)
      store<f32>(out, <f32>sum)
    }
  }
}

/** A unit is a block of columns of one of the outer indices. */
export function cumsumColumns(p: CumsumParams, from: u32, to: u32, scratch: usize): void {
  const format = p.format
  const inner = p.inner
  const block = p.block
  const blocks = (inner + block - 1) / block
  for (let unit = from; unit < to; unit++) {
    const column = (unit % blocks) * block
    const columns = min(block, inner - column)
    const first = (unit / blocks) * p.length * inner + column
    for (let i: u32 = 0; i < columns; i += 4) {
      v128.store(scratch + (i << 3), f64x2.splat(0))
      v128.store(scratch + (i << 3), f64x2.splat(0), 16)
    }
    let x = at(p.x, first, format)
    let out = floatAt(p.out, first)
    for (let row: u32 = 0; row < p.length; row++, x = at(x, inner, format), out = floatAt(out, inner)) {
      for (let i: u32 = 0; i < columns; i += 4) {
        const sums = scratch + (i << 3)
        const value = load4(at(x, i, format), format)
        const low = f64x2.add(v128.load(sums), f64x2.promote_low_f32x4(value))
        const high = f64x2.add(v128.load(sums, 16), promoteHigh(value))
        v128.store(sums, low)
        v128.store(sums, high, 16)
        const four = v128.shuffle<f64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2)
        storeUpTo4(floatAt(out, i), four, columns - i)
      }
    }
  }
}
