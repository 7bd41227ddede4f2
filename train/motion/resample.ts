// A captured motion at another rate.

import { quaternionAt, slerp } from '../../models/body/quaternion.js'
import type { SourceMotion, SourcePose } from './source.js'

// Nearer than this to a captured frame, in frames, is that frame.
const sameFrame = 1e-6

/**
 * The motion at `fps` frames a second, from its first frame to the last that fits: turns by the shortest way between
 * the two nearest frames, positions straight. Fewer frames lose what is faster than they are; captured people are not.
 */
export function* resample(source: SourceMotion, fps: number): Generator<SourcePose, void, undefined> {
  const frames = framesAt(source, fps)
  for (let frame = 0; frame < frames; frame++) {
    const at = Math.min((frame * source.fps) / fps, source.frames - 1)
    const before = Math.floor(at + sameFrame)
    const t = at - before
    yield t < sameFrame ? source.pose(before) : poseBetween(source.pose(before), source.pose(before + 1), t)
  }
}

/** How many frames a motion has at another rate. */
export function framesAt(source: Pick<SourceMotion, 'frames' | 'fps'>, fps: number): number {
  return Math.floor(((source.frames - 1) * fps) / source.fps + sameFrame) + 1
}

function poseBetween(a: SourcePose, b: SourcePose, t: number): SourcePose {
  const joints = a.rotations.length / 4
  const turns = Array.from({ length: joints }, (_, joint) =>
    slerp(quaternionAt(a.rotations, joint), quaternionAt(b.rotations, joint), t),
  )
  const [p, q] = [a.translation, b.translation]
  return { rotations: turns.flat(), translation: [0, 1, 2].map(axis => p[axis] + t * (q[axis] - p[axis])) }
}
