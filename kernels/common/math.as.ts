// Functions of four floats at a time, to f32 accuracy; infinities, NaN and subnormal results included. The polynomials
// are those of the shaders (exponential.wgsl, erf.wgsl, unary.wgsl), fitted at Chebyshev nodes. `x4` means lane by
// lane.

// The constants of what runs most, in memory: loading one takes an instruction, and making it in the code takes four.
// -104, 89: the range; log2(e); 1.5 2^23; log(2) in two parts; coefficients from the highest on; 1.
const EXP = memory.data<f32>([
  -104, 89, 1.4426950408889634, 12582912, -0.693359375, 0.000212194440055, 0.0013926175888627768, 0.008363173343241215,
  0.041666556149721146, 0.16666577756404877, 0.5, 1,
])

/** p s + c: one step of Horner's rule. */
export function step(p: v128, s: v128, c: f32): v128 {
  return f32x4.add(f32x4.mul(p, s), f32x4.splat(c))
}

/**
 * exp(x) = 2^k exp(r), |r| <= log(2) / 2. The two parts of log(2) keep r exact, and those of 2^k its halves in range.
 * Beyond -104..89 the result is 0 or infinite; NaN passes through pmax and pmin.
 */
export function exp4(x: v128): v128 {
  const t = f32x4.pmin(f32x4.pmax(x, v128.load32_splat(EXP)), v128.load32_splat(EXP, 4))
  // Adding 1.5 2^23 rounds to an integer, which the lowest bits then hold.
  const rounder = v128.load32_splat(EXP, 12)
  const shifted = f32x4.add(f32x4.mul(t, v128.load32_splat(EXP, 8)), rounder)
  const turns = f32x4.sub(shifted, rounder)
  const k = i32x4.sub(shifted, rounder)
  let r = f32x4.add(t, f32x4.mul(turns, v128.load32_splat(EXP, 16)))
  r = f32x4.add(r, f32x4.mul(turns, v128.load32_splat(EXP, 20)))
  let p = f32x4.add(f32x4.mul(v128.load32_splat(EXP, 24), r), v128.load32_splat(EXP, 28))
  p = f32x4.add(f32x4.mul(p, r), v128.load32_splat(EXP, 32))
  p = f32x4.add(f32x4.mul(p, r), v128.load32_splat(EXP, 36))
  p = f32x4.add(f32x4.mul(p, r), v128.load32_splat(EXP, 40))
  const one = v128.load32_splat(EXP, 44)
  const e = f32x4.add(one, f32x4.add(r, f32x4.mul(f32x4.mul(r, r), p)))
  // 2^(k/2) twice: the exponent of 1 moved by half of k, then by the rest.
  const half = i32x4.shr_s(k, 1)
  const first = i32x4.add(one, i32x4.shl(half, 23))
  const second = i32x4.add(one, i32x4.shl(i32x4.sub(k, half), 23))
  return f32x4.mul(f32x4.mul(e, first), second)
}

/** exp of one number: what exp4 makes of it. */
export function exp1(x: f32): f32 {
  return f32x4.extract_lane(exp4(f32x4.splat(x)), 0)
}

// -127, 128: the range; 1.5 2^23; coefficients of 2^r, from the highest on; 1; log2(e), its negative, that times 1.702.
const POWER = memory.data<f32>([
  -127, 128, 12582912, 0.001326472731307149, 0.009671512991189957, 0.05550733581185341, 0.24022242426872253,
  0.6931470036506653, 1, 1.4426950408889634, -1.4426950408889634, -2.4554669595930156,
])

