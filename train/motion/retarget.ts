// A captured motion on SMPL-X's joint tree. Every joint is turned so that its bone points where the captured one does;
// what differs between the two rest poses is taken into account once, so left and right, up and down stay what they are.

import { poseJoints, type PosedJoints } from '../../models/body/kinematics.js'
import {
  between,
  identity,
  inverse,
  multiply,
  rotate,
  slerp,
  toAxisAngle,
  vectorAt,
  type Quaternion,
  type Vector,
} from '../../models/body/quaternion.js'
import { bodyJoints, jointIndex, jointNames, jointParents, restJoints } from '../../models/body/skeleton.js'
import { FileError } from '../../tensor/index.js'
import { correspondence } from './correspondence.js'
import { bodyPositions, motionFps, poseNumbers, type Motion } from './motion.js'
import { framesAt, resample } from './resample.js'
import { checkCount, motionLimits, type SourceMotion } from './source.js'

// Joints with a bone whose direction says how they are turned, and where that bone ends. Those of the trunk have none:
// upright bodies agree about them.
const boneEnds: Readonly<Record<string, string>> = Object.fromEntries(
  ['left', 'right'].flatMap(side =>
    [
      ['hip', 'knee'],
      ['knee', 'ankle'],
      ['ankle', 'foot'],
      ['collar', 'shoulder'],
      ['shoulder', 'elbow'],
      ['elbow', 'wrist'],
    ].map(([start, end]) => [`${side}_${start}`, `${side}_${end}`]),
  ),
)

const neck = jointIndex('neck')
const hips = [jointIndex('left_hip'), jointIndex('right_hip')]
const knees = [jointIndex('left_knee'), jointIndex('right_knee')]
const ankles = [jointIndex('left_ankle'), jointIndex('right_ankle')]
const feet = [jointIndex('left_foot'), jointIndex('right_foot')]
/** How high the joint at the ball of a foot is above the floor, metres. */
const ballHeight = 0.025
// From hip to ankle, metres.
const legs = { least: 0.3, most: 1.5 }
// Feet are on the floor in more than so many of the frames.
const onFloor = 0.05

/**
 * The motion on SMPL-X's body joints at `motionFps`, with the floor at y = 0; lengths are scaled so that legs are as
 * long as the open body's. Throws a FileError for a skeleton that is no person's, or not y up with its left at +x.
 */
export function retarget(where: string, source: SourceMotion): Motion {
  const joints = correspondence(where, source.names)
  checkAxes(where, source, joints)
  const alignments = joints.map((joint, i) => (joint === undefined ? identity : alignment(source, joints, i)))
  const scale = legLength(restJoints, hips, knees, ankles) / sourceLegLength(where, source, joints)
  const frames = framesAt(source, motionFps)
  checkCount(where, `frames at ${motionFps} a second`, frames, motionLimits.frames)
  const poses = new Float32Array(frames * poseNumbers)
  const trans = new Float32Array(frames * 3)
  let frame = 0
  for (const { rotations, translation } of resample(source, motionFps)) {
    const posed = poseJoints(source, rotations, translation)
    const turned = globalTurns(posed.rotations, joints, alignments)
    turned[neck] = multiply(bendOfNeck(source, posed, joints), turned[neck])
    for (let joint = 0; joint < bodyJoints; joint++) {
      const parent = jointParents[joint]
      const local = parent < 0 ? turned[joint] : multiply(inverse(turned[parent]), turned[joint])
      poses.set(toAxisAngle(local), frame * poseNumbers + 3 * joint)
    }
    // The middle between the hips is where it was, not the root, which files put in different places.
    const middle = middleOf(posed.positions, joints[hips[0]]!, joints[hips[1]]!)
    const offset = rotate(turned[0], middleOf(restJoints, hips[0], hips[1]))
    trans.set(
      middle.map((value, axis) => value * scale - offset[axis]),
      frame * 3,
    )
    frame++
  }
  const motion = { frames, poses, trans }
  putOnFloor(motion)
  return motion
}

