// Gradients of several small batches added up, as if they were one large one.

import { accumulate } from '../../kernels/index.js'
import { keep, overwrite, Tensor } from '../../tensor/index.js'
import type { Parameter } from '../weights.js'

/**
 * The mean gradient of `batches` small batches, in memory of its own. As with an optimiser `advance` is the host's part
 * of an addition, and `apply` the device's, which can be captured.
 */
export class GradientSum implements Disposable {
  /** The means so far, f32, in the order of the parameters. */
  readonly gradients: readonly Tensor[]
  readonly #shares: Tensor
  #count = 0

  constructor(
    parameters: readonly Parameter[],
    private readonly batches: number,
  ) {
    const { runtime } = parameters[0].value
    this.gradients = parameters.map(({ shape, name }) => keep(Tensor.zeros(runtime, shape, 'f32', name)))
    this.#shares = keep(Tensor.zeros(runtime, [2], 'f32', 'gradient shares'))
  }

  /** Prepares the next addition; the first of every `batches` begins anew. Tells whether it is the last. */
  advance(): boolean {
    overwrite(this.#shares, [this.#count === 0 ? 0 : 1, 1 / this.batches])
    this.#count = (this.#count + 1) % this.batches
    return this.#count === 0
  }

  /** Adds the gradients of a batch, those of the parameters that have one. */
  apply(gradients: readonly (Tensor | undefined)[]): void {
    this.gradients.forEach((sum, i) => {
      const gradient = gradients[i]
      if (gradient) accumulate(sum, gradient, this.#shares)
    })
  }

  dispose(): void {
    for (const tensor of [...this.gradients, this.#shares]) tensor.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}