/** 2^t = 2^k 2^r, |r| <= 1/2, for t up to 128, where it is infinite; at -127 and below it is 0. NaN stays. */
function power4(t: v128): v128 {
  t = f32x4.pmax(t, v128.load32_splat(POWER))
  // As in exp4; -127 moves the exponent of 1 to that of 0, and 128 to that of infinity.
  const rounder = v128.load32_splat(POWER, 8)
  const shifted = f32x4.add(t, rounder)
  const r = f32x4.sub(t, f32x4.sub(shifted, rounder))
  let p = f32x4.add(f32x4.mul(v128.load32_splat(POWER, 12), r), v128.load32_splat(POWER, 16))
  p = f32x4.add(f32x4.mul(p, r), v128.load32_splat(POWER, 20))
  p = f32x4.add(f32x4.mul(p, r), v128.load32_splat(POWER, 24))
  p = f32x4.add(f32x4.mul(p, r), v128.load32_splat(POWER, 28))
  const one = v128.load32_splat(POWER, 32)
  return f32x4.mul(f32x4.add(f32x4.mul(p, r), one), i32x4.add(i32x4.shl(shifted, 23), one))
}

/**
 * exp(x) of weights that fall from 1, x <= 0: in half the steps of exp4, and as exact as 1 is, less so than its own
 * size: an error of 2e-7 (1 + |x|) of it. NaN stays.
 */
export function fall4(x: v128): v128 {
  return power4(f32x4.mul(x, v128.load32_splat(POWER, 36)))
}

/** exp of one number up to 0: what fall4 makes of it. */
export function fall1(x: f32): f32 {
  return f32x4.extract_lane(fall4(f32x4.splat(x)), 0)
}

/**
 * log(x) = k log(2) + log(m), m in [sqrt(1/2), sqrt(2)), log(m) = 2 atanh((m - 1) / (m + 1)): largest relative error of
 * the polynomial 2e-8. Zero gives -infinity, negative numbers NaN.
 */
export function log4(x: v128): v128 {
  // Subnormal numbers are scaled into the normal range first.
  const small = f32x4.lt(x, f32x4.splat(1.17549435e-38))
  const scaled = v128.bitselect(f32x4.mul(x, f32x4.splat(8388608)), x, small)
  const shifted = i32x4.sub(scaled, i32x4.splat(0x3f3504f3)) // the bits of sqrt(1/2)
  const m = i32x4.add(v128.and(shifted, i32x4.splat(0x007fffff)), i32x4.splat(0x3f3504f3))
  const k = f32x4.sub(f32x4.convert_i32x4_s(i32x4.shr_s(shifted, 23)), v128.and(small, f32x4.splat(23)))
  const f = f32x4.sub(m, f32x4.splat(1))
  const s = f32x4.div(f, f32x4.add(f, f32x4.splat(2)))
  const w = f32x4.mul(s, s)
  let p = f32x4.splat(0.2685149908065796)
  p = step(p, w, 0.28236618638038635)
  p = step(p, w, 0.40007561445236206)
  p = step(p, w, 0.6666663885116577)
  p = f32x4.mul(p, w)
  // 2 s = f - s f, exact in its large part.
  const low = f32x4.sub(f32x4.mul(k, f32x4.splat(-0.000212194440055)), f32x4.mul(s, f32x4.sub(f, p)))
  const value = f32x4.add(f32x4.add(low, f), f32x4.mul(k, f32x4.splat(0.693359375)))
  const finite = f32x4.lt(x, f32x4.splat(Infinity))
  const poles = v128.bitselect(f32x4.splat(-Infinity), f32x4.splat(NaN), f32x4.eq(x, f32x4.splat(0)))
  const positive = f32x4.gt(x, f32x4.splat(0))
  return v128.bitselect(v128.bitselect(value, x, finite), poles, v128.or(positive, f32x4.ne(x, x)))
}

/** log of one number: what log4 makes of it. */
export function log1(x: f32): f32 {
  return f32x4.extract_lane(log4(f32x4.splat(x)), 0)
}

/** The magnitudes of the first operand's lanes under the signs of the second's. */
export function copysign4(magnitude: v128, sign: v128): v128 {
  return v128.bitselect(sign, magnitude, i32x4.splat(0x80000000))
}

