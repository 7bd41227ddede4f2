// Operands of any float width, widened to f32 as they are read. Formats are numbered by `formatNumber`
// (wasm-operand.ts). Behind the end of every operand is memory: reading by fours may run over it, and what is read
// there must not matter.

export const F32: u32 = 0
const F16: u32 = 1

/** The address of an operand's element. */
export function at(base: usize, index: u32, format: u32): usize {
  return base + ((<usize>index) << (format == F32 ? 2 : 1))
}

/** The address of an f32. */
export function floatAt(base: usize, index: u32): usize {
  return base + ((<usize>index) << 2)
}

/**
 * Four f16 in the low halves of lanes, as f32: exact, with subnormals, infinities and NaN. Exponents move from bias 15
 * to 127, and the highest (infinity, NaN) that far again. Subnormals m 2^-24 become y = 2^-15 + m 2^-25 that way: 2 y -
 * 2^-14 is theirs, and the smaller of the two; for all others it is the larger.
 */
function widenHalf(h: v128): v128 {
  const magnitude = i32x4.shl(v128.and(h, i32x4.splat(0x7fff)), 13)
  const sign = i32x4.shl(v128.and(h, i32x4.splat(0x8000)), 16)
  const again = v128.and(i32x4.gt_s(magnitude, i32x4.splat(0x0f7fffff)), i32x4.splat(0x38000000))
  const moved = i32x4.add(i32x4.add(magnitude, i32x4.splat(0x38000000)), again)
  const subnormal = f32x4.sub(f32x4.add(moved, moved), f32x4.splat(6.103515625e-5))
  return v128.or(f32x4.pmin(moved, subnormal), sign)
}

/** Four elements from the address on. */
export function load4(address: usize, format: u32): v128 {
  if (format == F32) return v128.load(address)
  const bits = v128.load_ext<u16>(address)
  return format == F16 ? widenHalf(bits) : i32x4.shl(bits, 16)
}

/** The element at the address. */
export function load1(address: usize, format: u32): f32 {
  if (format == F32) return load<f32>(address)
  const bits = i32x4.splat(load<u16>(address))
  return f32x4.extract_lane(format == F16 ? widenHalf(bits) : i32x4.shl(bits, 16), 0)
}

/** The first `count` elements from the address on, at most four, then zeros; nothing behind them is read. */
export function loadUpTo4(address: usize, format: u32, count: u32): v128 {
  if (count >= 4) return load4(address, format)
  let x = f32x4.replace_lane(f32x4.splat(0), 0, load1(address, format))
  if (count > 1) x = f32x4.replace_lane(x, 1, load1(at(address, 1, format), format))
  if (count > 2) x = f32x4.replace_lane(x, 2, load1(at(address, 2, format), format))
  return x
}

/** Stores the first `count` lanes, at most four, as f32. */
export function storeUpTo4(address: usize, x: v128, count: u32): void {
  if (count >= 4) return v128.store(address, x)
  v128.store32_lane(address, x, 0)
  if (count > 1) v128.store32_lane(address, x, 1, 4)
  if (count > 2) v128.store32_lane(address, x, 2, 8)
}

/** Writes `count` elements as f32. */
export function widen(address: usize, format: u32, count: u32, target: usize): void {
  for (let i: u32 = 0; i < count; i += 4, target += 16)
    storeUpTo4(target, load4(at(address, i, format), format), count - i)
}
