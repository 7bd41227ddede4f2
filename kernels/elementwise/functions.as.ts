// The functions of one and two numbers, four at a time, by the numbers of `functionNumber` (wasm.ts): their places in
// functions.ts. Keep in step with it.

import { activate4 } from '../common/epilogue.as'
import { erf4, exp4, fall4, log4, sigmoid4, step, tanh4 } from '../common/math.as'
import { log24, pow4 } from './power.as'
import { angle4, sine4 } from './trigonometry.as'

export const AFFINE: u32 = 27

export const ADD: u32 = 0
export const MUL: u32 = 2

/** log(1 + exp(x)); log(1 + z) = 2 atanh(z / (2 + z)), a polynomial (largest relative error 2e-8). */
function softplus4(x: v128): v128 {
  const z = exp4(f32x4.neg(f32x4.abs(x)))
  const s = f32x4.div(z, f32x4.add(f32x4.splat(2), z))
  const w = f32x4.mul(s, s)
  let p = f32x4.splat(0.2685149908065796)
  p = step(p, w, 0.28236618638038635)
  p = step(p, w, 0.40007561445236206)
  p = step(p, w, 0.6666663885116577)
  const log = f32x4.add(f32x4.add(s, s), f32x4.mul(f32x4.mul(s, w), p))
  return f32x4.add(f32x4.max(x, f32x4.splat(0)), log)
}

/** -1, 0 or 1; 0 for NaN. */
function sign4(x: v128): v128 {
  const zero = f32x4.splat(0)
  const one = f32x4.splat(1)
  return f32x4.sub(v128.and(one, f32x4.gt(x, zero)), v128.and(one, f32x4.lt(x, zero)))
}

/** p and q are the constants of clamp, pow and affine; the first six functions are the activations. */
export function unary4(x: v128, name: u32, p: v128, q: v128): v128 {
  switch (name) {
    case 6:
      return sigmoid4(x)
    case 7:
      return softplus4(x)
    case 8:
      return tanh4(x)
    case 9:
      return erf4(x)
    case 10:
      return sine4(x, 0)
    case 11:
      return sine4(x, 1)
    case 12:
      return exp4(x)
    case 13:
      return log4(x)
    case 14:
      return log24(x)
    case 15:
      return f32x4.sqrt(x)
    case 16:
      return f32x4.div(f32x4.splat(1), f32x4.sqrt(x))
    case 17:
      return f32x4.div(f32x4.splat(1), x)
    case 18:
      return f32x4.mul(x, x)
    case 19:
      return f32x4.neg(x)
    case 20:
      return f32x4.abs(x)
    case 21:
      return sign4(x)
    case 22:
      return f32x4.floor(x)
    case 23:
      return f32x4.ceil(x)
    case 24:
      return f32x4.nearest(x)
    case 25:
      return f32x4.min(f32x4.max(x, p), q)
    case 26:
      return pow4(x, p, q)
    case AFFINE:
      return f32x4.add(f32x4.mul(x, p), q)
    default:
      return activate4(x, name)
  }
}

/** The derivative of x / (1 + exp(-scale x)): s + scale x s (1 - s). */
function dSilu4(x: v128, scale: f32): v128 {
  const inner = f32x4.mul(x, f32x4.splat(scale))
  const s = sigmoid4(inner)
  return f32x4.add(s, f32x4.mul(f32x4.mul(inner, s), f32x4.sub(f32x4.splat(1), s)))
}

/** The normal distribution's integral, and x times its density. */
function dGelu4(x: v128): v128 {
  const half = f32x4.splat(0.5)
  const integral = f32x4.mul(half, f32x4.add(f32x4.splat(1), erf4(f32x4.mul(x, f32x4.splat(0.7071067811865476)))))
  const density = fall4(f32x4.neg(f32x4.mul(half, f32x4.mul(x, x))))
  return f32x4.add(integral, f32x4.mul(f32x4.mul(x, f32x4.splat(0.3989422804014327)), density))
}

function dGeluTanh4(x: v128): v128 {
  const half = f32x4.splat(0.5)
  const one = f32x4.splat(1)
  const squared = f32x4.mul(x, x)
  const inner = f32x4.mul(x, step(squared, f32x4.splat(0.044715), 1))
  const t = tanh4(f32x4.mul(inner, f32x4.splat(0.7978845608028654)))
  const slope = f32x4.mul(f32x4.splat(0.7978845608028654), step(squared, f32x4.splat(0.134145), 1))
  const rest = f32x4.mul(f32x4.mul(x, f32x4.sub(one, f32x4.mul(t, t))), slope)
  return f32x4.mul(half, f32x4.add(f32x4.add(one, t), rest))
}

/** From the seventh on b times the derivative of a function of a. */
export function binary4(a: v128, b: v128, name: u32): v128 {
  switch (name) {
    case ADD:
      return f32x4.add(a, b)
    case 1:
      return f32x4.sub(a, b)
    case MUL:
      return f32x4.mul(a, b)
    case 3:
      return f32x4.div(a, b)
    case 4:
      return f32x4.max(a, b)
    case 5:
      return f32x4.min(a, b)
    case 6:
      return angle4(a, b)
    case 7:
      return f32x4.mul(b, dSilu4(a, 1))
    case 8:
      return v128.and(b, f32x4.gt(a, f32x4.splat(0)))
    case 9:
      return f32x4.mul(b, dGelu4(a))
    case 10:
      return f32x4.mul(b, dGeluTanh4(a))
    case 11:
      return f32x4.mul(b, dSilu4(a, 1.702))
    case 12:
      return f32x4.mul(b, f32x4.mul(a, f32x4.sub(f32x4.splat(1), a)))
    default:
      return f32x4.mul(b, f32x4.sub(f32x4.splat(1), f32x4.mul(a, a)))
  }
}
