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

/** Functions of a and b. */
export const binaryFunctions = {
  add: (a: number, b: number) => a + b,
  sub: (a: number, b: number) => a - b,
  mul: (a: number, b: number) => a * b,
  div: (a: number, b: number) => a / b,
  maximum: (a: number, b: number) => Math.max(a, b),
  minimum: (a: number, b: number) => Math.min(a, b),
  atan2: (a: number, b: number) => Math.atan2(a, b),
}
export type BinaryName = keyof typeof binaryFunctions
