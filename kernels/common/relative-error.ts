// How far results are from what they should be.

/**
 * ||a - b|| / ||b|| in the L2 norm, over the whole. Equal infinities, and NaN for NaN, count as equal; NaN or a number
 * where the other is not, and another length, are infinitely far.
 */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity
  let difference = 0
  let norm = 0
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(actual[i], expected[i]) || actual[i] === expected[i]) {
      norm += Number.isFinite(expected[i]) ? expected[i] ** 2 : 0
      continue
    }
    difference += (actual[i] - expected[i]) ** 2
    norm += expected[i] ** 2
  }
  if (!Number.isFinite(difference)) return Infinity
  return difference === 0 ? 0 : Math.sqrt(difference / Math.max(norm, 1e-60))
}
