// What motion strength does: people are on their way from where they stand to a target pose, and nothing between is
// given. More strength is to be a longer way that still arrives.

import { vectorAt } from '../../models/body/quaternion.js'
import { bodyJoints } from '../../models/body/skeleton.js'
import type { PPPM } from '../../models/pppm/pppm.js'
import { refineScene } from '../../models/pppm/refine.js'
import { Generator, type Runtime } from '../../tensor/index.js'
import { motionFps, type Motion } from '../motion/motion.js'
import { clipOf } from './clips.js'
import { jointPositions } from './metrics.js'
import { perturb } from './perturb.js'

/** Means over journeys. */
export interface JourneyRow {
  /** 0..1, or `true` for the motions as they were captured. */
  readonly strength: number | 'true'
  readonly journeys: number
  /** Metres that a joint goes from the first frame to the last, the mean over joints. */
  readonly path: number
  /** How often a joint turns back: changes of the sign of its speed along an axis, a second and joint. */
  readonly turns: number
  /** Distance of joints in the last frame before the target pose from it, mm. */
  readonly arrival: number
}

export interface JourneyOptions {
  readonly test: readonly Motion[]
  readonly frames: number
  readonly clips: number
  readonly seed: number
  readonly strengths: readonly number[]
}

/** Sends people of held-out takes on their way with each strength. The same seed gives the same journeys. */
export async function evaluateJourneys(
  runtime: Runtime,
  model: PPPM,
  { test, frames, clips, seed, strengths }: JourneyOptions,
): Promise<JourneyRow[]> {
  const random = new Generator(seed)
  const long = test.filter(take => take.frames >= frames)
  const journeys =
    long.length === 0
      ? []
      : Array.from({ length: clips }, (_, i) => {
          const take = long[i % long.length]
          const clean = clipOf(take, random.randint(0, take.frames - frames + 1, 1)[0], frames)
          const known = Float32Array.from({ length: frames }, (_, frame) =>
            frame === 0 || frame === frames - 1 ? 1 : 0,
          )
          return { clean, broken: perturb(clean, ['journey'], random, known) }
        })
  const rowOf = (strength: JourneyRow['strength'], motions: readonly Float32Array[]): JourneyRow => {
    const found = motions.map(measure)
    const mean = (name: 'path' | 'turns' | 'arrival') => found.reduce((sum, one) => sum + one[name], 0) / found.length
    return { strength, journeys: motions.length, path: mean('path'), turns: mean('turns'), arrival: mean('arrival') }
  }
  const rows = [
    rowOf(
      'true',
      journeys.map(({ clean }) => clean.numbers),
    ),
  ]
  for (const strength of strengths) {
    const motions: Float32Array[] = []
    for (const { broken } of journeys) {
      const options = { known: broken.known, confidence: [broken.confidence], strength }
      motions.push((await refineScene(runtime, model, [broken.entity], options))[0].numbers)
    }
    rows.push(rowOf(strength, motions))
  }
  return rows
}

// Slower than this a joint stands still, metres a frame.
const still = 0.001

function measure(numbers: Float32Array): { path: number; turns: number; arrival: number } {
  const positions = jointPositions(numbers)
  const frames = positions.length / (3 * bodyJoints)
  const step = (frame: number, joint: number) => {
    const [p, q] = [frame - 1, frame].map(at => vectorAt(positions, at * bodyJoints + joint))
    return [q[0] - p[0], q[1] - p[1], q[2] - p[2]]
  }
  let [path, turns, arrival] = [0, 0, 0]
  for (let joint = 0; joint < bodyJoints; joint++) {
    const direction = [0, 0, 0]
    for (let frame = 1; frame < frames; frame++) {
      const move = step(frame, joint)
      path += Math.hypot(...move)
      if (frame === frames - 1) arrival += 1000 * Math.hypot(...move)
      for (let axis = 0; axis < 3; axis++) {
        if (Math.abs(move[axis]) < still) continue
        if (move[axis] * direction[axis] < 0) turns++
        direction[axis] = Math.sign(move[axis])
      }
    }
  }
  return {
    path: path / bodyJoints,
    turns: (turns * motionFps) / (bodyJoints * (frames - 1)),
    arrival: arrival / bodyJoints,
  }
}
