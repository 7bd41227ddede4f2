// Biovision's hierarchy files (.bvh): a tree of joints with offsets, then a line of channels for each frame.
// Written after the format's description (Meredith and Maddock, "Motion Capture File Formats Explained", 2001). A
// joint's turn is the product of its rotation channels in their order.

import {
  aboutAxis,
  angleBetween,
  identity,
  multiply,
  quaternionAt,
  type Quaternion,
} from '../../models/body/quaternion.js'
import { quote } from '../../tensor/files/quote.js'
import { checkCount, guessUnit, motionLimits, type SourceMotion, type SourcePose } from './source.js'
import { Words } from './text.js'

type Axis = 'x' | 'y' | 'z'

interface Channel {
  readonly joint: number
  readonly kind: 'position' | 'rotation'
  readonly axis: Axis
}

class Hierarchy {
  readonly names: string[] = []
  readonly parents: number[] = []
  /** Rest positions in the file's unit. */
  readonly rest: number[] = []
  readonly channels: Channel[] = []

  constructor(private readonly words: Words) {
    words.skip('HIERARCHY')
    words.skip('ROOT')
    this.joint(-1, 0)
  }

  private joint(parent: number, depth: number): void {
    const { words, names, parents, rest } = this
    if (depth > motionLimits.depth) throw words.error('joints too deep', `${motionLimits.depth} at most`, String(depth))
    const joint = names.length
    if (joint >= motionLimits.joints) throw words.error('too many joints', `${motionLimits.joints}`, 'more')
    names.push(words.take('the name of a joint'))
    parents.push(parent)
    words.skip('{')
    const offset = this.offset()
    // Where the root is, its channels tell.
    for (const axis of [0, 1, 2]) rest.push(parent < 0 ? 0 : rest[3 * parent + axis] + offset[axis])
    this.channelsOf(joint)
    for (;;) {
      const word = words.take('JOINT, End or }')
      if (word === '}') return
      if (word.toUpperCase() === 'JOINT') this.joint(joint, depth + 1)
      else if (word.toUpperCase() === 'END') this.end()
      else throw words.error('unexpected word', 'JOINT, End or }', quote(word))
    }
  }

  private offset(): number[] {
    this.words.skip('OFFSET')
    return [0, 1, 2].map(() => this.words.number('an offset'))
  }

  private channelsOf(joint: number): void {
    const { words } = this
    words.skip('CHANNELS')
    const count = words.number('a number of channels')
    if (!Number.isInteger(count) || count < 0 || count > 6) throw words.error('bad channels', '0..6', String(count))
    for (let i = 0; i < count; i++) {
      const word = words.take('a channel')
      const match = /^([XYZ])(position|rotation)$/i.exec(word)
      if (!match) throw words.error('unknown channel', 'Xposition, ... or Zrotation', quote(word))
      const kind = match[2].toLowerCase() as Channel['kind']
      this.channels.push({ joint, kind, axis: match[1].toLowerCase() as Axis })
    }
  }

  /** The end of a limb has an offset and nothing that moves. */
  private end(): void {
    this.words.skip('Site')
    this.words.skip('{')
    this.offset()
    this.words.skip('}')
  }
}

/** Reads a .bvh file's text; lengths are scaled to metres by `guessUnit`. Throws a FileError on any flaw. */
export function parseBvh(where: string, text: string): SourceMotion {
  const words = new Words(where, text)
  const { names, parents, rest, channels } = new Hierarchy(words)
  words.skip('MOTION')
  words.skip('Frames:')
  const frames = words.number('a number of frames')
  checkCount(where, 'frames', frames, motionLimits.frames)
  for (const word of ['Frame', 'Time:']) words.skip(word)
  const seconds = words.number('the seconds of a frame')
  if (!(seconds >= 1e-4 && seconds <= 1)) throw words.error('bad frame time', '0.0001..1 s', String(seconds))

  const count = frames * channels.length
  checkCount(where, 'numbers', count, motionLimits.numbers)
  // Before room is made for them: a file that was cut off holds fewer than it says.
  if (count > words.most)
    throw words.error('the file ends too early', `${frames} frames of ${channels.length} numbers`, 'far fewer')

  const unit = guessUnit(where, rest)
  const values = new Float32Array(count)
  for (let i = 0; i < values.length; i++) values[i] = words.number('a channel')
  const pose = (frame: number): SourcePose => {
    const turns: Quaternion[] = names.map(() => identity)
    const translation = [0, 0, 0]
    channels.forEach(({ joint, kind, axis }, i) => {
      const value = values[frame * channels.length + i]
      if (kind === 'rotation') turns[joint] = multiply(turns[joint], aboutAxis(axis, (value * Math.PI) / 180))
      // Other joints than the root do not leave their place: what files say there repeats the offset.
      else if (joint === 0) translation['xyz'.indexOf(axis)] = value * unit
    })
    return { rotations: turns.flat(), translation }
  }
  const source = { names, parents, rest: rest.map(x => x * unit), fps: rateOf(seconds), frames, pose }
  return withoutRestPose(source)
}

// No person turns all joints together as fast as this from one frame to the next, radians a second.
const leap = 5
// So many frames it takes filters until nothing is left of a leap, and so little of it is nothing.
const settling = { frames: 12, share: 0.05 }

/**
 * Many converters put the skeleton's rest pose before the first frame, and some smooth what comes after: if the motion
 * leaps away from its first frame, it begins where it has settled.
 */
function withoutRestPose(source: SourceMotion): SourceMotion {
  const joints = source.names.length
  const count = Math.min(settling.frames, source.frames - 2)
  const poses = Array.from({ length: Math.max(0, count) + 1 }, (_, frame) => source.pose(frame).rotations)
  const changes = poses.slice(1).map((pose, i) => {
    const turns = source.names.map((_, joint) => angleBetween(quaternionAt(poses[i], joint), quaternionAt(pose, joint)))
    return turns.reduce((sum, turn) => sum + turn, 0)
  })
  if (changes.length === 0 || changes[0] * source.fps < leap * joints) return source
  const skipped = changes.findLastIndex(change => change > settling.share * changes[0]) + 1
  return { ...source, frames: source.frames - skipped, pose: frame => source.pose(frame + skipped) }
}

/** Frames a second. Files round the seconds of a frame; rates are whole numbers if they are nearly so. */
function rateOf(seconds: number): number {
  const whole = Math.round(1 / seconds)
  return Math.abs(whole * seconds - 1) < 1e-5 ? whole : 1 / seconds
}
