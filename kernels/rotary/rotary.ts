// Rotary position embedding: pairs of channels turned by angles that grow with the position, so that a dot product of
// two rows depends on their distance alone.
// Su et al., "RoFormer: Enhanced Transformer with Rotary Position Embedding" (arXiv:2104.09864), section 3.2; pairs are
// channels i and i + P of a head of 2 P, as in GPT-NeoX.

import { execute, ShapeError, showShape, sizeOf, type Op, type Shape, type Tensor } from '../../tensor/index.js'
import { assertFloat } from '../common/operand.js'

export interface RotaryOperands {
  /** [B, N, C], C a multiple of 2 P: heads side by side. */
  x: unknown
  /** [N, P] f32: the cosine of each position's angles. */
  cos: unknown
  /** [N, P] f32: their sine. */
  sin: unknown
}

export interface RotaryParams {
  /** Turn back. */
  readonly inverse: boolean
}

/** Sizes of a rotation: rows of x, positions, channels of a row, pairs of a head. */
export interface RotarySizes {
  readonly rows: number
  readonly positions: number
  readonly channels: number
  readonly pairs: number
}

/** The sizes of operands that have been checked. */
export function rotarySizes(x: Shape, table: Shape): RotarySizes {
  const [positions, pairs] = table
  return { rows: x[0] * x[1], positions, channels: x[2], pairs }
}

export const rotaryOp: Op<RotaryOperands, RotaryParams> = {
  name: 'rotary',

  infer({ x, cos, sin }) {
    assertFloat('rotary', 'x', x)
    const fail = (what: string, expected: string, got: Shape): never => {
      throw new ShapeError({ where: 'rotary', what, expected, got: showShape(got) })
    }
    if (x.shape.length !== 3) fail('x has the wrong number of axes', '[B, N, C]', x.shape)
    for (const [name, table] of Object.entries({ cos, sin })) {
      const fits = table.shape.length === 2 && table.shape[0] === x.shape[1] && table.shape[1] > 0
      if (!fits || table.dtype !== 'f32') fail(`${name} does not fit`, `f32 [${x.shape[1]}, P]`, table.shape)
    }
    if (cos.shape[1] !== sin.shape[1]) fail('sin does not fit', `cos, ${showShape(cos.shape)}`, sin.shape)
    if (x.shape[2] % (2 * cos.shape[1]) !== 0)
      fail('channels do not fit', `a multiple of 2 P = ${2 * cos.shape[1]}`, x.shape)
    return [{ shape: x.shape, dtype: 'f32' }]
  },

  // Two products and a sum for each number.
  flops: ({ x }) => 3 * sizeOf(x.shape),
}

export interface RotaryOptions {
  /** Turn back: the transposed map, and so the gradient. Default: false. */
  inverse?: boolean
}

/**
 * x [B,N,C] with channels i and i + P of each head turned by the angles of row n, given as cos and sin [N,P]:
 * (a cos - b sin, b cos + a sin). Result f32 [B,N,C]. Throws a ShapeError when operands do not fit.
 */
export function rotary(x: Tensor, cos: Tensor, sin: Tensor, { inverse = false }: RotaryOptions = {}): Tensor {
  return execute(rotaryOp, { x, cos, sin }, { inverse })[0]
}
