// Conversion of element types, four elements at a time. Floats round to the nearest, ties to even; halves are made as
// bits.

import { F32, load4, storeUpTo4 } from '../common/operand.as'

// Formats of operand.as.ts beyond F32, and one more (`castFormats` in wasm.ts).
const F16: u32 = 1
const I32: u32 = 3

@unmanaged
class CastParams {
  x: usize
  out: usize
  xFormat: u32
  outFormat: u32
  size: u32
  unit: u32 // elements, a multiple of 4
}

/** A unit is a run of elements. */
export function cast(p: CastParams, from: u32, to: u32, _scratch: usize): void {
  const xFormat = p.xFormat
  const outFormat = p.outFormat
  const xBits: u32 = xFormat == F32 || xFormat == I32 ? 2 : 1
  const outBits: u32 = outFormat == F32 || outFormat == I32 ? 2 : 1
  const end = min(to * p.unit, p.size)
  let i = from * p.unit
  let x = p.x + (i << xBits)
  let out = p.out + (i << outBits)
  for (; i < end; i += 4, x += 4 << xBits, out += 4 << outBits) {
    const value = xFormat == I32 ? f32x4.convert_i32x4_s(v128.load(x)) : load4(x, xFormat)
    const count = min(4, end - i)
    if (outFormat == F32) storeUpTo4(out, value, count)
    else if (outFormat == I32) storeUpTo4(out, i32x4.trunc_sat_f32x4_s(value), count)
    else if (outFormat == F16) storeHalves(out, toHalf(value), count)
    else storeHalves(out, toBrain(value), count)
  }
}

/** The bits of f16 in the low halves of lanes. */
function toHalf(v: v128): v128 {
  const magnitude = v128.and(v, i32x4.splat(0x7fffffff))
  const even = v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(1))
  const rounded = i32x4.sub(i32x4.add(i32x4.add(magnitude, i32x4.splat(0xfff)), even), i32x4.splat(0x38000000))
  // Below the smallest normal half: in units of 2^-24.
  const small = f32x4.pmin(f32x4.abs(v), f32x4.splat(1))
  const units = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(small, f32x4.splat(16777216))))
  let half = i32x4.shr_u(rounded, 13)
  half = v128.bitselect(units, half, i32x4.lt_s(magnitude, i32x4.splat(0x38800000)))
  half = v128.bitselect(i32x4.splat(0x7c00), half, i32x4.ge_s(magnitude, i32x4.splat(0x477ff000)))
  half = v128.bitselect(i32x4.splat(0x7e00), half, f32x4.ne(v, v))
  return v128.or(half, v128.and(i32x4.shr_u(v, 16), i32x4.splat(0x8000)))
}

/** The bits of bf16 in the low halves of lanes. */
function toBrain(v: v128): v128 {
  const high = i32x4.shr_u(v, 16)
  const even = v128.and(high, i32x4.splat(1))
  const rounded = i32x4.shr_u(i32x4.add(i32x4.add(v, i32x4.splat(0x7fff)), even), 16)
  return v128.bitselect(v128.or(high, i32x4.splat(0x40)), rounded, f32x4.ne(v, v))
}

/** Stores the low halves of the first `count` lanes. */
function storeHalves(address: usize, words: v128, count: u32): void {
  const halves = i16x8.narrow_i32x4_u(words, words)
  if (count == 4) return v128.store64_lane(address, halves, 0)
  v128.store16_lane(address, halves, 0)
  if (count > 1) v128.store16_lane(address, halves, 1, 2)
  if (count > 2) v128.store16_lane(address, halves, 2, 4)
}
