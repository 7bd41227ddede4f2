// Logarithms and powers of base 2, two numbers at a time in double precision: a power multiplies the logarithm's error
// by its exponent, which f32 has no digits left for.

/** p s + c: one step of Horner's rule. */
function step(p: v128, s: v128, c: f64): v128 {
  return f64x2.add(f64x2.mul(p, s), f64x2.splat(c))
}

/**
 * log2(x) = k + log2(m), m in [sqrt(1/2), sqrt(2)), log(m) = 2 atanh((m - 1) / (m + 1)) by its series; relative
 * error 1e-12.
 * x is that of an f32, not negative; 0 gives -infinity.
 */
function log2(x: v128): v128 {
  const middle = i64x2.splat(0x3fe6a09e667f3bcd) // the bits of sqrt(1/2)
  const shifted = i64x2.sub(x, middle)
  const k = i64x2.shr_s(shifted, 52)
  const m = i64x2.add(v128.and(shifted, i64x2.splat(0x000fffffffffffff)), middle)
  const s = f64x2.div(f64x2.sub(m, f64x2.splat(1)), f64x2.add(m, f64x2.splat(1)))
  const w = f64x2.mul(s, s)
  let p = f64x2.splat(1.0 / 13)
  p = step(p, w, 1.0 / 11)
  p = step(p, w, 1.0 / 9)
  p = step(p, w, 1.0 / 7)
  p = step(p, w, 1.0 / 5)
  p = step(p, w, 1.0 / 3)
  p = step(p, w, 1)
  const whole = f64x2.convert_low_i32x4_s(v128.shuffle<i32>(k, k, 0, 2, 0, 2))
  const value = f64x2.add(whole, f64x2.mul(f64x2.mul(s, f64x2.splat(2.8853900817779268)), p))
  const finite = f64x2.lt(x, f64x2.splat(Infinity))
  return v128.bitselect(v128.bitselect(value, x, finite), f64x2.splat(-Infinity), f64x2.ne(x, f64x2.splat(0)))
}

/**
 * 2^x = 2^k exp(r), |r| <= log(2) / 2, by its series; relative error 2e-10. Beyond what an f32 holds, some such
 * number.
 */
function exp2(x: v128): v128 {
  const t = f64x2.pmin(f64x2.pmax(x, f64x2.splat(-200)), f64x2.splat(200))
  // Adding 1.5 2^52 rounds to an integer, which the lowest bits then hold.
  const shifted = f64x2.add(t, f64x2.splat(6755399441055744))
  const k = f64x2.sub(shifted, f64x2.splat(6755399441055744))
  const r = f64x2.mul(f64x2.sub(t, k), f64x2.splat(0.6931471805599453))
  let p = f64x2.splat(1.0 / 40320)
  p = step(p, r, 1.0 / 5040)
  p = step(p, r, 1.0 / 720)
  p = step(p, r, 1.0 / 120)
  p = step(p, r, 1.0 / 24)
  p = step(p, r, 1.0 / 6)
  p = step(p, r, 0.5)
  p = step(p, r, 1)
  p = step(p, r, 1)
  return i64x2.add(p, i64x2.shl(shifted, 52))
}

/** The halves of four floats, made one again. */
function join(low: v128, high: v128): v128 {
  return v128.shuffle<f32>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5)
}

function lowHalf(x: v128): v128 {
  return f64x2.promote_low_f32x4(x)
}

function highHalf(x: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f32>(x, x, 2, 3, 2, 3))
}

/** log2(x), NaN below 0. */
export function log24(x: v128): v128 {
  const a = f32x4.abs(x)
  const value = join(log2(lowHalf(a)), log2(highHalf(a)))
  return v128.bitselect(f32x4.splat(NaN), value, f32x4.lt(x, f32x4.splat(0)))
}

/**
 * x to a power, of its magnitude first. For negative x the result is multiplied by `sign`: 1 for even exponents,
 * -1 for odd
 * ones, NaN for others.
 */
export function pow4(x: v128, exponent: v128, sign: v128): v128 {
  const a = f32x4.abs(x)
  const e = lowHalf(exponent)
  const power = join(exp2(f64x2.mul(e, log2(lowHalf(a)))), exp2(f64x2.mul(e, log2(highHalf(a)))))
  // -0 counts as negative where the exponent is odd.
  const negative = v128.or(f32x4.lt(x, f32x4.splat(0)), v128.and(i32x4.shr_s(x, 31), f32x4.lt(sign, f32x4.splat(0))))
  const signed = v128.bitselect(f32x4.mul(power, sign), power, negative)
  return v128.bitselect(f32x4.splat(1), signed, f32x4.eq(exponent, f32x4.splat(0)))
}
