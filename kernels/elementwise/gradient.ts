// Gradients of the elementwise operations. Functions that models train through have a derivative of their own among the
// functions of two numbers; the others are put together from what is there.

import { gradient, Tensor, UsageError, type Shape } from '../../tensor/index.js'
import { sumTo } from '../reduce/sum-to.js'
import { add, binaryOp, derivative, div, mul, sub } from './binary.js'
import { mixOp, where, whereOp } from './blend.js'
import { castOp } from './cast.js'
import type { BinaryName, UnaryName } from './functions.js'
import { abs, affine, exp, neg, pow, sigmoid, sign, sin, cos, square, unaryOp } from './unary.js'

/** g f'(x) from the upstream gradient g, x, y = f(x) and the function's constants; absent where f' is 0. */
type Derivative = (g: Tensor, x: Tensor, y: Tensor, constants: readonly number[]) => Tensor

const unaryDerivatives: Partial<Record<UnaryName, Derivative>> = {
  none: g => g,
  silu: (g, x) => derivative('silu', x, g),
  relu: (g, x) => derivative('relu', x, g),
  gelu: (g, x) => derivative('gelu', x, g),
  gelu_tanh: (g, x) => derivative('gelu_tanh', x, g),
  quick_gelu: (g, x) => derivative('quick_gelu', x, g),
  sigmoid: (g, _, y) => derivative('sigmoid', y, g),
  tanh: (g, _, y) => derivative('tanh', y, g),
  softplus: (g, x) => mul(g, sigmoid(x)),
  erf: (g, x) => mul(g, affine(exp(neg(square(x))), 2 / Math.sqrt(Math.PI), 0)),
  sin: (g, x) => mul(g, cos(x)),
  cos: (g, x) => neg(mul(g, sin(x))),
  exp: (g, _, y) => mul(g, y),
  log: (g, x) => div(g, x),
  log2: (g, x) => div(affine(g, Math.LOG2E, 0), x),
  sqrt: (g, _, y) => div(affine(g, 0.5, 0), y),
  rsqrt: (g, x, y) => div(mul(affine(g, -0.5, 0), y), x),
  reciprocal: (g, _, y) => neg(mul(g, square(y))),
  square: (g, x) => mul(affine(g, 2, 0), x),
  neg: g => neg(g),
  abs: (g, x) => mul(g, sign(x)),
  // It passes where x was left as it is.
  clamp: (g, x, y) => where(abs(sub(x, y)), zero(x), g),
  pow: (g, x, _, [exponent]) => (exponent === 0 ? affine(g, 0, 0) : mul(affine(g, exponent, 0), pow(x, exponent - 1))),
  affine: (g, _x, _y, [scale]) => affine(g, scale, 0),
}

/** Functions whose derivative takes the result in the place of the operand. */
const ofResult: readonly UnaryName[] = ['sigmoid', 'tanh', 'exp', 'sqrt', 'reciprocal']
/** Functions whose derivative takes both, and those that take neither. */
const ofBoth: readonly UnaryName[] = ['rsqrt', 'clamp']
const ofNeither: readonly UnaryName[] = ['none', 'neg', 'affine', 'sign', 'floor', 'ceil', 'round']

const zero = ({ runtime }: Tensor) => Tensor.zeros(runtime, [1])

export const unaryGradient = gradient(
  unaryOp,
  ({ inputs: { x }, outputs: [y], upstream: [g], params: { name, constants } }) => {
    const derive = unaryDerivatives[name]
    return g && derive ? { x: derive(g, x, y, constants) } : {}
  },
  ({ name }) => {
    if (ofNeither.includes(name)) return []
    if (ofBoth.includes(name)) return ['x', 'outputs']
    return [ofResult.includes(name) ? 'outputs' : 'x']
  },
)

/** What maximum passes to a: all where a is larger, half where both are equal, as in torch. */
const shareOf = (larger: Tensor, smaller: Tensor) => affine(sign(sub(larger, smaller)), 0.5, 0.5)

/** g d f(a, b) / d a or / d b, in the shape of the result. */
type Partial2 = (g: Tensor, a: Tensor, b: Tensor, y: Tensor) => Tensor

const binaryPartials: Partial<Record<BinaryName, Record<'a' | 'b', Partial2>>> = {
  add: { a: g => g, b: g => g },
  sub: { a: g => g, b: g => neg(g) },
  mul: { a: (g, _, b) => mul(g, b), b: (g, a) => mul(g, a) },
  div: { a: (g, _, b) => div(g, b), b: (g, _, b, y) => neg(div(mul(g, y), b)) },
  maximum: { a: (g, a, b) => mul(g, shareOf(a, b)), b: (g, a, b) => mul(g, shareOf(b, a)) },
  minimum: { a: (g, a, b) => mul(g, shareOf(b, a)), b: (g, a, b) => mul(g, shareOf(a, b)) },
  // Of the angle of the point (x, y) = (b, a).
  atan2: {
    a: (g, a, b) => div(mul(g, b), add(square(a), square(b))),
    b: (g, a, b) => neg(div(mul(g, a), add(square(a), square(b)))),
  },
}

/** The gradient of each operand that is asked for, summed to its shape. */
function summed<K extends string>(
  needs: ReadonlySet<string>,
  operands: Readonly<Record<K, { shape: Shape }>>,
  partials: Partial<Record<K, () => Tensor>>,
): Partial<Record<K, Tensor>> {
  const found: Partial<Record<K, Tensor>> = {}
  for (const [name, partial] of Object.entries(partials) as [K, () => Tensor][])
    if (needs.has(name)) found[name] = sumTo(partial(), operands[name].shape)
  return found
}

export const binaryGradient = gradient(
  binaryOp,
  ({ inputs, outputs: [y], upstream: [g], params: { name }, needs }) => {
    const partials = binaryPartials[name]
    if (!partials) throw new UsageError({ where: name, what: 'has no gradient' })
    if (!g) return {}
    const { a, b } = inputs
    return summed(needs, inputs, { a: () => partials.a(g, a, b, y), b: () => partials.b(g, a, b, y) })
  },
  ({ name }, needs) => {
    if (name === 'add' || name === 'sub') return []
    if (name === 'mul') return (['a', 'b'] as const).filter(operand => needs.has(operand === 'a' ? 'b' : 'a'))
    return name === 'div' ? ['b', 'outputs'] : ['a', 'b']
  },
)

export const whereGradient = gradient(
  whereOp,
  ({ inputs, upstream: [g], needs }) => {
    if (!g) return {}
    const { condition } = inputs
    return summed(needs, inputs, {
      a: () => where(condition, g, zero(g)),
      b: () => where(condition, zero(g), g),
    })
  },
  () => ['condition'],
)

export const mixGradient = gradient(
  mixOp,
  ({ inputs, upstream: [g], needs }) => {
    if (!g) return {}
    const { a, b, weight } = inputs
    return summed(needs, inputs, {
      a: () => mul(g, weight),
      b: () => mul(g, affine(weight, -1, 1)),
      weight: () => mul(g, sub(a, b)),
    })
  },
  (_, needs) => (needs.has('weight') ? ['a', 'b', 'weight'] : ['weight']),
)

/** Rounding passes as if it did nothing. */
export const castGradient = gradient(
  castOp,
  ({ upstream: [g] }) => (g ? { x: g } : {}),
  () => [],
)
