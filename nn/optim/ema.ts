// Weights averaged over the course of training.

import { accumulate } from '../../kernels/index.js'
import type { SafetensorsEntry, TensorFile } from '../../tensor/files/index.js'
import { keep, overwrite, Tensor } from '../../tensor/index.js'
import type { Parameter } from '../weights.js'
import { loadState, stateEntries, type State } from './state.js'

export interface EmaOptions {
  /** The share of the mean that stays at each step. Default: 0.999. */
  decay?: number
  /** Begins with a shorter memory: at step n at most (1 + n) / (10 + n) stays. Default: true. */
  warmUp?: boolean
}

/** An exponential moving average of weights, f32. `advance` is the host's part of a step, `apply` the device's. */
export class Ema implements Disposable {
  /** The means by the parameters' names, in the device's layout. */
  readonly values: ReadonlyMap<string, Tensor>
  readonly #shares: Tensor
  #steps = 0

  constructor(
    private readonly parameters: readonly Parameter[],
    private readonly options: EmaOptions = {},
  ) {
    const { runtime } = parameters[0].value
    this.#shares = keep(Tensor.zeros(runtime, [2], 'f32', 'mean shares'))
    // A copy even of f32: the weights themselves are going to change.
    this.values = new Map(parameters.map(({ name, shape }) => [name, keep(Tensor.zeros(runtime, shape, 'f32', name))]))
    overwrite(this.#shares, [0, 1])
    this.apply()
  }

  /** Prepares the next step. */
  advance(): void {
    const { decay = 0.999, warmUp = true } = this.options
    this.#steps++
    const kept = warmUp ? Math.min(decay, (1 + this.#steps) / (10 + this.#steps)) : decay
    overwrite(this.#shares, [kept, 1 - kept])
  }

  /** Takes the weights of now into the mean. */
  apply(): void {
    for (const { name, value } of this.parameters) accumulate(this.values.get(name)!, value, this.#shares)
  }

  /** The state, to be written to a file beside the weights. */
  entries(): SafetensorsEntry[] {
    return stateEntries('ema.steps', this.#steps, this.#states())
  }

  /** Takes up what `entries` gave. Throws a FileError if it does not fit. */
  async load(file: TensorFile): Promise<void> {
    this.#steps = await loadState(file, 'ema.steps', this.#states())
  }

  #states(): State {
    return [...this.values].map(([name, tensor]) => [`ema.${name}`, tensor])
  }

  dispose(): void {
    for (const tensor of [...this.values.values(), this.#shares]) tensor.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}
