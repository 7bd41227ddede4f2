// The second stage's motion: what was seen in few frames becomes a motion of all frames, mended by the prior, and longer
// than what was seen if need be. The prior works at the rate that it has learnt from; videos have rates of their own.

import { numbersOf, type EntityMotion } from '../../models/pppm/encoding.js'
import { UsageError } from '../../tensor/index.js'
import { motionFps } from '../../train/motion/motion.js'
import { entityPoints } from '../scene/entity-points.js'
import type { Scene } from '../scene/scene.js'
import { carryOn, mendMotion, type Prior } from './prior.js'
import { evenPlaces, motionAt, valuesAt } from './retime.js'

export interface MendOptions {
  /** Of the video to be made. */
  readonly frames: number
  readonly fps: number
  /** The first so many of them are those that the scene shows, from its first frame to its last. */
  readonly shown: number
  /** Whether the scene's last frame is as it is to be, and stays so: it is a target pose. The first always stays. */
  readonly targeted: boolean
  /** Without one motions are not mended, only told at other moments. */
  readonly prior?: Prior
  /** The motion is given, not seen: the prior carries it on if need be, and changes nothing. Default: false. */
  readonly given?: boolean
}

// How little motions are trusted at least, which are always made up by something that knows how bodies move: as much as
// a target pose, from which the UNet has learnt what half a certainty is.
const least = 0.5
// The prior's correction that takes away most of the trust in what was seen, metres.
const large = 0.2

/**
 * The scene over the frames of the video, its entities' confidence telling how far each is trusted: 1 where it was seen
 * well and not changed much, 0.5 where it was not seen at all.
 *
 * @throws UsageError if motions are to become longer and there is no prior
 */
export async function mendScene(seen: Scene, options: MendOptions): Promise<Scene> {
  const { frames, fps, shown, targeted, prior, given = false } = options
  const { entities } = seen
  const view = { ...seen, masks: undefined, frames, fps }
  if (entities.length === 0) return view
  if (frames > shown && !prior)
    throw new UsageError({
      where: 'motion',
      what: `shorter than the video, and there is no motion prior to carry it on`,
      expected: `at most ${shown} frames, or the weights of a prior`,
      got: `${frames} frames`,
    })
  const [count, goal] = [shown, frames].map(n => Math.round(((n - 1) / fps) * motionFps) + 1)
  const places = evenPlaces(count, seen.frames - 1)
  const found = entities.map(({ motion }) => motionAt(motion, places))
  const confidence = entities.map(entity => valuesAt(entity.confidence, places))
  const known = new Float32Array(count)
  // What was not seen in a frame is not known there.
  const isSeen = (frame: number) => confidence.every(values => values[frame] > 0)
  known[0] = Number(isSeen(0))
  if (targeted) known[count - 1] = Number(isSeen(count - 1))
  const mended = prior && !given ? await mendMotion(prior, found, { known, confidence }) : found
  const whole = prior && goal > count ? await carryOn(prior, mended, goal) : mended
  const moments = evenPlaces(frames, goal - 1)
  return {
    ...view,
    entities: entities.map((entity, i) => {
      const apart = distances(found[i], mended[i])
      const trust = apart.map((distance, frame) => confidence[i][frame] * Math.exp(-((distance / large) ** 2)))
      const after = new Float32Array(goal - count)
      return {
        ...entity,
        motion: motionAt(whole[i], moments),
        confidence: valuesAt([...trust, ...after], moments).map(value => least + (1 - least) * value),
      }
    }),
  }
}

/** How far the points of two motions are apart in each frame, metres on the average. */
function distances(a: EntityMotion, b: EntityMotion): Float32Array {
  if (a === b) return new Float32Array(a.numbers.length / numbersOf(a.kind))
  return Float32Array.from({ length: a.numbers.length / numbersOf(a.kind) }, (_, frame) => {
    const [p, q] = [entityPoints(a, frame), entityPoints(b, frame)]
    let sum = 0
    for (let i = 0; i < p.length; i += 3) sum += Math.hypot(p[i] - q[i], p[i + 1] - q[i + 1], p[i + 2] - q[i + 2])
    return sum / (p.length / 3)
  })
}
