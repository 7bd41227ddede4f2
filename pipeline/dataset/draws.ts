// Choices by a random generator.

import type { Generator } from '../../tensor/index.js'

/** What composing a clip asks of chance. */
export class Draws {
  constructor(readonly generator: Generator) {}

  /** A number in least..most. */
  between(least: number, most: number): number {
    return least + (most - least) * this.generator.rand(1)[0]
  }

  /** Whether something of this probability happens. */
  chance(probability: number): boolean {
    return this.between(0, 1) < probability
  }

  /** One of a list, all alike. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]
  }

  /** An integer in 0..count - 1. */
  below(count: number): number {
    return this.generator.randint(0, count, 1)[0]
  }

  /** A normal number, kept within -most..most. */
  normal(most: number): number {
    return Math.max(-most, Math.min(most, this.generator.randn(1)[0]))
  }
}
