// Is an output right? A few hundred of its elements, picked at random, against numbers computed apart from all kernels.

import { relativeError } from '../kernels/common/relative-error.js'
import { Generator } from '../tensor/random.js'

const sampled = 384

/** Elements of an output and what they must be. */
export interface Sample {
  readonly indices: readonly number[]
  readonly expected: readonly number[]
}

/** Places in an output of `size` elements, the first and the last among them, and what must stand there. */
export function sampleOf(size: number, expected: (index: number) => number): Sample {
  const random = new Generator(size).rand(sampled)
  const picked = [0, size - 1, ...Array.from(random, share => Math.min(size - 1, Math.floor(share * size)))]
  const indices = [...new Set(picked)].sort((a, b) => a - b)
  return { indices, expected: indices.map(expected) }
}

/** What is wrong with the values at the sampled places, or undefined; and how far they are off. */
export function judge(
  { indices, expected }: Sample,
  actual: ArrayLike<number>,
  tolerance: number,
): { error: number; complaint?: string } {
  const error = relativeError(actual, expected)
  if (error <= tolerance) return { error }
  const distance = (i: number) => {
    const off = Math.abs(actual[i] - expected[i])
    return Number.isNaN(off) ? Infinity : off
  }
  const worst = indices.map((_, i) => i).reduce((most, i) => (distance(i) > distance(most) ? i : most), 0)
  const found = `element ${indices[worst]} is ${actual[worst]} for ${expected[worst]}`
  return { error, complaint: `wrong output: relative error ${error.toExponential(1)}; ${found}` }
}
