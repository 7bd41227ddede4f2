// Matrix product with a fused epilogue: linear layers, projections, GEGLU.

import {
  execute,
  isTracked,
  scope,
  ShapeError,
  showShape,
  sizeOf,
  type Op,
  type Shape,
  type Tensor,
} from '../../tensor/index.js'
import type { Activation } from '../common/activations.js'
import { assertFloat } from '../common/operand.js'
import { add, mul } from '../elementwise/binary.js'
import { activate, gelu } from '../elementwise/unary.js'
import { slice } from '../move/slice.js'

export interface MatmulOperands {
  /** [..., M, K] */
  a: unknown
  /** [..., K, N], or [..., N, K] when transposed; two axes (shared by all batches) or the batch axes of `a`. */
  b: unknown
  /** [N] */
  bias?: unknown
  /** The shape of the output. */
  residual?: unknown
}

export interface MatmulParams {
  /** b is [..., N, K], as linear layers keep their weight. */
  readonly transposeB: boolean
  /** Applied to a b + bias. `geglu` takes N = 2 H columns and gives H: value * gelu(gate), value first. */
  readonly activation: Activation | 'geglu'
}

/** Sizes of a product, batches of `a` folded into its rows where `b` is shared. */
export interface MatmulSizes {
  readonly batch: number
  readonly m: number
  readonly n: number
  readonly k: number
  /** Columns of the output: N, or N / 2 with GEGLU. */
  readonly columns: number
}

/** The sizes of a product whose operands have been checked. */
export function matmulSizes(a: Shape, b: Shape, params: MatmulParams): MatmulSizes {
  const k = a[a.length - 1]
  const n = params.transposeB ? b[b.length - 2] : b[b.length - 1]
  const batch = b.length === 2 ? 1 : sizeOf(b.slice(0, -2))
  const m = sizeOf(a.slice(0, -1)) / batch
  return { batch, m, n, k, columns: params.activation === 'geglu' ? n / 2 : n }
}

export const matmulOp: Op<MatmulOperands, MatmulParams> = {
  name: 'matmul',

  infer({ a, b, bias, residual }, params) {
    const fail = (what: string, expected: string, got: Shape): never => {
      throw new ShapeError({ where: 'matmul', what, expected, got: showShape(got) })
    }
    for (const [name, operand] of Object.entries({ a, b, bias, residual }))
      if (operand) assertFloat('matmul', name, operand)
    if (a.shape.length < 2) fail('a has too few axes', '[..., M, K]', a.shape)
    if (b.shape.length < 2) fail('b has too few axes', '[..., K, N]', b.shape)
    const shared = b.shape.length === 2
    if (!shared && String(a.shape.slice(0, -2)) !== String(b.shape.slice(0, -2)))
      fail('batch axes differ', `those of a, ${showShape(a.shape)}, or none`, b.shape)
    const inner = b.shape[b.shape.length - (params.transposeB ? 1 : 2)]
    const { n, k, columns } = matmulSizes(a.shape, b.shape, params)
    if (inner !== k) fail('inner sizes differ', `${k}, the last axis of a ${showShape(a.shape)}`, b.shape)
    if (!Number.isInteger(columns)) fail('geglu needs an even number of columns', 'N = 2 H', b.shape)
    if (bias && (bias.shape.length !== 1 || bias.shape[0] !== n)) fail('bias does not fit', `[${n}]`, bias.shape)
    const shape = [...a.shape.slice(0, -1), columns]
    if (residual && String(residual.shape) !== String(shape))
      fail('residual does not fit', `the output's ${showShape(shape)}`, residual.shape)
    return [{ shape, dtype: 'f32' }]
  },

  flops({ a, b }, _outputs, params) {
    const { batch, m, n, k } = matmulSizes(a.shape, b.shape, params)
    return 2 * batch * m * n * k
  },
}

export interface MatmulOptions {
  bias?: Tensor
  residual?: Tensor
  activation?: MatmulParams['activation']
}

/**
 * a b, with b [..., K, N] of two axes or the batch axes of a [..., M, K]; then + bias [N], activation, + residual.
 * Result f32 [..., M, N] (N / 2 with geglu). Throws a ShapeError when operands do not fit.
 */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  return product(a, b, false, options)
}

/** x weight^T: a linear layer, weight [N, K] as checkpoints keep it; otherwise as `matmul`. */
export function linear(x: Tensor, weight: Tensor, options: MatmulOptions = {}): Tensor {
  return product(x, weight, true, options)
}

function product(a: Tensor, b: Tensor, transposeB: boolean, options: MatmulOptions): Tensor {
  const { bias, residual, activation = 'none' } = options
  if (activation !== 'none' && isTracked(a, b, bias)) return unfused(a, b, transposeB, options)
  return execute(matmulOp, { a, b, bias, residual }, { transposeB, activation })[0]
}

/** In the parts that have a gradient: keeping a b + bias costs less than computing it again on the way back. */
function unfused(a: Tensor, b: Tensor, transposeB: boolean, { bias, residual, activation }: MatmulOptions): Tensor {
  return scope(() => {
    const inner = product(a, b, transposeB, { bias })
    const outer = activation === 'geglu' ? gatedGelu(inner) : activate(inner, activation)
    return residual ? add(outer, residual) : outer
  })
}

/** [..., 2 H], values first, to [..., H]: value * gelu(gate). */
function gatedGelu(x: Tensor): Tensor {
  const [columns] = x.shape.slice(-1)
  return mul(slice(x, -1, 0, columns / 2), gelu(slice(x, -1, columns / 2, columns)))
}
