// What the PPPM is trained for: true parameters, joints where they were, moving as they did, feet that stand still.

import { add, affine, mean, mul, slice, square, sub } from '../../kernels/index.js'
import { bodyJoints, jointIndex } from '../../models/body/skeleton.js'
import type { EntityKind } from '../../models/pppm/kinds.js'
import { scope as release, type Tensor } from '../../tensor/index.js'
import { bodyJointsOf, type BodyTensors } from './joints.js'

/** Weights of the parts of the loss, which have different units. */
export interface LossWeights {
  /** Of parameters, squared: no unit. */
  parameters: number
  /** Of a person's joints as seen from the pelvis, m^2. */
  joints: number
  /** Of pelvises and points where they are, m^2. */
  places: number
  /** Of the change of joints and points from frame to frame, m^2. */
  velocities: number
  /** Of the change of feet that stand, m^2. */
  feet: number
}

/** Each part weighs about as much as the others in motions broken as training breaks them. */
export const defaultLossWeights: LossWeights = { parameters: 10, joints: 100, places: 2, velocities: 50, feet: 50 }

/** Entities of one kind: what the model made of them, and what is true. */
export interface LossOperands {
  readonly kind: EntityKind
  /** [B,E,T,R] */
  readonly found: Tensor
  readonly truth: Tensor
  /** [B,E,T,2]: 1 where the left and the right foot of a person stand. */
  readonly standing?: Tensor
}

/** The parts of the loss, single numbers, unweighted. */
export type LossParts = Readonly<Record<keyof LossWeights, Tensor>>

/** Change from frame to frame: [B E,T,...] to [B E,T-1,...]. */
function changes(x: Tensor): Tensor {
  const frames = x.shape[1]
  return sub(slice(x, 1, 1, frames), slice(x, 1, 0, frames - 1))
}

const feet = [jointIndex('left_foot'), jointIndex('right_foot')]

/** The parts of the loss of one kind of entity. Animals and objects have no joints and feet to look at. */
export function lossParts({ kind, found, truth, standing }: LossOperands, body: BodyTensors): LossParts {
  const [batch, entities, frames, size] = found.shape
  const rows = batch * entities
  const parameters = mean(square(sub(found, truth)))
  const none = affine(parameters, 0, 0)
  if (kind !== 'human' || !standing) {
    const points = (x: Tensor) => x.reshape([rows, frames, size])
    const apart = sub(points(found), points(truth))
    return { parameters, joints: none, places: none, velocities: mean(square(changes(apart))), feet: none }
  }
  const joints = (x: Tensor) =>
    bodyJointsOf(x.reshape([rows * frames, size]), body).reshape([rows, frames, bodyJoints, 3])
  const [foundJoints, trueJoints] = [joints(found), joints(truth)]
  const apart = sub(foundJoints, trueJoints) // [B E,T,J,3]
  const places = slice(apart, 2, 0, 1) // the pelvis'
  const stands = standing.reshape([rows, frames, 2, 1])
  const slides = feet.map((foot, side) => {
    const moved = changes(slice(foundJoints, 2, foot, foot + 1)) // [B E,T-1,1,3]
    const still = slice(slice(stands, 2, side, side + 1), 1, 1, frames) // [B E,T-1,1,1]
    return mean(mul(square(moved), still))
  })
  return {
    parameters,
    joints: mean(square(sub(apart, places))),
    places: mean(square(places)),
    velocities: mean(square(changes(apart))),
    feet: add(slides[0], slides[1]),
  }
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
