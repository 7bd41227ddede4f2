// Softmax and its logarithm along one axis of [outer, length, inner], maxima first.
//
// Kernels:
//   softmaxLines    lines of neighbouring elements (inner 1): a unit is a line.
//   softmaxColumns  lines side by side: a unit is a block of up to `block` of them, row by row.

import { firstLanes, sumAcross } from '../common/across.as'
import { exp4, log1, log4 } from '../common/math.as'
import { at, floatAt, load4, storeUpTo4 } from '../common/operand.as'

@unmanaged
class SoftmaxLinesParams {
  x: usize
  out: usize
  xFormat: u32
  length: u32
  log: u32
}

/** A unit is a line. */
export function softmaxLines(p: SoftmaxLinesParams, from: u32, to: u32, _scratch: usize): void {
  for (let line = from; line < to; line++) {
    const x = at(p.x, line * p.length, p.xFormat)
    softmaxLine(x, p.xFormat, p.length, p.log, floatAt(p.out, line * p.length))
  }
}

function softmaxLine(x: usize, format: u32, length: u32, log: u32, out: usize): void {
  // NaN is no maximum; it spoils the sum.
  let most = f32x4.splat(-Infinity)
  for (let i: u32 = 0; i < length; i += 4) most = f32x4.pmax(most, padded(at(x, i, format), format, length - i))
  most = f32x4.pmax(most, v128.shuffle<f32>(most, most, 2, 3, 0, 1))
  most = f32x4.pmax(most, v128.shuffle<f32>(most, most, 1, 0, 3, 2))
  let sums = f32x4.splat(0)
  for (let i: u32 = 0; i < length; i += 4) {
    const below = f32x4.sub(padded(at(x, i, format), format, length - i), most)
    const e = exp4(below)
    sums = f32x4.add(sums, e)
    storeUpTo4(floatAt(out, i), log ? below : e, length - i)
  }
  const total = sumAcross(sums)
  const last = f32x4.splat(log ? log1(total) : 1 / total)
  for (let i: u32 = 0; i < length; i += 4) {
    const y = v128.load(floatAt(out, i))
    storeUpTo4(floatAt(out, i), log ? f32x4.sub(y, last) : f32x4.mul(y, last), length - i)
  }
}

/** Four elements, those behind the end minus infinity where fewer are left. */
function padded(x: usize, format: u32, left: u32): v128 {
  const four = load4(x, format)
  return left < 4 ? firstLanes(four, left, f32x4.splat(-Infinity)) : four
}

@unmanaged
class SoftmaxColumnsParams {
  x: usize
  out: usize
  xFormat: u32
  length: u32
  inner: u32
  block: u32 // a multiple of 4
  log: u32
}

/** A unit is a block of lines side by side. Private memory: two floats for each. */
export function softmaxColumns(p: SoftmaxColumnsParams, from: u32, to: u32, scratch: usize): void {
  const blocks = (p.inner + p.block - 1) / p.block
  for (let unit = from; unit < to; unit++) {
    const column = (unit % blocks) * p.block
    const first = (unit / blocks) * p.length * p.inner + column
    softmaxBlock(p, at(p.x, first, p.xFormat), min(p.block, p.inner - column), floatAt(p.out, first), scratch)
  }
}

/** The lines of `columns` columns; their maxima and sums are kept in `work`. */
function softmaxBlock(p: SoftmaxColumnsParams, x: usize, columns: u32, out: usize, work: usize): void {
  const format = p.xFormat
  const log = p.log
  const sums = floatAt(work, p.block)
  for (let c: u32 = 0; c < columns; c += 4) {
    v128.store(floatAt(work, c), f32x4.splat(-Infinity))
    v128.store(floatAt(sums, c), f32x4.splat(0))
  }
  for (let n: u32 = 0; n < p.length; n++) {
    const row = at(x, n * p.inner, format)
    for (let c: u32 = 0; c < columns; c += 4)
      v128.store(floatAt(work, c), f32x4.pmax(v128.load(floatAt(work, c)), load4(at(row, c, format), format)))
  }
  for (let n: u32 = 0; n < p.length; n++) {
    const row = at(x, n * p.inner, format)
    const target = floatAt(out, n * p.inner)
    for (let c: u32 = 0; c < columns; c += 4) {
      const below = f32x4.sub(load4(at(row, c, format), format), v128.load(floatAt(work, c)))
      const e = exp4(below)
      v128.store(floatAt(sums, c), f32x4.add(v128.load(floatAt(sums, c)), e))
      storeUpTo4(floatAt(target, c), log ? below : e, columns - c)
    }
  }
  for (let c: u32 = 0; c < columns; c += 4) {
    const total = v128.load(floatAt(sums, c))
    v128.store(floatAt(sums, c), log ? log4(total) : f32x4.div(f32x4.splat(1), total))
  }
  for (let n: u32 = 0; n < p.length; n++) {
    const target = floatAt(out, n * p.inner)
    for (let c: u32 = 0; c < columns; c += 4) {
      const y = v128.load(floatAt(target, c))
      const last = v128.load(floatAt(sums, c))
      storeUpTo4(floatAt(target, c), log ? f32x4.sub(y, last) : f32x4.mul(y, last), columns - c)
    }
  }
}
