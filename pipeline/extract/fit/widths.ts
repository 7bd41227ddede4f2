// How exact what is seen is, and how suddenly a body moves: told by what a first fit leaves over, for a second one.

import { vectorAt } from '../../../models/body/quaternion.js'
import type { Figure } from './figure.js'
import type { LossData } from './loss.js'
import type { Descent } from './optimise.js'
import { meanOf } from './place.js'

/** What distances are told in: deviations, metres. */
export interface Widths {
  /** Of points in pictures, at the body's distance. */
  readonly picture: number
  /** Of points in space. */
  readonly space: number
  /** [K]: of how much farther or less far a node goes in a frame than in the one before, against the middle of the body. */
  readonly bends: Float32Array
  /** The same of the middle. */
  readonly whole: number
}

// Metres; of the change of a node's speed, m/s^2.
const usual = { picture: 0.03, space: 0.05, acceleration: 12 }
// No less is believed of any. Detectors err alike in neighbouring frames, which looks like a calm body.
const least = { picture: 0.015, space: 0.02, acceleration: 2.5 }
const most = { picture: 0.06, space: 0.1 }
const steadiness = 0.008

/** Before anything is known. */
export function usualWidths(nodes: number, fps: number): Widths {
  const { picture, space, acceleration } = usual
  const whole = steadiness + acceleration / fps ** 2
  return { picture, space, bends: new Float32Array(nodes).fill(whole), whole }
}

// Medians of squared distances whose coordinates have a deviation of 1, by how many coordinates there are.
const medians = { 2: 1.386, 3: 2.366 } as const
// A fit goes part of the way to where points were seen by mistake: what is left over is so much of the errors, and what
// its nodes are off by is so much of them.
const leftOver = 0.8
const takenOver = 0.5

/** By what a fit left over. */
export function widthsOf({ names }: Figure, data: LossData, { nodes, place }: Descent): Widths {
  const [count, frames] = [names.length, data.distances.length]
  const [flat, deep]: [number[], number[]] = [[], []]
  for (let t = 0; t < frames; t++) {
    const at = Array.from({ length: count }, (_, node) => t * count + node)
    for (const i of at)
      if (data.slopeTrust[i] > 0.5)
        flat.push(
          [0, 1].reduce((sum, axis) => {
            const apart = nodes[3 * i + axis] / nodes[3 * i + 2] - data.slopes[2 * i + axis]
            return sum + (apart * place[3 * t + 2]) ** 2
          }, 0),
        )
    const trusted = at.filter(i => data.pointTrust[i] > 0.5)
    const apart = trusted.map(i => [0, 1, 2].map(axis => nodes[3 * i + axis] - data.points[3 * i + axis]))
    const middle = [0, 1, 2].map(axis => apart.reduce((sum, one) => sum + one[axis], 0) / apart.length)
    deep.push(...apart.map(one => one.reduce((sum, value, axis) => sum + (value - middle[axis]) ** 2, 0)))
  }
  const picture = deviationOf(flat, 2) ?? usual.picture
  const space = deviationOf(deep, 3) ?? usual.space
  // Errors of the nodes where both tell of them.
  const off = takenOver * (deep.length > 0 ? Math.min(picture, space) : picture)
  const middles = Array.from({ length: frames }, (_, t) =>
    meanOf(Array.from({ length: count }, (_, node) => vectorAt(nodes, t * count + node))),
  )
  const bends = Float32Array.from({ length: count }, (_, node) => {
    let square = 0
    for (let t = 1; t + 1 < frames; t++)
      for (const axis of [0, 1, 2]) {
        const at = (frame: number) => nodes[3 * (frame * count + node) + axis] - middles[frame][axis]
        square += (at(t - 1) - 2 * at(t) + at(t + 1)) ** 2 / (3 * (frames - 2))
      }
    // Errors that have nothing to do with each other add six times their square to that of a second difference.
    const own = Math.sqrt(Math.max(0, square - 6 * off ** 2))
    return Math.max(steadiness + least.acceleration / data.fps ** 2, own)
  })
  // Of the middle so many points tell that it needs no more than usual.
  const { whole } = usualWidths(count, data.fps)
  return { picture: within(picture, 'picture'), space: within(space, 'space'), bends, whole }
}

function within(value: number, what: 'picture' | 'space'): number {
  return Math.min(most[what], Math.max(least[what], value))
}

/** The deviation of errors by squared distances; undefined where too few tell. */
function deviationOf(squares: number[], coordinates: 2 | 3): number | undefined {
  if (squares.length < 12) return undefined
  const middle = squares.sort((a, b) => a - b)[Math.floor(squares.length / 2)]
  return Math.sqrt(middle / medians[coordinates]) / leftOver
}
