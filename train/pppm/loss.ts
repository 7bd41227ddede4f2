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
  /** Of joints and points, m^2. */
  positions: number
  /** Of their change from frame to frame, m^2. */
  velocities: number
  /** Of the change of feet that stand, m^2. */
  feet: number
}

export const defaultLossWeights: LossWeights = { parameters: 1, positions: 10, velocities: 100, feet: 100 }

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

/** The parts of the loss of one kind of entity. Positions of animals and objects are their parameters. */
export function lossParts({ kind, found, truth, standing }: LossOperands, body: BodyTensors): LossParts {
  const [batch, entities, frames, size] = found.shape
  const rows = [batch * entities * frames, size]
  const points = (x: Tensor) =>
    kind === 'human'
      ? bodyJointsOf(x.reshape(rows), body).reshape([batch * entities, frames, bodyJoints, 3])
      : x.reshape([batch * entities, frames, -1, 3])
  const difference = sub(found, truth)
  const parameters = mean(square(difference))
  const [foundPoints, truePoints] = [points(found), points(truth)]
  const apart = sub(foundPoints, truePoints) // [B E,T,J,3]
  const positions = mean(square(apart))
  const velocities = mean(square(changes(apart)))
  if (!standing || kind !== 'human') return { parameters, positions, velocities, feet: affine(parameters, 0, 0) }
  const stands = standing.reshape([batch * entities, frames, 2, 1])
  const slides = feet.map((foot, side) => {
    const moved = changes(slice(foundPoints, 2, foot, foot + 1)) // [B E,T-1,1,3]
    const still = slice(slice(stands, 2, side, side + 1), 1, 1, frames) // [B E,T-1,1,1]
    return mean(mul(square(moved), still))
  })
  return { parameters, positions, velocities, feet: add(slides[0], slides[1]) }
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
