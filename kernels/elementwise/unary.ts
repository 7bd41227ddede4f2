// Functions applied to every element. They take f32, f16 or bf16 of any shape and give f32 of the same shape; each
// throws a ShapeError for other dtypes and for constants that are NaN. In x NaN gives NaN as in torch; sin and cos keep
// f32 accuracy up to |x| = 50,000.

import { execute, ShapeError, sizeOf, type Op, type Tensor } from '../../tensor/index.js'
import type { Activation } from '../common/activations.js'
import { assertFloat } from '../common/operand.js'
import type { UnaryName } from './functions.js'

export interface UnaryOperands {
  x: unknown
}

export interface UnaryParams {
  readonly name: UnaryName
  /** What the function takes besides x: min and max, the exponent, scale and shift. */
  readonly constants: readonly number[]
}

export const unaryOp: Op<UnaryOperands, UnaryParams> = {
  name: 'unary',

  infer({ x }, { name, constants }) {
    assertFloat(name, 'x', x)
    if (constants.some(Number.isNaN))
      throw new ShapeError({ where: name, what: 'a constant is not a number', got: constants.join(', ') })
    return [{ shape: x.shape, dtype: 'f32' }]
  },

  // One an element, whatever the function: memory is what these cost.
  flops: ({ x }) => sizeOf(x.shape),
}

function apply(name: UnaryName, x: Tensor, ...constants: number[]): Tensor {
  return execute(unaryOp, { x }, { name, constants })[0]
}

/** An activation by its name. */
export const activate = (x: Tensor, name: Activation = 'none'): Tensor => (name === 'none' ? x.share() : apply(name, x))
/** x sigmoid(x) */
export const silu = (x: Tensor): Tensor => apply('silu', x)
/** max(x, 0) */
export const relu = (x: Tensor): Tensor => apply('relu', x)
/** x times the normal distribution's cumulative function, by erf. */
export const gelu = (x: Tensor): Tensor => apply('gelu', x)
/** gelu's approximation by tanh. */
export const geluTanh = (x: Tensor): Tensor => apply('gelu_tanh', x)
/** x sigmoid(1.702 x) */
export const quickGelu = (x: Tensor): Tensor => apply('quick_gelu', x)
/** 1 / (1 + exp(-x)) */
export const sigmoid = (x: Tensor): Tensor => apply('sigmoid', x)
/** log(1 + exp(x)), without overflow. */
export const softplus = (x: Tensor): Tensor => apply('softplus', x)
/** The hyperbolic tangent. */
export const tanh = (x: Tensor): Tensor => apply('tanh', x)
/** The error function. */
export const erf = (x: Tensor): Tensor => apply('erf', x)
/** Of radians. */
export const sin = (x: Tensor): Tensor => apply('sin', x)
/** Of radians. */
export const cos = (x: Tensor): Tensor => apply('cos', x)
/** e to the power of x. */
export const exp = (x: Tensor): Tensor => apply('exp', x)
/** The natural logarithm; -infinity at 0, NaN below. */
export const log = (x: Tensor): Tensor => apply('log', x)
/** The logarithm to base 2; -infinity at 0, NaN below. */
export const log2 = (x: Tensor): Tensor => apply('log2', x)
/** NaN below 0. */
export const sqrt = (x: Tensor): Tensor => apply('sqrt', x)
/** 1 / sqrt(x) */
export const rsqrt = (x: Tensor): Tensor => apply('rsqrt', x)
/** 1 / x */
export const reciprocal = (x: Tensor): Tensor => apply('reciprocal', x)
/** x x */
export const square = (x: Tensor): Tensor => apply('square', x)
/** -x */
export const neg = (x: Tensor): Tensor => apply('neg', x)
/** |x| */
export const abs = (x: Tensor): Tensor => apply('abs', x)
/** -1, 0 or 1; 0 for NaN, as in torch. */
export const sign = (x: Tensor): Tensor => apply('sign', x)
/** The largest integer of at most x. */
export const floor = (x: Tensor): Tensor => apply('floor', x)
/** The smallest integer of at least x. */
export const ceil = (x: Tensor): Tensor => apply('ceil', x)
/** To the nearest integer, ties to the even one. */
export const round = (x: Tensor): Tensor => apply('round', x)
/** x brought into min..max; max where min > max, as in torch. */
export const clamp = (x: Tensor, min: number, max: number): Tensor => apply('clamp', x, min, max)
/** x to a power; NaN for negative x unless the exponent is an integer. */
export const pow = (x: Tensor, exponent: number): Tensor => apply('pow', x, exponent)
/** x scale + shift */
export const affine = (x: Tensor, scale: number, shift: number): Tensor => apply('affine', x, scale, shift)
