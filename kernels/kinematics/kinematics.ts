// Forward kinematics: how the joints of a tree are turned and where they are, given how each is turned against its
// parent. One operation, since a tree of small products would be hundreds.
// After vchoutas/smplx: smplx/lbs.py (batch_rigid_transform).

import { execute, ShapeError, showShape, sizeOf, type Op, type Tensor, type TensorSpec } from '../../tensor/index.js'

export interface KinematicsOperands {
  /** [N, J, 3, 3] f32: rotation matrices against the parent. */
  rotations: unknown
  /** [N or 1, J, 3] f32: where the joints are at rest. */
  rest: unknown
  /** [J] i32: parents, each before its children; that of the first joint is not looked at, since it is the root. */
  parents: unknown
}

export interface KinematicsGradientOperands extends KinematicsOperands {
  /** [N, J, 3, 3]: what kinematics gave. */
  turned: unknown
  /** [N, J, 3, 3] f32: d loss / d turned. */
  upTurned: unknown
  /** [N, J, 3] f32: d loss / d positions. */
  upPositions: unknown
}

function inferJoints(
  where: string,
  { rotations, rest, parents }: Record<keyof KinematicsOperands, TensorSpec>,
): { rotations: TensorSpec; positions: TensorSpec } {
  const fail = (what: string, expected: string, { shape, dtype }: TensorSpec): never => {
    throw new ShapeError({ where, what, expected, got: `${dtype} ${showShape(shape)}` })
  }
  const [count, joints] = rotations.shape
  const isSquare = rotations.shape.length === 4 && rotations.shape[2] === 3 && rotations.shape[3] === 3
  if (!isSquare || joints === 0 || rotations.dtype !== 'f32')
    fail('rotations do not fit', 'f32 [N, J, 3, 3]', rotations)
  const rests = [`${count},${joints},3`, `1,${joints},3`]
  if (!rests.includes(String(rest.shape)) || rest.dtype !== 'f32')
    fail('rest does not fit', `f32 [${count} or 1, ${joints}, 3]`, rest)
  if (String(parents.shape) !== String([joints]) || parents.dtype !== 'i32')
    fail('parents do not fit', `i32 [${joints}]`, parents)
  return { rotations, positions: { shape: [count, joints, 3], dtype: 'f32' } }
}

export const kinematicsOp: Op<KinematicsOperands, undefined> = {
  name: 'kinematics',
  infer(operands) {
    const { rotations, positions } = inferJoints('kinematics', operands)
    return [rotations, positions]
  },
  // A product of matrices, and of a matrix and a vector.
  flops: ({ rotations: { shape } }) => (sizeOf(shape) / 9) * (45 + 21),
}

export const kinematicsGradientOp: Op<KinematicsGradientOperands, undefined> = {
  name: 'kinematics gradient',
  infer(operands) {
    const { rotations, positions } = inferJoints('kinematics gradient', operands)
    return [rotations, positions]
  },
  flops: ({ rotations: { shape } }) => (sizeOf(shape) / 9) * (90 + 42),
}

/** How joints are turned, [N,J,3,3], and where they are, [N,J,3]. */
export interface Kinematics {
  readonly turned: Tensor
  readonly positions: Tensor
}

/**
 * Joints of N bodies: rotations [N,J,3,3] against the parents, rest positions [N or 1,J,3], parents i32 [J], where
 * parents come before children and the first joint is the root. A joint sits where its parent's turn takes it. A parent
 * that does not come before its child gives numbers without meaning. Throws a ShapeError when operands do not fit.
 */
export function kinematics(rotations: Tensor, rest: Tensor, parents: Tensor): Kinematics {
  const [turned, positions] = execute(kinematicsOp, { rotations, rest, parents }, undefined)
  return { turned, positions }
}
