// Clips out of takes, as they are and mirrored.

import { jointNames } from '../../models/body/skeleton.js'
import { numbersOf, type EntityMotion } from '../../models/pppm/encoding.js'
import { UsageError, type Generator } from '../../tensor/index.js'
import { poseNumbers, type Motion } from '../motion/motion.js'

const width = numbersOf('human')

/** An entity over some frames, and what it does in words, if anyone has said so. */
export interface Clip extends EntityMotion {
  readonly text?: string
}

/** `count` frames of a motion from `start` on, as numbers of a person [T x 168]. */
export function clipOf({ poses, trans }: Motion, start: number, count: number): EntityMotion {
  const numbers = new Float32Array(count * width)
  for (let frame = 0; frame < count; frame++) {
    const from = start + frame
    numbers.set(poses.subarray(from * poseNumbers, (from + 1) * poseNumbers), frame * width)
    numbers.set(trans.subarray(3 * from, 3 * from + 3), frame * width + poseNumbers)
  }
  return { kind: 'human', numbers }
}

const opposite = jointNames.map(name => {
  const other = name.startsWith('left_') ? name.replace('left_', 'right_') : name.replace('right_', 'left_')
  return jointNames.indexOf(other)
})

/** A person as a mirror shows them: left and right change places. */
export function mirrorPerson({ numbers }: EntityMotion): EntityMotion {
  const out = new Float32Array(numbers.length)
  for (let frame = 0; frame < numbers.length; frame += width) {
    opposite.forEach((other, joint) => {
      const from = frame + 3 * other
      out.set([numbers[from], -numbers[from + 1], -numbers[from + 2]], frame + 3 * joint)
    })
    const place = frame + poseNumbers
    out.set([-numbers[place], numbers[place + 1], numbers[place + 2]], place)
  }
  return { kind: 'human', numbers: out }
}

/** Draws clips of people from takes, in proportion to their length, half of them mirrored. */
export function drawPerson(takes: readonly Motion[], frames: number, random: Generator): Clip {
  const room = takes.map(take => Math.max(0, take.frames - frames + 1))
  const total = room.reduce((sum, places) => sum + places, 0)
  if (total === 0)
    throw new UsageError({ where: 'motions', what: 'no take is long enough', expected: `at least ${frames} frames` })
  let place = random.randint(0, total, 1)[0]
  let take = 0
  while (place >= room[take]) place -= room[take++]
  const clip = clipOf(takes[take], place, frames)
  const { text } = takes[take]
  return { ...(random.rand(1)[0] < 0.5 ? mirrorPerson(clip) : clip), text }
}

/** A person's numbers as a motion. */
export function motionOf({ numbers }: EntityMotion): Motion {
  const frames = numbers.length / width
  const poses = new Float32Array(frames * poseNumbers)
  const trans = new Float32Array(frames * 3)
  for (let frame = 0; frame < frames; frame++) {
    const row = numbers.subarray(frame * width, (frame + 1) * width)
    poses.set(row.subarray(0, poseNumbers), frame * poseNumbers)
    trans.set(row.subarray(poseNumbers), frame * 3)
  }
  return { frames, poses, trans }
}
