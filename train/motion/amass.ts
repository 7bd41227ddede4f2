// Motions that are rotation vectors of SMPL's joints already: AMASS's archives (.npz), and those that this project
// writes, which are the same with y up and a version.
// AMASS (Mahmood et al., arXiv:1904.03278): poses [T, 156 or 165], trans [T, 3], mocap_framerate; z is up.

import {
  aboutAxis,
  fromAxisAngle,
  multiply,
  quaternionAt,
  rotate,
  toAxisAngle,
  vectorAt,
} from '../../models/body/quaternion.js'
import { jointNames, jointParents, restJoints } from '../../models/body/skeleton.js'
import type { LoadedTensor, NpzFile } from '../../tensor/files/index.js'
import { FileError, showShape, type Shape } from '../../tensor/index.js'
import { motionFileVersion, motionFps, poseNumbers, type Motion } from './motion.js'
import { framesAt, resample } from './resample.js'
import { checkCount, isPlausible, motionLimits, type SourceMotion } from './source.js'

// SMPL-H has no jaw and eyes: its hands follow the body at once.
const handsOfSmplH = 66
const handsOfSmplX = 75
// All numbers that a motion may have, in float64, behind the header of their array.
const mostArrayBytes = 8 * motionLimits.numbers + 2 ** 16

/** Reads such an archive, at `motionFps`. Throws a FileError on any flaw. */
export async function readAmass(file: NpzFile): Promise<Motion> {
  const where = file.name
  const poses = await plausibleArray(file, 'poses')
  const trans = await plausibleArray(file, 'trans')
  const [frames, width] = poses.shape
  checkCount(where, 'frames', frames, motionLimits.frames)
  const fits = poses.shape.length === 2 && [156, poseNumbers].includes(width)
  if (!fits) throw shapeError(where, 'poses', '[T, 156] or [T, 165]', poses.shape)
  if (String(trans.shape) !== String([frames, 3])) throw shapeError(where, 'trans', `[${frames}, 3]`, trans.shape)
  const rateName = ['mocap_framerate', 'mocap_frame_rate'].find(name => file.names.includes(name))
  if (!rateName) throw new FileError({ where, what: 'no frame rate', expected: 'an array mocap_framerate' })
  const [fps] = (await plausibleArray(file, rateName)).data
  if (!(fps >= 1 && fps <= 1000))
    throw new FileError({ where, what: 'bad frame rate', expected: '1..1000', got: String(fps) })
  const ownVersion = file.names.includes('version') ? (await file.read('version')).data[0] : undefined
  if (ownVersion !== undefined && ownVersion !== motionFileVersion)
    throw new FileError({
      where,
      what: 'unknown version',
      expected: String(motionFileVersion),
      got: String(ownVersion),
    })
  const upright = ownVersion !== undefined
  const full = widened(poses.data, frames, width)
  const [turned, moved] = upright ? [full, trans.data] : standUp(full, trans.data, frames)
  return atRate(where, turned, moved, frames, fps)
}

/** An array of a motion, as f32. Throws a FileError if it is missing or holds what no motion needs. */
export async function plausibleArray(file: NpzFile, name: string): Promise<{ data: Float32Array; shape: Shape }> {
  const { data, shape, dtype }: LoadedTensor = await file.read(name, mostArrayBytes)
  const values = Float32Array.from(data)
  const odd = values.find(value => !isPlausible(value))
  if (!['f32', 'i32', 'u8'].includes(dtype) || odd !== undefined)
    throw new FileError({
      where: file.name,
      what: `array ${name} does not hold numbers that can be`,
      expected: `numbers of -${motionLimits.largest}..${motionLimits.largest}`,
      got: odd === undefined ? dtype : String(odd),
    })
  return { data: values, shape }
}

function shapeError(where: string, name: string, expected: string, got: Shape): FileError {
  return new FileError({ where, what: `array ${name} has the wrong shape`, expected, got: showShape(got) })
}

/** Poses of SMPL-H or SMPL-X as SMPL-X's. */
function widened(poses: Float32Array, frames: number, width: number): Float32Array {
  if (width === poseNumbers) return poses
  const out = new Float32Array(frames * poseNumbers)
  for (let frame = 0; frame < frames; frame++) {
    const pose = poses.subarray(frame * width, (frame + 1) * width)
    out.set(pose.subarray(0, handsOfSmplH), frame * poseNumbers)
    out.set(pose.subarray(handsOfSmplH), frame * poseNumbers + handsOfSmplX)
  }
  return out
}

/** z up to y up. */
function standUp(poses: Float32Array, trans: Float32Array, frames: number): [Float32Array, Float32Array] {
  const turn = aboutAxis('x', -Math.PI / 2)
  const [turned, moved] = [poses.slice(), trans.slice()]
  for (let frame = 0; frame < frames; frame++) {
    const root = fromAxisAngle(vectorAt(poses.subarray(frame * poseNumbers), 0))
    turned.set(toAxisAngle(multiply(turn, root)), frame * poseNumbers)
    moved.set(rotate(turn, vectorAt(trans, frame)), frame * 3)
  }
  return [turned, moved]
}

function atRate(where: string, poses: Float32Array, trans: Float32Array, frames: number, fps: number): Motion {
  if (fps === motionFps) return { frames, poses, trans }
  const source: SourceMotion = {
    names: jointNames,
    parents: jointParents,
    rest: restJoints,
    fps,
    frames,
    pose: frame => ({
      rotations: jointNames.flatMap((_, joint) => fromAxisAngle(vectorAt(poses, frame * jointNames.length + joint))),
      translation: vectorAt(trans, frame),
    }),
  }
  const count = framesAt(source, motionFps)
  checkCount(where, `frames at ${motionFps} a second`, count, motionLimits.frames)
  const out = { frames: count, poses: new Float32Array(count * poseNumbers), trans: new Float32Array(count * 3) }
  let frame = 0
  for (const { rotations, translation } of resample(source, motionFps)) {
    const vectors = jointNames.flatMap((_, joint) => toAxisAngle(quaternionAt(rotations, joint)))
    out.poses.set(vectors, frame * poseNumbers)
    out.trans.set(translation, frame * 3)
    frame++
  }
  return out
}
