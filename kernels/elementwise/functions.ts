// The functions of one and two numbers, as plain arithmetic. Keep in step with unary.wgsl and binary.wgsl.

import { activations } from '../common/activations.js'
import { erf } from '../common/erf.js'

/** To the nearest integer, ties to the even one. */
function roundHalfEven(x: number): number {
  const nearest = Math.round(x)
  return Math.abs(x % 1) === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest
}

/** Functions of x; the last three take one or two constants as well. */
export const unaryFunctions = {
  ...activations,
  sigmoid: (x: number) => 1 / (1 + Math.exp(-x)),
  softplus: (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  tanh: (x: number) => Math.tanh(x),
  erf,
  sin: (x: number) => Math.sin(x),
  cos: (x: number) => Math.cos(x),
  exp: (x: number) => Math.exp(x),
  log: (x: number) => Math.log(x),
  log2: (x: number) => Math.log2(x),
  sqrt: (x: number) => Math.sqrt(x),
  rsqrt: (x: number) => 1 / Math.sqrt(x),
  reciprocal: (x: number) => 1 / x,
  square: (x: number) => x * x,
  neg: (x: number) => -x,
  abs: (x: number) => Math.abs(x),
  sign: (x: number) => Number(x > 0) - Number(x < 0),
  floor: (x: number) => Math.floor(x),
  ceil: (x: number) => Math.ceil(x),
  round: roundHalfEven,
  clamp: (x: number, min: number, max: number) => Math.min(Math.max(x, min), max),
  pow: (x: number, exponent: number) => Math.pow(x, exponent),
  affine: (x: number, scale: number, shift: number) => x * scale + shift,
}
export type UnaryName = keyof typeof unaryFunctions

/** The derivatives of functions of x, or of their result y where that says more. */
const derivatives = {
  silu: (x: number) => {
    const s = 1 / (1 + Math.exp(-x))
    return s + x * s * (1 - s)
  },
  gelu: (x: number) => 0.5 * (1 + erf(x * Math.SQRT1_2)) + (x * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI),
  gelu_tanh: (x: number) => {
    const scale = Math.sqrt(2 / Math.PI)
    const t = Math.tanh(scale * (x + 0.044715 * x ** 3))
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * scale * (1 + 3 * 0.044715 * x * x)
  },
  quick_gelu: (x: number) => {
    const s = 1 / (1 + Math.exp(-1.702 * x))
    return s + 1.702 * x * s * (1 - s)
  },
  sigmoid: (y: number) => y * (1 - y),
  tanh: (y: number) => 1 - y * y,
}

/** Functions of a and b; a derivative of a times b. */
export const binaryFunctions = {
  add: (a: number, b: number) => a + b,
  sub: (a: number, b: number) => a - b,
  mul: (a: number, b: number) => a * b,
  div: (a: number, b: number) => a / b,
  maximum: (a: number, b: number) => Math.max(a, b),
  minimum: (a: number, b: number) => Math.min(a, b),
  atan2: (a: number, b: number) => Math.atan2(a, b),
  d_silu: (x: number, g: number) => g * derivatives.silu(x),
  d_relu: (x: number, g: number) => (x > 0 ? g : 0),
  d_gelu: (x: number, g: number) => g * derivatives.gelu(x),
  d_gelu_tanh: (x: number, g: number) => g * derivatives.gelu_tanh(x),
  d_quick_gelu: (x: number, g: number) => g * derivatives.quick_gelu(x),
  d_sigmoid: (y: number, g: number) => g * derivatives.sigmoid(y),
  d_tanh: (y: number, g: number) => g * derivatives.tanh(y),
}
/** Functions whose derivative is there. */
export type DerivativeName = keyof typeof derivatives | 'relu'
export type BinaryName = keyof typeof binaryFunctions
