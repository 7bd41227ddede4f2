// What the PPPM is trained for: true parameters, joints where they were, moving as they did and as much, feet that stand
// still, and frames in their places. Distances count as they are rather than squared: so the last millimetres of a
// motion that is nearly right weigh as much as those of one that is far off.

import { add, affine, mean, mul, slice, sqrt, square, sub, sum } from '../../kernels/index.js'
import { bodyJoints, jointIndex } from '../../models/body/skeleton.js'
import type { EntityKind } from '../../models/pppm/kinds.js'
import { scope as release, type Tensor } from '../../tensor/index.js'
import { bodyJointsOf, type BodyTensors } from './joints.js'

/** Weights of the parts of the loss, which have different units. */
export interface LossWeights {
  /** Of parameters: no unit. */
  parameters: number
  /** Of a person's joints as seen from the pelvis, m. */
  joints: number
  /** Of pelvises and points where they are, m. */
  places: number
  /** Of the change of joints and points from frame to frame, m; for animals of that of parameters, which have no unit. */
  velocities: number
  /** Of the change of feet that stand, m. */
  feet: number
  /** Of how far joints and points get in a quarter of a second, in the mean over all: m. */
  activity: number
  /** Of when frames belong: frames. */
  times: number
}

/** Each part weighs about as much as the others in motions broken as training breaks them. */
export const defaultLossWeights: LossWeights = {
  parameters: 10,
  joints: 20,
  places: 4,
  velocities: 30,
  feet: 20,
  activity: 8,
  times: 0.2,
}

/** Entities of one kind: what the model made of them, and what is true. */
export interface LossOperands {
  readonly kind: EntityKind
  /** [B,E,T,R] */
  readonly found: Tensor
  readonly truth: Tensor
  /** [B,E,T,2]: 1 where the left and the right foot of a person stand. */
  readonly standing: Tensor
  /** [B,E,T]: when given frames belong, by the model and in truth, and 1 where there is one. */
  readonly foundTimes: Tensor
  readonly times: Tensor
  readonly given: Tensor
  /** [B,E,T], 0..1: how much it counts where an entity truly was. */
  readonly weight: Tensor
}

/** The parts of the loss, single numbers, unweighted. */
export type LossParts = Readonly<Record<keyof LossWeights, Tensor>>

// Below this, differences count as squares: there is no corner at 0. Metres, parameters or frames.
const corner = 0.002

/** |x|, smooth at 0. */
function size(x: Tensor): Tensor {
  return sqrt(affine(square(x), 1, corner ** 2))
}

/** Lengths of vectors [...,3], smooth at 0. */
function lengths(x: Tensor): Tensor {
  return sqrt(affine(sum(square(x), { axes: [-1] }), 1, corner ** 2))
}

/** Change over so many frames: [B E,T,...] to [B E,T-span,...]. */
function changes(x: Tensor, span = 1): Tensor {
  const frames = x.shape[1]
  return sub(slice(x, 1, span, frames), slice(x, 1, 0, frames - span))
}

const feet = [jointIndex('left_foot'), jointIndex('right_foot')]

/** The parts of the loss of one kind of entity. Animals are judged by their parameters alone. */
export function lossParts(operands: LossOperands, body: BodyTensors): LossParts {
  const { kind, found, truth, standing, foundTimes, times, given, weight } = operands
  const [batch, entities, frames, width] = found.shape
  const rows = batch * entities
  const counts = weight.reshape([rows, frames, 1])
  const parameters = mean(mul(size(sub(found, truth)).reshape([rows, frames, width]), counts))
  const none = affine(parameters, 0, 0)
  const common = { parameters, times: mean(mul(size(sub(foundTimes, times)), given)) }
  if (kind === 'animal') {
    const velocities = mean(size(changes(sub(found, truth).reshape([rows, frames, width]))))
    return { ...common, joints: none, places: none, velocities, feet: none, activity: none }
  }
  const points = (x: Tensor) =>
    kind === 'object'
      ? x.reshape([rows, frames, -1, 3])
      : bodyJointsOf(x.reshape([rows * frames, width]), body).reshape([rows, frames, bodyJoints, 3])
  const [foundPoints, truePoints] = [points(found), points(truth)]
  const apart = sub(foundPoints, truePoints) // [B E,T,J,3]
  const moving = {
    velocities: mean(lengths(changes(apart))),
    activity: mean(size(sub(activityOf(foundPoints), activityOf(truePoints)))),
  }
  if (kind === 'object')
    return { ...common, ...moving, joints: none, places: mean(mul(lengths(apart), counts)), feet: none }
  const places = slice(apart, 2, 0, 1) // the pelvis'
  const stands = standing.reshape([rows, frames, 2])
  const slides = feet.map((foot, side) => {
    const moved = lengths(changes(slice(foundPoints, 2, foot, foot + 1))) // [B E,T-1,1]
    const still = slice(slice(stands, 2, side, side + 1), 1, 1, frames) // [B E,T-1,1]
    return mean(mul(moved, still))
  })
  return {
    ...common,
    ...moving,
    joints: mean(mul(lengths(sub(apart, places)), counts)),
    places: mean(mul(lengths(places), counts)),
    feet: add(slides[0], slides[1]),
  }
}

// Frames over which activity is seen: trembling gets nowhere.
const activitySpan = 8

/** How far points [B E,T,J,3] get, the mean over all of an entity: [B E]. */
function activityOf(points: Tensor): Tensor {
  const span = Math.min(activitySpan, points.shape[1] - 1)
  return mean(lengths(changes(points, span)), { axes: [1, 2] })
}

/** The loss: parts of all kinds, weighted and added up. Single numbers. */
export function totalLoss(parts: readonly LossParts[], weights: LossWeights): Tensor {
  return release(() => {
    const terms = parts.flatMap(part =>
      (Object.keys(weights) as (keyof LossWeights)[]).map(name => affine(part[name], weights[name], 0)),
    )
    return terms.reduce((sum, term) => add(sum, term))
  })
}
