// What the PPPM is compared with: classical filters over time, and gaps filled the shortest way.

import { fromAxisAngle, slerp, toAxisAngle, vectorAt } from '../../models/body/quaternion.js'
import { decodeEntity, encodeEntity, numbersOf, type EntityMotion } from '../../models/pppm/encoding.js'
import { jointsOf, parametersOf } from '../../models/pppm/kinds.js'
import { motionFps } from '../motion/motion.js'

/** A filter of one sequence of numbers over time. */
export type Filter = (values: Float64Array) => Float64Array

/** Filters to choose from, with the settings that are tried, the weakest first. */
export const classicalFilters: Readonly<Record<string, readonly Filter[]>> = {
  gaussian: [0.5, 1, 1.5, 2, 3, 4, 6].map(sigma => gaussian(sigma)),
  'savitzky-golay': [2, 3, 4, 6, 8, 12].map(reach => savitzkyGolay(reach)),
  'one-euro': [0.5, 1, 2, 4, 8].flatMap(cutoff => [0.01, 0.1, 1].map(beta => oneEuro(cutoff, beta))),
}

// Filters act on numbers without jumps, from where they are.
const noView = { x: 0, z: 0, heading: 0 }

/** A motion with every parameter (6D rotations, places) filtered over time. */
export function filterMotion({ kind, numbers }: EntityMotion, filter: Filter): EntityMotion {
  const size = parametersOf(kind)
  const parameters = encodeEntity({ kind, numbers }, noView)
  const frames = parameters.length / size
  for (let i = 0; i < size; i++) {
    const filtered = filter(Float64Array.from({ length: frames }, (_, frame) => parameters[frame * size + i]))
    filtered.forEach((value, frame) => (parameters[frame * size + i] = value))
  }
  return decodeEntity(kind, parameters, noView)
}

/** Weighted means of neighbours, weights falling as a bell of `sigma` frames; ends repeat. */
export function gaussian(sigma: number): Filter {
  const reach = Math.ceil(3 * sigma)
  const weights = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * sigma ** 2)))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return values =>
    convolve(
      values,
      weights.map(weight => weight / total),
    )
}

/** The middle of a parabola fitted to 2 `reach` + 1 neighbours (Savitzky and Golay, 1964); ends repeat. */
export function savitzkyGolay(reach: number): Filter {
  // Moments of -reach..reach decide the weights of the fit's constant term.
  const places = Array.from({ length: 2 * reach + 1 }, (_, i) => i - reach)
  const moment = (power: number) => places.reduce((sum, x) => sum + x ** power, 0)
  const [zero, two, four] = [moment(0), moment(2), moment(4)]
  const weights = places.map(x => (four - two * x * x) / (zero * four - two * two))
  return values => convolve(values, weights)
}

function convolve(values: Float64Array, weights: readonly number[]): Float64Array {
  const reach = (weights.length - 1) / 2
  const last = values.length - 1
  return values.map((_, i) =>
    weights.reduce((sum, weight, j) => sum + weight * values[Math.min(last, Math.max(0, i + j - reach))], 0),
  )
}

/** A low pass that opens with speed (Casiez et al., "1 Euro Filter", CHI 2012): cutoff in Hz at rest, and its slope. */
export function oneEuro(cutoff: number, beta: number, speedCutoff = 1): Filter {
  const share = (frequency: number) => 1 / (1 + motionFps / (2 * Math.PI * frequency))
  return values => {
    const out = values.slice()
    let speed = 0
    for (let i = 1; i < values.length; i++) {
      speed += share(speedCutoff) * ((values[i] - values[i - 1]) * motionFps - speed)
      out[i] = out[i - 1] + share(cutoff + beta * Math.abs(speed)) * (values[i] - out[i - 1])
    }
    return out
  }
}

/** Fills frames without confidence: joints turn the shortest way between the frames around them, the rest goes straight. */
export function fillGaps({ kind, numbers }: EntityMotion, confidence: ArrayLike<number>): EntityMotion {
  const width = numbersOf(kind)
  const out = numbers.slice()
  const frames = numbers.length / width
  const shown = Array.from({ length: frames }, (_, i) => i).filter(frame => confidence[frame] > 0)
  for (let frame = 0; frame < frames; frame++) {
    if (confidence[frame] > 0) continue
    const before = shown.findLast(other => other < frame)
    const after = shown.find(other => other > frame)
    const [from, to] = [before ?? after ?? frame, after ?? before ?? frame]
    const t = to > from ? (frame - from) / (to - from) : 0
    for (let i = 0; i < width / 3; i++) {
      const [a, b] = [from, to].map(other => vectorAt(numbers.subarray(other * width), i))
      const value =
        i < jointsOf[kind]
          ? toAxisAngle(slerp(fromAxisAngle(a), fromAxisAngle(b), t))
          : a.map((x, axis) => x + t * (b[axis] - x))
      out.set(value, frame * width + 3 * i)
    }
  }
  return { kind, numbers: out }
}
