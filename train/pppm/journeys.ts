// What motion strength does: people are on their way from where they stand to a target pose. What lies between is given
// broken, as a coarse video shows it, or not at all. More strength is to be a longer way that still arrives.

import { vectorAt } from '../../models/body/quaternion.js'
import { bodyJoints } from '../../models/body/skeleton.js'
import type { EntityMotion } from '../../models/pppm/encoding.js'
import { bringToStrength } from '../../models/pppm/exaggerate.js'
import type { PPPM } from '../../models/pppm/pppm.js'
import { refineScene } from '../../models/pppm/refine.js'
import { motionStrength } from '../../models/pppm/strength.js'
import { Generator, type Runtime } from '../../tensor/index.js'
import { motionFps, type Motion } from '../motion/motion.js'
import { clipOf } from './clips.js'
import { jointPositions } from './metrics.js'
import { perturb, randomWays } from './perturb.js'

/** Means over journeys. */
export interface JourneyRow {
  /** What is given of the way; `true`: the motions as they were captured. */
  readonly given: 'true' | 'coarse' | 'nothing'
  /** What was asked for, 0..1. */
  readonly strength?: number
  /** What came, by `motionStrength`. */
  readonly reached: number
  readonly journeys: number
  /** Metres that a joint goes from the first frame to the last, the mean over joints. */
  readonly path: number
  /** How often a joint turns back: changes of the sign of its speed along an axis, a second and joint. */
  readonly turns: number
  /** Distance of joints in the last frame before the target pose from it, mm. */
  readonly arrival: number
}

/** Which journeys, and with which strengths. */
export interface JourneyOptions {
  /** Takes that were held out; shorter ones are passed over. */
  readonly test: readonly Motion[]
  /** Of a journey, 2 or more. */
  readonly frames: number
  /** Journeys of a row. */
  readonly clips: number
  readonly seed: number
  readonly strengths: readonly number[]
}

const ways = { coarse: undefined, nothing: ['journey'] } as const

/** Sends people of held-out takes on their way with each strength. The same seed gives the same journeys. */
export async function evaluateJourneys(
  runtime: Runtime,
  model: PPPM,
  { test, frames, clips, seed, strengths }: JourneyOptions,
): Promise<JourneyRow[]> {
  const random = new Generator(seed)
  const long = test.filter(take => take.frames >= frames)
  const known = Float32Array.from({ length: frames }, (_, frame) => (frame === 0 || frame === frames - 1 ? 1 : 0))
  const clean =
    long.length === 0
      ? []
      : Array.from({ length: clips }, (_, i) => {
          const take = long[i % long.length]
          return clipOf(take, random.randint(0, take.frames - frames + 1, 1)[0], frames)
        })
  const rows = [rowOf({ given: 'true' }, clean)]
  for (const given of ['coarse', 'nothing'] as const) {
    const broken = clean.map(motion => perturb(motion, ways[given] ?? randomWays(random), random, known))
    for (const strength of strengths) {
      const motions: EntityMotion[] = []
      for (const { entity, confidence } of broken) {
        const [mended] = await refineScene(runtime, model, [entity], { known, confidence: [confidence], strength })
        motions.push(bringToStrength(mended, strength, known))
      }
      rows.push(rowOf({ given, strength }, motions))
    }
  }
  return rows
}

function rowOf(what: Pick<JourneyRow, 'given' | 'strength'>, motions: readonly EntityMotion[]): JourneyRow {
  const found = motions.map(motion => ({ ...measure(motion.numbers), reached: motionStrength(motion) }))
  const mean = (name: 'path' | 'turns' | 'arrival' | 'reached') =>
    found.reduce((sum, one) => sum + one[name], 0) / found.length
  const measured = { reached: mean('reached'), path: mean('path'), turns: mean('turns'), arrival: mean('arrival') }
  return { ...what, journeys: motions.length, ...measured }
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
