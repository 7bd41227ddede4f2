// The motion of a person as this project keeps it.

import { poseJoints } from '../../models/body/kinematics.js'
import { fromAxisAngle, vectorAt } from '../../models/body/quaternion.js'
import { jointNames, jointParents, restJoints } from '../../models/body/skeleton.js'

/** Frames a second of every motion after it is read. */
export const motionFps = 30

/** The version of the motion files that this project writes. */
export const motionFileVersion = 1

/** Numbers of a pose: a rotation vector for each of SMPL-X's joints. */
export const poseNumbers = 3 * jointNames.length

/** A person in motion, `motionFps` frames a second; y is up and the floor at y = 0. */
export interface Motion {
  readonly frames: number
  /** [T x 165]: rotation vectors against the parent, radians, in the order of `jointNames`. */
  readonly poses: Float32Array
  /** [T x 3]: where the pelvis is, metres. */
  readonly trans: Float32Array
  /** What is done, in words. */
  readonly text?: string
}

/** Where the first `joints` of the open body are in a frame, metres, [joints x 3]. Default: all 55. */
export function bodyPositions(
  { poses, trans }: Pick<Motion, 'poses' | 'trans'>,
  frame: number,
  joints = jointNames.length,
): Float32Array {
  const parents = jointParents.slice(0, joints)
  const turns = parents.flatMap((_, joint) => fromAxisAngle(vectorAt(poses, frame * jointNames.length + joint)))
  return poseJoints({ parents, rest: restJoints }, turns, trans.subarray(3 * frame, 3 * frame + 3)).positions
}
