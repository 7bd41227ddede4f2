// Motions brought to a strength: what joints do beside the shortest way is made larger or smaller. The way between frames
// that are known is kept, so that the motion still begins, passes and arrives where it did, and so is the place.
// After Bruderlin and Williams, "Motion signal processing", SIGGRAPH 1995: bands of a motion are exaggerated or damped.

import { poseJoints } from '../body/kinematics.js'
import { fromAxisAngle, inverse, multiply, slerp, toAxisAngle, vectorAt } from '../body/quaternion.js'
import { bodyJoints, jointIndex, jointParents, restJoints } from '../body/skeleton.js'
import { numbersOf, type EntityMotion } from './encoding.js'
import { jointsOf } from './kinds.js'
import { motionStrength } from './strength.js'

/** How much larger or smaller a motion's swings are made at most. */
export const swingRange = { least: 0.2, most: 4 } as const

const body = { parents: jointParents.slice(0, bodyJoints), rest: restJoints.subarray(0, 3 * bodyJoints) }
const feet = ['left_foot', 'right_foot', 'left_ankle', 'right_ankle'].map(jointIndex)

/**
 * A person's or an animal's motion with its swings scaled so that its strength (`motionStrength`, where not all is known)
 * is as near to `strength` as `swingRange` allows; a person's lowest foot stays as high as it was. Known frames [T] stay
 * as they are, to the bit. Objects obey physics, not wishes: they come back as they are.
 */
export function bringToStrength(motion: EntityMotion, strength: number, known: ArrayLike<number> = []): EntityMotion {
  const frames = motion.numbers.length / numbersOf(motion.kind)
  if (motion.kind === 'object' || frames < 3) return motion
  const way = shortestWay(motion, known)
  let [low, high]: number[] = [swingRange.least, swingRange.most]
  let made = motion
  for (let i = 0; i < searchSteps; i++) {
    const scale = Math.sqrt(low * high)
    made = swing(motion, way, scale, known)
    if (motionStrength(made, known) < strength) low = scale
    else high = scale
  }
  return made
}

// Halvings of the range that scales are searched in: to a part in a thousand.
const searchSteps = 12

/** Of all joints: from known frame to known frame, and from the first to the last. */
function shortestWay({ kind, numbers }: EntityMotion, known: ArrayLike<number>): Float32Array {
  const width = numbersOf(kind)
  const frames = numbers.length / width
  const stops = Array.from({ length: frames }, (_, frame) => frame).filter(
    frame => frame === 0 || frame === frames - 1 || known[frame] > 0,
  )
  const way = numbers.slice()
  for (let stop = 1; stop < stops.length; stop++) {
    const [from, to] = [stops[stop - 1], stops[stop]]
    for (let frame = from + 1; frame < to; frame++)
      for (let i = 0; i < jointsOf[kind]; i++) {
        const [a, b] = [from, to].map(at => fromAxisAngle(vectorAt(numbers.subarray(at * width), i)))
        way.set(toAxisAngle(slerp(a, b, (frame - from) / (to - from))), frame * width + 3 * i)
      }
  }
  return way
}

// Radians from the shortest way.
const farthest = 3

/** The motion with joints as many times as far from the way. */
function swing(motion: EntityMotion, way: Float32Array, scale: number, known: ArrayLike<number>): EntityMotion {
  const { kind, numbers } = motion
  const width = numbersOf(kind)
  const out = numbers.slice()
  for (let frame = 1; frame < numbers.length / width - 1; frame++) {
    if (known[frame] > 0) continue
    const [own, base] = [numbers, way].map(values => values.subarray(frame * width, (frame + 1) * width))
    const made = out.subarray(frame * width, (frame + 1) * width)
    for (let i = 0; i < jointsOf[kind]; i++) {
      const from = fromAxisAngle(vectorAt(base, i))
      const [x, y, z] = toAxisAngle(multiply(inverse(from), fromAxisAngle(vectorAt(own, i))))
      // Beyond half a turn a joint would bend the other way.
      const by = Math.min(scale, farthest / Math.max(Math.hypot(x, y, z), 1e-6))
      made.set(toAxisAngle(multiply(from, fromAxisAngle([by * x, by * y, by * z]))), 3 * i)
    }
    if (kind === 'human') made[width - 2] += lowestFoot(own) - lowestFoot(made)
  }
  return { kind, numbers: out }
}

/** How high a person's lower foot is in one frame, metres. */
function lowestFoot(pose: Float32Array): number {
  const turns = body.parents.flatMap((_, joint) => fromAxisAngle(vectorAt(pose, joint)))
  const { positions } = poseJoints(body, turns, pose.subarray(pose.length - 3))
  return Math.min(...feet.map(foot => positions[3 * foot + 1]))
}
