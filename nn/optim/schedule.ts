// Learning rates over the course of training: pure functions of the step.

import { UsageError } from '../../tensor/index.js'

export interface WarmupCosineOptions {
  /** The highest rate. */
  rate: number
  /** Steps of the linear rise from 0. Default: 0. */
  warmup?: number
  /** Steps in all; from there on the rate stays at `minimum`. Without it the rate stays at its highest. */
  steps?: number
  /** Default: 0. */
  minimum?: number
}

/**
 * The learning rate of steps counted from 1: a linear warm-up, then half a cosine down to the minimum. Throws a UsageError
 * for numbers that make no schedule.
 */
export function warmupCosine(options: WarmupCosineOptions): (step: number) => number {
  const { rate, warmup = 0, steps = Infinity, minimum = 0 } = options
  if (!(rate >= 0 && warmup >= 0 && steps > warmup && minimum >= 0 && minimum <= rate && rate < Infinity))
    throw new UsageError({
      where: 'schedule',
      what: 'makes no sense',
      expected: '0 <= minimum <= rate and 0 <= warmup < steps',
      got: JSON.stringify({ rate, warmup, steps, minimum }),
    })
  return step => {
    if (step < warmup) return (rate * step) / warmup
    if (steps === Infinity) return rate
    const progress = Math.min((step - warmup) / (steps - warmup), 1)
    return minimum + 0.5 * (rate - minimum) * (1 + Math.cos(Math.PI * progress))
  }
}
