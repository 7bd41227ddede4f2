// Where the parts of an entity are: a body's joints on the open bodies' skeletons, or an object's points.

import type { BodyData } from '../../models/body/body-data.js'
import { poseJoints } from '../../models/body/kinematics.js'
import { fromAxisAngle, vectorAt } from '../../models/body/quaternion.js'
import { quadrupedParents, quadrupedRest } from '../../models/body/quadruped-skeleton.js'
import { jointParents, restJoints } from '../../models/body/skeleton.js'
import { numbersOf, type EntityMotion } from '../../models/pppm/encoding.js'
import { jointsOf } from '../../models/pppm/kinds.js'

/**
 * The points of an entity in a frame, metres: [J x 3] joints, or the [21 x 3] of an object. `rest` is where the joints of
 * its body are at rest, [J x 3]; by default those of the open body of mean shape.
 */
export function entityPoints({ kind, numbers }: EntityMotion, frame: number, rest?: ArrayLike<number>): Float32Array {
  const width = numbersOf(kind)
  const pose = numbers.subarray(frame * width, (frame + 1) * width)
  if (kind === 'object') return pose
  const [parents, mean] = kind === 'human' ? [jointParents, restJoints] : [quadrupedParents, quadrupedRest]
  const turns = parents.flatMap((_, joint) => fromAxisAngle(vectorAt(pose, joint)))
  return poseJoints({ parents, rest: rest ?? mean }, turns, pose.subarray(3 * jointsOf[kind])).positions
}

/** Where the joints of a body of some shape are at rest, metres, [J x 3]; an empty shape is the mean one. */
export function restOf(
  { joints, jointDirections, shapes, expressions }: BodyData,
  shape: ArrayLike<number>,
): Float32Array {
  return joints.map((place, i) => {
    let sum = place
    for (let n = 0; n < Math.min(shapes, shape.length); n++)
      sum += shape[n] * jointDirections[i * (shapes + expressions) + n]
    return sum
  })
}