/** A polynomial in x^2 below 1, and 1 - exp(-x^2) P(1 / (1 + x/2)) above; absolute error 1e-7. */
export function erf4(x: v128): v128 {
  const a = f32x4.pmin(f32x4.abs(x), f32x4.splat(4))
  const s = f32x4.mul(a, a)
  let p = f32x4.splat(7.875874871388078e-5)
  p = step(p, s, -0.000801686430349946)
  p = step(p, s, 0.005189087241888046)
  p = step(p, s, -0.02685421146452427)
  p = step(p, s, 0.11283594369888306)
  p = step(p, s, -0.3761262595653534)
  p = step(p, s, 1.1283791065216064)
  const t = f32x4.div(f32x4.splat(1), step(a, f32x4.splat(0.5), 1))
  let q = f32x4.splat(0.12085243314504623)
  q = step(q, t, -0.47652527689933777)
  q = step(q, t, 0.5712651610374451)
  q = step(q, t, -0.11020829528570175)
  q = step(q, t, 0.3510303199291229)
  q = step(q, t, 0.25875136256217957)
  q = step(q, t, 0.28506162762641907)
  q = step(q, t, -0.00016423639317508787)
  const far = f32x4.sub(f32x4.splat(1), f32x4.mul(fall4(f32x4.neg(s)), q))
  return copysign4(v128.bitselect(f32x4.mul(a, p), far, f32x4.lt(a, f32x4.splat(1))), x)
}

/** An odd polynomial near 0 (largest relative error 6e-8), exponentials beyond. */
export function tanh4(x: v128): v128 {
  const a = f32x4.abs(x)
  const w = f32x4.mul(x, x)
  let p = f32x4.splat(0.017988745123147964)
  p = step(p, w, -0.0533871091902256)
  p = step(p, w, 0.13330475986003876)
  p = step(p, w, -0.3333331048488617)
  const near = f32x4.add(a, f32x4.mul(f32x4.mul(a, w), p))
  const e = fall4(f32x4.mul(a, f32x4.splat(-2)))
  const one = f32x4.splat(1)
  const far = f32x4.div(f32x4.sub(one, e), f32x4.add(one, e))
  return copysign4(v128.bitselect(near, far, f32x4.lt(a, f32x4.splat(0.5))), x)
}

/** 1 / (1 + exp(-x)) */
export function sigmoid4(x: v128): v128 {
  const one = f32x4.splat(1)
  return f32x4.div(one, f32x4.add(one, exp4(f32x4.neg(x))))
}

/** x / (1 + 2^t): as exact as x is where that is about x, and for t > 0 to 2e-7 (1 + t) of itself. */
function gate4(x: v128, t: v128): v128 {
  const e = power4(f32x4.pmin(t, v128.load32_splat(POWER, 4)))
  return f32x4.div(x, f32x4.add(v128.load32_splat(POWER, 32), e))
}

/** x / (1 + exp(-x)) */
export function silu4(x: v128): v128 {
  return gate4(x, f32x4.mul(x, v128.load32_splat(POWER, 40)))
}

/** x / (1 + exp(-1.702 x)) */
export function quickGelu4(x: v128): v128 {
  return gate4(x, f32x4.mul(x, v128.load32_splat(POWER, 44)))
}

/** x times the normal distribution's integral: x (1 + erf(x / sqrt(2))) / 2 */
export function gelu4(x: v128): v128 {
  const cumulative = f32x4.add(f32x4.splat(1), erf4(f32x4.mul(x, f32x4.splat(0.7071067811865476))))
  return f32x4.mul(f32x4.mul(x, f32x4.splat(0.5)), cumulative)
}

/** x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 */
export function geluTanh4(x: v128): v128 {
  const inner = f32x4.add(x, f32x4.mul(f32x4.mul(f32x4.mul(x, x), x), f32x4.splat(0.044715)))
  const t = f32x4.mul(inner, f32x4.splat(0.7978845608028654))
  return f32x4.mul(f32x4.mul(x, f32x4.splat(0.5)), f32x4.add(f32x4.splat(1), tanh4(t)))
}

/** 0 below 0; NaN stays. */
export function relu4(x: v128): v128 {
  return f32x4.pmax(x, f32x4.splat(0))
}
