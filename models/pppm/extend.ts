// Longer motions: frames between those that are there, or after them. The PPPM fills what it is not given.

import { UsageError } from '../../tensor/index.js'
import { numbersOf, type EntityMotion } from './encoding.js'

/** The longest scene that is mended at once, frames: work and memory grow with the square of the length. */
export const maxFrames = 4096

/** Throws a UsageError for a scene of more than `maxFrames`. */
export function checkFrames(frames: number): void {
  if (frames > maxFrames)
    throw new UsageError({
      where: 'frames',
      what: 'too many at once',
      expected: `at most ${maxFrames}`,
      got: String(frames),
      hint: 'shorter pieces',
    })
}

/** A motion with room for more frames: those that are known, and a confidence of 0 for those to be made. */
export interface Sparse {
  readonly entities: readonly EntityMotion[]
  /** [T]: 1 where a frame is from the old motion. */
  readonly known: Float32Array
}

/**
 * Spreads a scene's frames over `frames`: with `between`, evenly from the first to the last; else they are the first
 * ones, and the others come after. Frames to be made repeat the one before. Throws a UsageError for fewer frames than
 * there are, or more than `maxFrames`.
 */
export function spreadFrames(entities: readonly EntityMotion[], frames: number, between: boolean): Sparse {
  const count = entities.length === 0 ? 0 : entities[0].numbers.length / numbersOf(entities[0].kind)
  if (!Number.isInteger(frames) || frames < count)
    throw new UsageError({
      where: 'frames',
      what: frames < count ? 'fewer than there are' : 'not a whole number',
      expected: `${count} or more`,
      got: `${frames}`,
    })
  checkFrames(frames)
  const placeOf = (i: number) => (between && count > 1 ? Math.round((i * (frames - 1)) / (count - 1)) : i)
  const places = Array.from({ length: count }, (_, i) => placeOf(i))
  const known = new Float32Array(frames)
  for (const place of places) known[place] = 1
  // The last known frame before each.
  const sources = Array.from({ length: frames }, (_, frame) => places.findLastIndex(place => place <= frame))
  const spread = entities.map(({ kind, numbers }): EntityMotion => {
    const width = numbersOf(kind)
    const out = new Float32Array(frames * width)
    sources.forEach((from, to) => out.set(numbers.subarray(from * width, (from + 1) * width), to * width))
    return { kind, numbers: out }
  })
  return { entities: spread, known }
}
