// What a body model consists of, on the host: a mesh, the joints inside it, and how both answer to shape and pose.

/** Kinds of bodies by their joint tree: SMPL-X's 55 joints, SMPL's 24, SMAL's 35. */
export type BodyKind = 'smplx' | 'smpl' | 'smal'

/** V vertices, F triangles, J joints, S + E coefficients of shape and expression; metres, y up, facing z. */
export interface BodyData {
  readonly kind: BodyKind
  /** The parent of each joint, which comes before it; -1 for the first. */
  readonly parents: Int32Array
  /** [V x 3]: the vertices at rest. */
  readonly template: Float32Array
  /** [F x 3]: counter-clockwise from outside. */
  readonly faces: Int32Array
  /** [V x J]: how much of each joint's turn a vertex takes; rows add up to 1. */
  readonly weights: Float32Array
  /** [J x 3]: the joints at rest. */
  readonly joints: Float32Array
  /** Coefficients of shape, S, and of expression, E. */
  readonly shapes: number
  readonly expressions: number
  /** [V x 3 x (S + E)] and [J x 3 x (S + E)]: how far a coefficient of 1 moves them. */
  readonly directions: Float32Array
  readonly jointDirections: Float32Array
  /** [V x 3 x 9 (J - 1)]: how far rotation matrices, less the identity, of all joints but the root move vertices. */
  readonly poseDirections?: Float32Array
  /** SMPL-X's hands, whose 45 numbers are given by fewer ones. */
  readonly hands?: Readonly<Record<'left' | 'right', HandSpace>>
  /** [V]: the part that a vertex belongs to (see labels.ts). */
  readonly labels: Uint8Array
}

/** Poses of a hand: 45 numbers about a mean, by principal components. */
export interface HandSpace {
  /** [45] */
  readonly mean: Float32Array
  /** [45 x 45]: a component a row. */
  readonly components: Float32Array
}
