// A captured motion as its file tells it: a joint tree of its own, with the turn of every joint in every frame.

import { FileError } from '../../tensor/index.js'
import type { JointTree } from '../../models/body/kinematics.js'

/** A motion on the skeleton of its file. Axes: y up; the body's left towards +x and its front towards +z at rest. */
export interface SourceMotion extends JointTree {
  /** Names of the joints as the file gives them. */
  readonly names: readonly string[]
  /** Frames a second. */
  readonly fps: number
  readonly frames: number
  /** A frame of 0..frames - 1, computed when it is asked for: most are never needed at a lower rate. */
  pose(frame: number): SourcePose
}

/** A captured skeleton in one frame. */
export interface SourcePose {
  /** [J x 4]: quaternions against the parent. */
  readonly rotations: ArrayLike<number>
  /** [3]: where the root is, metres from its rest position. */
  readonly translation: ArrayLike<number>
}

/** What a motion file may hold at most, so that a small file cannot ask for much memory. */
export const motionLimits = {
  joints: 256,
  depth: 128,
  frames: 200_000,
  numbers: 40_000_000,
  bytes: 2 ** 28,
  /** Of any number, in whatever unit. */
  largest: 1e6,
} as const

/** Whether a number of a motion can be one: finite, and no larger than any that a person's motion needs. */
export function isPlausible(value: number): boolean {
  return Math.abs(value) <= motionLimits.largest
}

/** Throws a FileError unless a count lies in 1..most. */
export function checkCount(where: string, what: string, count: number, most: number): void {
  if (!Number.isInteger(count) || count < 1 || count > most)
    throw new FileError({
      where,
      what: `bad number of ${what}`,
      expected: `1..${Math.floor(most)}`,
      got: String(count),
    })
}

// Heights of people, in metres, and the units that files come in.
const people = { least: 1.2, most: 2.3 }
const units: readonly { name: string; metres: number }[] = [
  { name: 'metres', metres: 1 },
  { name: 'centimetres', metres: 0.01 },
  { name: 'inches', metres: 0.0254 },
  { name: 'millimetres', metres: 0.001 },
  { name: "the Acclaim files' 1/0.45 inches", metres: 0.0254 / 0.45 },
]

/**
 * Metres in a unit of length that a file does not name: the one in which the skeleton, from its lowest joint to its
 * highest, is of a person's height. Throws a FileError if there is none.
 */
export function guessUnit(where: string, rest: ArrayLike<number>): number {
  const heights = Array.from({ length: rest.length / 3 }, (_, joint) => rest[3 * joint + 1])
  const height = Math.max(...heights) - Math.min(...heights)
  const unit = units.find(({ metres }) => height * metres >= people.least && height * metres <= people.most)
  if (unit) return unit.metres
  throw new FileError({
    where,
    what: 'the skeleton has no height of a person in any unit',
    expected: `${people.least} to ${people.most} m, in ${units.map(({ name }) => name).join(', ')}`,
    got: height.toPrecision(4),
  })
}
