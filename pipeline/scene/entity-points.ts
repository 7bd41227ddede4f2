// Where the parts of an entity are: a body's joints on the open bodies' skeletons, or an object's points.

import { poseJoints } from '../../models/body/kinematics.js'
import { fromAxisAngle, vectorAt } from '../../models/body/quaternion.js'
import { quadrupedParents, quadrupedRest } from '../../models/body/quadruped-skeleton.js'
import { jointParents, restJoints } from '../../models/body/skeleton.js'
import { numbersOf, type EntityMotion } from '../../models/pppm/encoding.js'
import { jointsOf } from '../../models/pppm/kinds.js'

/** The points of an entity in a frame, metres: [J x 3] joints, or the [21 x 3] of an object. */
export function entityPoints({ kind, numbers }: EntityMotion, frame: number): Float32Array {
  const width = numbersOf(kind)
  const pose = numbers.subarray(frame * width, (frame + 1) * width)
  if (kind === 'object') return pose
  const tree =
    kind === 'human' ? { parents: jointParents, rest: restJoints } : { parents: quadrupedParents, rest: quadrupedRest }
  const turns = tree.parents.flatMap((_, joint) => fromAxisAngle(vectorAt(pose, joint)))
  return poseJoints(tree, turns, pose.subarray(3 * jointsOf[kind])).positions
}
