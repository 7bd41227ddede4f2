// Looking for the operation that gave the first NaN or infinity.

import { NumberError } from './errors.js'
import { keep } from './scope.js'
import { showShape } from './shape.js'
import { readAll, type Tensor } from './tensor.js'

/**
 * Looks at results without waiting for them; `check` waits. It costs two operations and some bytes for each result: for
 * a step that is known to go wrong.
 */
export class Watch implements Disposable {
  #seen: { what: string; probe: Tensor }[] = []

  /** `probe` gives one f32 that is not finite if any element is not. */
  constructor(private readonly probe: (tensor: Tensor) => Tensor) {}

  /** Called with the results of every operation. */
  see(what: string, tensors: readonly Tensor[]): void {
    for (const tensor of tensors)
      this.#seen.push({ what: `${what}, ${showShape(tensor.shape)}`, probe: keep(this.probe(tensor)) })
  }

  /** Throws a NumberError that names the first operation whose result was not finite. Forgets what was seen. */
  async check(): Promise<void> {
    const seen = this.#seen
    try {
      const values = await readAll(seen.map(({ probe }) => probe))
      const first = values.findIndex(([value]) => !Number.isFinite(value))
      if (first >= 0)
        throw new NumberError({
          where: seen[first].what,
          what: 'gave NaN or infinity',
          got: `operation ${first + 1} of ${seen.length}`,
          hint: 'a lower learning rate, or clipping by norm',
        })
    } finally {
      this.dispose()
    }
  }

  dispose(): void {
    for (const { probe } of this.#seen) probe.dispose()
    this.#seen = []
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}
