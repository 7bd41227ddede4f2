// Comparing tensors: relative error over the whole, and the worst place when it is too large.

import type { Test } from 'tap'
import { relativeError } from '../../kernels/common/relative-error.js'
import type { HostArray } from '../../tensor/index.js'

function worst(actual: ArrayLike<number>, expected: ArrayLike<number>): string {
  let index = 0
  let most = -1
  for (let i = 0; i < expected.length; i++) {
    const d = Math.abs(actual[i] - expected[i])
    if (Number.isNaN(d) && !Object.is(actual[i], expected[i])) return `index ${i}: ${actual[i]} for ${expected[i]}`
    if (d > most) [most, index] = [d, i]
  }
  return `index ${index}: ${actual[index]} for ${expected[index]}`
}

/** Asserts the same length and a relative error of at most `tolerance`; 0 asks for equality. */
export function close(
  t: Test,
  actual: HostArray,
  expected: ArrayLike<number>,
  tolerance: number,
  message: string,
): void {
  if (actual.length !== expected.length) {
    t.fail(`${message}: ${actual.length} elements for ${expected.length}`)
    return
  }
  const error = relativeError(actual, expected)
  if (error <= tolerance) t.pass(message)
  else
    t.fail(
      `${message}: relative error ${error.toExponential(2)}, allowed ${tolerance}; worst at ${worst(actual, expected)}`,
    )
}
