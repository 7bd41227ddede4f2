// Euler's method over falling noise levels. It only records work: nothing is read from the device or waited for.

import { keep, scope, type Tensor } from '../../tensor/index.js'
import { eulerStep, scaleModelInput, timestepOf } from '../schedulers/euler.js'

/** What the sampler tells after each step. */
export interface SamplerStep {
  /** Steps done, 1..steps. */
  readonly step: number
  readonly steps: number
  /** The noise level that the step came from. */
  readonly sigma: number
  /** The noise level that it led to. */
  readonly next: number
  /** The sample after the step; the last one is the result. Released when the loop goes on: `share()` it to keep it. */
  readonly sample: Tensor
}

/** Predicts v from the scaled sample; `timestep` is 0.25 ln sigma. What it makes beside its result is released. */
export type Denoise = (input: Tensor, timestep: number) => Tensor

/**
 * Takes `start`, which stays the caller's, from noise level sigmas[0] to the last one; or from sigmas[done] after
 * `done` steps of an earlier run, whose sample `start` then is.
 */
export function* sampleEuler(
  denoise: Denoise,
  start: Tensor,
  sigmas: Float32Array,
  done = 0,
): Generator<SamplerStep, void, undefined> {
  const steps = sigmas.length - 1
  let sample = keep(start.share())
  try {
    for (let i = done; i < steps; i++) {
      const [sigma, next] = [sigmas[i], sigmas[i + 1]]
      const previous = sample
      const moved = scope(() => {
        const output = denoise(scaleModelInput(previous, sigma), timestepOf(sigma))
        return eulerStep(previous, output, sigma, next)
      })
      sample = keep(moved)
      previous.dispose()
      yield { step: i + 1, steps, sigma, next, sample }
    }
  } finally {
    sample.dispose()
  }
}
