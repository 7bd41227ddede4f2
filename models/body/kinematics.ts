// Forward kinematics on the host: where joints are, given how each is turned against its parent.

import { multiply, quaternionAt, rotate, vectorAt, type Quaternion } from './quaternion.js'

/** A joint tree: parents come before their children; the first joint is the root, with parent -1. */
export interface JointTree {
  readonly parents: readonly number[]
  /** Positions in the rest pose, metres, [J x 3]. */
  readonly rest: ArrayLike<number>
}

/** Where the joints are in one frame, and how they are turned. */
export interface PosedJoints {
  /** [J x 3], metres. */
  readonly positions: Float32Array
  /** Turned against the rest pose, one for each joint. */
  readonly rotations: readonly Quaternion[]
}

/**
 * Joints of one frame: `rotations` [J x 4] against their parents, the root at its rest position plus `translation`
 * [3].
 */
export function poseJoints(
  { parents, rest }: JointTree,
  rotations: ArrayLike<number>,
  translation: ArrayLike<number>,
): PosedJoints {
  const positions = new Float32Array(3 * parents.length)
  const turned: Quaternion[] = []
  parents.forEach((parent, joint) => {
    const local = quaternionAt(rotations, joint)
    const [x, y, z] = vectorAt(rest, joint)
    if (parent < 0) {
      turned.push(local)
      positions.set([x + translation[0], y + translation[1], z + translation[2]], 3 * joint)
      return
    }
    turned.push(multiply(turned[parent], local))
    const [px, py, pz] = vectorAt(rest, parent)
    const [dx, dy, dz] = rotate(turned[parent], [x - px, y - py, z - pz])
    const at = 3 * parent
    positions[3 * joint] = positions[at] + dx
    positions[3 * joint + 1] = positions[at + 1] + dy
    positions[3 * joint + 2] = positions[at + 2] + dz
  })
  return { positions, rotations: turned }
}
