// AdamW over the parameters of a model: moments and, where weights are stored narrow, master weights in f32.

import { adamwStep, cast, castOp } from '../../kernels/index.js'
import type { SafetensorsEntry, TensorFile } from '../../tensor/files/index.js'
import { keep, overwrite, Tensor, update, UsageError } from '../../tensor/index.js'
import type { Parameter } from '../weights.js'
import { loadState, stateEntries, type State } from './state.js'

export interface AdamWOptions {
  /** Of the running means of gradients and of their squares. Default: 0.9, 0.999. */
  betas?: readonly [number, number]
  /** Default: 1e-8. */
  eps?: number
  /** Of all parameters, or of each. Default: 0.01. */
  weightDecay?: number | ((parameter: Parameter) => number)
}

/** What is remembered of a parameter. */
interface Slot {
  readonly parameter: Parameter
  readonly weightDecay: number
  /** The weights in f32: the parameter's own, or a master copy of narrower ones. */
  readonly weight: Tensor
  readonly isMaster: boolean
  readonly mean: Tensor
  readonly square: Tensor
}

/**
 * AdamW, as torch.optim.AdamW: decoupled decay first. Weights change in place, so everything that was captured with them
 * sees them change. One step is `advance`, which is the host's part, and `apply`, which is the device's and can be
 * captured; `step` is both.
 */
export class AdamW implements Disposable {
  /** Steps taken. */
  #steps = 0
  readonly #slots: readonly Slot[]
  readonly #rates: Tensor
  readonly #betas: readonly [number, number]
  readonly #eps: number

  /** The parameters, which are loaded, in the order of the gradients. Others stay as they are. */
  constructor(
    parameters: readonly Parameter[],
    { betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0.01 }: AdamWOptions = {},
  ) {
    if (parameters.length === 0) throw new UsageError({ where: 'AdamW', what: 'no parameters' })
    if (!betas.every(beta => beta >= 0 && beta < 1) || !(eps >= 0))
      throw new UsageError({
        where: 'AdamW',
        what: 'betas or eps out of range',
        expected: 'betas from 0 to below 1 and eps from 0',
        got: `${betas.join(', ')} and ${eps}`,
      })
    this.#betas = betas
    this.#eps = eps
    const zeros = ({ value, name, shape }: Parameter) => keep(Tensor.zeros(value.runtime, shape, 'f32', name))
    this.#slots = parameters.map(parameter => {
      const { value } = parameter
      const isMaster = value.dtype !== 'f32'
      return {
        parameter,
        weightDecay: typeof weightDecay === 'number' ? weightDecay : weightDecay(parameter),
        weight: keep(isMaster ? cast(value, 'f32') : value.share()),
        isMaster,
        mean: zeros(parameter),
        square: zeros(parameter),
      }
    })
    this.#rates = keep(Tensor.zeros(this.#slots[0].weight.runtime, [3], 'f32', 'learning rates'))
  }

  /** Steps taken so far. */
  get steps(): number {
    return this.#steps
  }

  /** Prepares the next step at this learning rate: what `apply`, or a replay of it, reads. */
  advance(learningRate: number): void {
    if (!(learningRate >= 0 && learningRate < Infinity))
      throw new UsageError({
        where: 'AdamW',
        what: 'bad learning rate',
        expected: 'a number from 0',
        got: String(learningRate),
      })
    this.#steps++
    const [first, second] = this.#betas.map(beta => 1 - beta ** this.#steps)
    overwrite(this.#rates, [learningRate, learningRate / first, 1 / Math.sqrt(second)])
  }

  /**
   * Moves every parameter that has a gradient (f32, of its shape; times `scale` [1], if given), in place. Throws a
   * ShapeError for gradients that do not fit, a LifetimeError while a tape still reads the weights.
   */
  apply(gradients: readonly (Tensor | undefined)[], scale?: Tensor): void {
    if (gradients.length !== this.#slots.length)
      throw new UsageError({
        where: 'AdamW',
        what: 'gradients do not fit the parameters',
        expected: String(this.#slots.length),
        got: String(gradients.length),
      })
    const [beta1, beta2] = this.#betas
    this.#slots.forEach(({ parameter, weight, isMaster, mean, square, weightDecay }, i) => {
      const gradient = gradients[i]
      if (!gradient) return
      const state = { parameter: weight, mean, square }
      adamwStep(state, { gradient, rates: this.#rates, scale }, { beta1, beta2, eps: this.#eps, weightDecay })
      const { value } = parameter
      if (isMaster) update(castOp, { x: weight }, [value], { dtype: value.dtype as 'f16' | 'bf16' })
    })
  }

  /** One step; see `advance` and `apply`. */
  step(gradients: readonly (Tensor | undefined)[], learningRate: number, scale?: Tensor): void {
    this.advance(learningRate)
    this.apply(gradients, scale)
  }

  /** Everything that later steps depend on but the weights of full width, to be written to a file. */
  entries(): SafetensorsEntry[] {
    return stateEntries('steps', this.#steps, this.#states())
  }

  /** Takes up what `entries` gave; the weights have been loaded already. Throws a FileError if it does not fit. */
  async load(file: TensorFile): Promise<void> {
    this.#steps = await loadState(file, 'steps', this.#states())
  }

  /** Under torch's names; in the device's layout of the weights. */
  #states(): State {
    return this.#slots.flatMap(({ parameter: { name }, weight, isMaster, mean, square }): [string, Tensor][] => [
      ...(isMaster ? [[`master.${name}`, weight] as [string, Tensor]] : []),
      [`exp_avg.${name}`, mean],
      [`exp_avg_sq.${name}`, square],
    ])
  }

  dispose(): void {
    for (const { weight, mean, square } of this.#slots) for (const tensor of [weight, mean, square]) tensor.dispose()
    this.#rates.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}
