// Our variants against one another. A kernel that comes in variants asks its tune table about each class of shapes; the
// bench gives it a table that keeps the questions, and that answers all of them with one variant where it is told to.

import { isAble, variants } from '../kernels/common/variant.js'
import type { Tune, WebGpuRuntime } from '../tensor/index.js'

/** The choices of a tune table, under the bench's control. */
class Choices extends Map<string, string> {
  forced: string | undefined
  readonly asked = new Set<string>()

  override get(key: string): string | undefined {
    this.asked.add(key)
    return this.forced ?? super.get(key)
  }
}

export class VariantSwitch {
  /** To open the runtime with. */
  readonly tune: Tune
  readonly #choices: Choices

  /** `table` stays in force where no variant is. */
  constructor(table?: Tune) {
    this.#choices = new Choices(table?.choices)
    this.tune = { adapter: table?.adapter ?? '*', choices: this.#choices }
  }

  /** Names of the variants that an adapter can run. */
  static able({ facts }: WebGpuRuntime): string[] {
    return variants.filter(variant => isAble(variant, facts))
  }

  /** The classes that kernels have asked about since the last call. */
  takeClasses(): string[] {
    const classes = [...this.#choices.asked].filter(key => key.includes(' ')) // the others are whole operations
    this.#choices.asked.clear()
    return classes
  }

  /** What `body` records is planned with this variant, wherever there is one. */
  with<T>(variant: string, body: () => T): T {
    this.#choices.forced = variant
    try {
      return body()
    } finally {
      this.#choices.forced = undefined
    }
  }
}
