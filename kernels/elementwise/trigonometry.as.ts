// Sine and arctangent of four floats at a time, to f32 accuracy: the polynomials of trigonometry.wgsl.

import { copysign4, step } from '../common/math.as'

/** x - turns c */
function less(x: v128, turns: v128, c: f32): v128 {
  return f32x4.sub(x, f32x4.mul(turns, f32x4.splat(c)))
}

/**
 * The sine of x plus so many right angles. x loses its own right angles in three parts of pi / 2, the first two short
 * enough that their products are exact up to 2^15 right angles.
 */
export function sine4(x: v128, rightAngles: i32): v128 {
  const turns = f32x4.nearest(f32x4.mul(x, f32x4.splat(0.6366197723675814)))
  const r = less(less(less(x, turns, 1.5703125), turns, 0.00048351287841796875), turns, 3.1391647326017846e-7)
  const z = f32x4.mul(r, r)
  let s = f32x4.splat(-0.00019587890710681677)
  s = step(s, z, 0.008332747966051102)
  s = step(s, z, -0.166666641831398)
  s = f32x4.add(r, f32x4.mul(f32x4.mul(r, z), s))
  let c = f32x4.splat(2.454794230288826e-5)
  c = step(c, z, -0.001388830249197781)
  c = step(c, z, 0.0416666641831398)
  c = f32x4.add(less(f32x4.splat(1), z, 0.5), f32x4.mul(f32x4.mul(z, z), c))
  const quadrant = i32x4.add(i32x4.trunc_sat_f32x4_s(turns), i32x4.splat(rightAngles))
  const odd = i32x4.ne(v128.and(quadrant, i32x4.splat(1)), i32x4.splat(0))
  const sign = i32x4.shl(v128.and(quadrant, i32x4.splat(2)), 30)
  return v128.xor(v128.bitselect(c, s, odd), sign)
}

/** The angle of the point (x, y): from the smaller over the larger coordinate, brought below tan(pi / 8). */
export function angle4(y: v128, x: v128): v128 {
  const across = f32x4.abs(x)
  const up = f32x4.abs(y)
  const low = f32x4.min(across, up)
  const high = f32x4.max(across, up)
  const zero = f32x4.splat(0)
  const steep = v128.and(f32x4.ge(low, f32x4.mul(high, f32x4.splat(0.41421356))), f32x4.gt(high, zero))
  const above = v128.bitselect(f32x4.sub(low, high), low, steep)
  const below = v128.bitselect(f32x4.add(low, high), high, steep)
  // Equal coordinates, at worst both zero or both infinite, have no quotient.
  const t = v128.and(f32x4.div(above, below), f32x4.lt(low, high))
  const z = f32x4.mul(t, t)
  let p = f32x4.splat(-0.06451927870512009)
  p = step(p, z, 0.10743731260299683)
  p = step(p, z, -0.14263956248760223)
  p = step(p, z, 0.19999539852142334)
  p = step(p, z, -0.3333333134651184)
  let angle = f32x4.add(t, f32x4.mul(f32x4.mul(t, z), p))
  angle = f32x4.add(angle, v128.and(f32x4.splat(0.7853981633974483), steep))
  angle = v128.bitselect(f32x4.sub(f32x4.splat(1.5707963267948966), angle), angle, f32x4.gt(up, across))
  // The sign by its bit: -0 is to the left.
  angle = v128.bitselect(f32x4.sub(f32x4.splat(3.141592653589793), angle), angle, i32x4.shr_s(x, 31))
  return v128.bitselect(copysign4(angle, y), f32x4.add(x, y), f32x4.eq(f32x4.add(high, low), f32x4.add(high, low)))
}
