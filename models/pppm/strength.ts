// Motion strength: how much moves, from 0 (nothing) to 1 (as much as a lively dance, or more).

import { numbersOf, type EntityMotion } from './encoding.js'
import { jointsOf } from './kinds.js'

// Mean change from frame to frame that counts as 1: radians of a joint, metres of a point.
const liveliest = { turn: 0.08, move: 0.08 }
// Joints that say how a body moves: fingers, jaw and eyes of captured people are often still.
const counted = { human: 22, animal: jointsOf.animal, object: 0 }

/**
 * The mean over joints and frames of the change of the parameters between neighbouring frames, scaled to 0..1; changes
 * between two frames that are `known` [T] do not count. 0 where there is none.
 */
export function motionStrength({ kind, numbers }: EntityMotion, known: ArrayLike<number> = []): number {
  const width = numbersOf(kind)
  const frames = numbers.length / width
  const vectors = kind === 'object' ? width / 3 : counted[kind]
  let [total, changes] = [0, 0]
  for (let frame = 1; frame < frames; frame++) {
    if (known[frame - 1] > 0 && known[frame] > 0) continue
    changes++
    for (let i = 0; i < vectors; i++) {
      const [a, b] = [(frame - 1) * width + 3 * i, frame * width + 3 * i]
      const change = (scale: number) =>
        Math.hypot(
          scale * numbers[b] - numbers[a],
          scale * numbers[b + 1] - numbers[a + 1],
          scale * numbers[b + 2] - numbers[a + 2],
        )
      const angle = Math.hypot(numbers[b], numbers[b + 1], numbers[b + 2])
      // A turn is also one the other way around: where a body looks backwards, its vector leaps from one to the other.
      const isTurn = kind !== 'object' && angle > Math.PI / 2
      total += isTurn ? Math.min(change(1), change(1 - (2 * Math.PI) / angle)) : change(1)
    }
  }
  if (changes === 0) return 0
  const mean = total / (changes * vectors)
  return Math.min(1, mean / (kind === 'object' ? liveliest.move : liveliest.turn))
}