/** How a joint of SMPL-X at rest is turned to point where the captured one does at rest. */
function alignment({ rest }: SourceMotion, joints: readonly (number | undefined)[], joint: number): Quaternion {
  const end = boneEnds[jointNames[joint]]
  if (end === undefined) return identity
  const to = jointIndex(end)
  if (joints[to] === undefined) return identity
  return between(along(restJoints, joint, to), along(rest, joints[joint]!, joints[to]))
}

/**
 * What joints between the neck and the head add to where the head is: SMPL-X's neck is one bone, captured ones may be
 * two.
 */
function bendOfNeck({ rest }: SourceMotion, posed: PosedJoints, joints: readonly (number | undefined)[]): Quaternion {
  const [low, high] = [joints[neck], joints[jointIndex('head')]]
  if (low === undefined || high === undefined) return identity
  return between(rotate(posed.rotations[low], along(rest, low, high)), along(posed.positions, low, high))
}

/** How every body joint is turned against the rest pose, given how the captured ones are. */
function globalTurns(
  captured: readonly Quaternion[],
  joints: readonly (number | undefined)[],
  alignments: readonly Quaternion[],
): Quaternion[] {
  const turned: Quaternion[] = []
  joints.forEach((joint, i) =>
    turned.push(joint === undefined ? turned[jointParents[i]] : multiply(captured[joint], alignments[i])),
  )
  // Where the spine has two joints, the one between bends by half.
  const [low, middle, high] = ['spine1', 'spine2', 'spine3'].map(jointIndex)
  if (joints[middle] === undefined && joints[low] !== undefined && joints[high] !== undefined)
    turned[middle] = slerp(turned[low], turned[high], 0.5)
  return turned
}

function checkAxes(where: string, { rest }: SourceMotion, joints: readonly (number | undefined)[]): void {
  const across = along(rest, joints[hips[1]]!, joints[hips[0]]!)
  const up = along(rest, joints[hips[0]]!, joints[neck]!)
  if (across[0] > 0.5 * Math.hypot(...across) && up[1] > 0.7 * Math.hypot(...up)) return
  throw new FileError({
    where,
    what: 'the skeleton does not stand as expected',
    expected: 'y up and its left at +x in the rest pose',
    got: `its left at ${show(across)}, its neck at ${show(up)} from the hips`,
  })
}

function show(vector: Vector): string {
  return `(${vector.map(x => x.toFixed(2)).join(', ')})`
}

function along(list: ArrayLike<number>, from: number, to: number): Vector {
  const [a, b] = [vectorAt(list, from), vectorAt(list, to)]
  return [b[0] - a[0], b[1] - a[1], b[2] - a[2]]
}

function middleOf(list: ArrayLike<number>, a: number, b: number): Vector {
  const [p, q] = [vectorAt(list, a), vectorAt(list, b)]
  return [(p[0] + q[0]) / 2, (p[1] + q[1]) / 2, (p[2] + q[2]) / 2]
}

/** Thigh and shin, the mean of both sides. */
function legLength(rest: ArrayLike<number>, hips: number[], knees: number[], ankles: number[]): number {
  const side = (i: number) =>
    Math.hypot(...along(rest, hips[i], knees[i])) + Math.hypot(...along(rest, knees[i], ankles[i]))
  return (side(0) + side(1)) / 2
}

function sourceLegLength(where: string, { rest }: SourceMotion, joints: readonly (number | undefined)[]): number {
  const [a, b, c] = [hips, knees, ankles].map(pair => pair.map(i => joints[i]!))
  const length = legLength(rest, a, b, c)
  if (length >= legs.least && length <= legs.most) return length
  throw new FileError({
    where,
    what: 'legs of no person',
    expected: `${legs.least} to ${legs.most} m long`,
    got: `${length.toPrecision(3)} m`,
  })
}

/** Moves the motion up or down until the feet stand on y = 0. */
function putOnFloor({ frames, poses, trans }: Motion): void {
  const lowest = Array.from({ length: frames }, (_, frame) => {
    const positions = bodyPositions({ poses, trans }, frame, bodyJoints)
    return Math.min(...feet.map(foot => positions[3 * foot + 1]))
  })
  lowest.sort((a, b) => a - b)
  const floor = lowest[Math.floor(frames * onFloor)] - ballHeight
  for (let frame = 0; frame < frames; frame++) trans[3 * frame + 1] -= floor
}
