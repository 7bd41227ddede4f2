// Rotations by operations that can be differentiated: rotation vectors, quaternions (w first) and six numbers become
// matrices; what compares rotations takes matrices. Host data are turned by quaternion.ts.

import {
  add,
  affine,
  atan2,
  cat,
  div,
  matmul,
  mul,
  neg,
  permute,
  sin,
  slice,
  sqrt,
  sub,
  sum,
} from '../../kernels/index.js'
import { scope, ShapeError, showShape, type Tensor } from '../../tensor/index.js'

// Added to squares of lengths, so that nothing divides by 0 and gradients stay finite; what is about 1 long does not
// feel it in f32.
const tiny = 1e-8

/** Which two of a matrix's three make the six numbers: columns (Zhou et al., arXiv:1812.07035) or rows (pytorch3d). */
export type SixLayout = 'columns' | 'rows'

/** x [..., N] as [M, N], and the axes before the last. Throws a ShapeError for another N. */
function flat(where: string, x: Tensor, numbers: number): { rows: Tensor; axes: readonly number[] } {
  if (x.shape.at(-1) !== numbers)
    throw new ShapeError({ where, what: 'wrong last axis', expected: `[..., ${numbers}]`, got: showShape(x.shape) })
  return { rows: x.reshape([x.size / numbers, numbers]), axes: x.shape.slice(0, -1) }
}

/** Sums of squares along the last axis, which stays: [..., N] to [..., 1]. */
function squares(x: Tensor): Tensor {
  return sum(mul(x, x), { axes: [-1], keepDims: true })
}

/** Vectors [..., N] made 1 long; those of length 0 stay. */
export function unit(x: Tensor): Tensor {
  return div(x, sqrt(affine(squares(x), 1, tiny)))
}

/** a x b of vectors [..., 3]. */
export function cross(a: Tensor, b: Tensor): Tensor {
  const axis = a.shape.length - 1
  const turned = (x: Tensor, by: number) => cat([slice(x, axis, by, 3), slice(x, axis, 0, by)], axis)
  return sub(mul(turned(a, 1), turned(b, 2)), mul(turned(a, 2), turned(b, 1)))
}

/** diagonal [M,1] on the diagonal, plus the matrix of the cross product with v [M,3]: [M,9]. */
function crossMatrix(v: Tensor, diagonal: Tensor): Tensor {
  const [x, y, z] = [0, 1, 2].map(i => slice(v, 1, i, i + 1))
  return cat([diagonal, neg(z), y, z, diagonal, neg(x), neg(y), x, diagonal], 1)
}

/** v vᵀ of vectors [M,3], as [M,9]. */
function outer(v: Tensor): Tensor {
  const [count] = v.shape
  return mul(v.reshape([count, 3, 1]), v.reshape([count, 1, 3])).reshape([count, 9])
}

/** sin(x) / x for x = length times a factor, [M,1]. */
function sinc(length: Tensor, factor: number): Tensor {
  const angle = affine(length, factor, 0)
  return div(sin(angle), angle)
}

/**
 * Matrices [..., 3, 3] of rotation vectors [..., 3] (Rodrigues), with a gradient at no rotation as well: cosines are
 * squares of sines here, so that nothing cancels.
 * @throws ShapeError for vectors of other than 3 numbers
 */
export function matricesOfAxisAngle(vectors: Tensor): Tensor {
  return scope(() => {
    const { rows, axes } = flat('matricesOfAxisAngle', vectors, 3)
    const square = affine(squares(rows), 1, tiny) // [M,1]
    const length = sqrt(square)
    const half = sinc(length, 0.5)
    const bend = affine(mul(half, half), 0.5, 0) // (1 - cos) / square
    const skew = crossMatrix(mul(rows, sinc(length, 1)), affine(mul(square, bend), -1, 1))
    return add(mul(outer(rows), bend), skew).reshape([...axes, 3, 3])
  })
}

/**
 * Matrices [..., 3, 3] of quaternions [..., 4], w first, of any length but 0.
 * @throws ShapeError for quaternions of other than 4 numbers
 */
export function matricesOfQuaternions(quaternions: Tensor): Tensor {
  return scope(() => {
    const { rows, axes } = flat('matricesOfQuaternions', quaternions, 4)
    const q = unit(rows)
    const [w, v] = [slice(q, 1, 0, 1), slice(q, 1, 1, 4)]
    const diagonal = affine(squares(v), -2, 1) // w w - v v, since both add up to 1
    const skew = crossMatrix(affine(mul(v, w), 2, 0), diagonal)
    return add(affine(outer(v), 2, 0), skew).reshape([...axes, 3, 3])
  })
}

/**
 * Matrices [..., 3, 3] nearest to six numbers [..., 6] each: the first three are made a unit, the others one across to
 * it.
 * @throws ShapeError for other than 6 numbers
 */
export function matricesOfSix(six: Tensor, layout: SixLayout = 'columns'): Tensor {
  return scope(() => {
    const { rows, axes } = flat('matricesOfSix', six, 6)
    const a = unit(slice(rows, 1, 0, 3))
    const second = slice(rows, 1, 3, 6)
    const b = unit(sub(second, mul(a, sum(mul(a, second), { axes: [-1], keepDims: true }))))
    const lines = cat([a, b, cross(a, b)], 1).reshape([rows.shape[0], 3, 3])
    return (layout === 'rows' ? lines : permute(lines, [0, 2, 1])).reshape([...axes, 3, 3])
  })
}

/** The six numbers [..., 6] of matrices [..., 3, 3]. */
export function sixOfMatrices(matrices: Tensor, layout: SixLayout = 'columns'): Tensor {
  return scope(() => {
    const axes = matrices.shape.slice(0, -2)
    const each = matrices.reshape([matrices.size / 9, 3, 3])
    const lines = layout === 'rows' ? each : permute(each, [0, 2, 1])
    return slice(lines, 1, 0, 2).reshape([...axes, 6])
  })
}

/**
 * Angles [...] between rotations a and b [..., 3, 3], 0..pi, radians. By the sine and the cosine both, so that small
 * angles are right to 1e-6 and the gradient is finite everywhere; at 0 and pi, where there is none, it is 0.
 */
export function geodesicDistance(a: Tensor, b: Tensor): Tensor {
  return scope(() => {
    const axes = a.shape.slice(0, -2)
    const count = a.size / 9
    const [from, to] = [a, b].map(x => x.reshape([count, 3, 3]))
    const turn = matmul(permute(from, [0, 2, 1]), to).reshape([count, 9])
    const at = (i: number) => slice(turn, 1, i, i + 1)
    const axis = cat([sub(at(7), at(5)), sub(at(2), at(6)), sub(at(3), at(1))], 1)
    const sine = sqrt(affine(squares(axis), 1, 1e-12))
    return atan2(sine, affine(add(add(at(0), at(4)), at(8)), 1, -1)).reshape(axes)
  })
}
