// The training loop: one step is captured once for each kind of batch and replayed; everything that later steps depend
// on goes into one file, so that a run that was stopped goes on to the same bits on the same runtime.

import { differentiate } from '../kernels/index.js'
import {
  AdamW,
  checkpointEntries,
  clipScale,
  Ema,
  globalNorm,
  GradientSum,
  initializeWeights,
  loadWeights,
  warmupCosine,
  Weights,
  type Parameter,
} from '../nn/index.js'
import { openSafetensors, writeSafetensors, type TensorFile } from '../tensor/files/index.js'
import {
  capture,
  FileError,
  Generator,
  NumberError,
  readAll,
  UsageError,
  type Captured,
  type GeneratorState,
  type Runtime,
  type Tensor,
} from '../tensor/index.js'

/** What decides how a model is trained, beside its data. */
export interface TrainSettings {
  steps: number
  /** Batches whose mean gradient makes a step. Default: 1. */
  accumulate?: number
  /** Highest learning rate, and the steps until it is reached. */
  rate: number
  warmup: number
  weightDecay: number
  /** Longest gradient, all parameters together. */
  clip: number
  /** Share of the running mean of the weights that stays at each step. */
  emaDecay: number
  seed: number
}

/** A model that learns from batches. */
export interface Task {
  readonly weights: Weights
  /** Those that learn; default: all. */
  readonly parameters?: readonly Parameter[]
  /** Draws the next batch and hands it to the device. Tells its kind: batches of a kind have the same shapes. */
  prepare(random: Generator): string | Promise<string>
  /** The loss of the batch that was prepared, and parts of it worth knowing, single numbers. Captured for each kind. */
  loss(kind: string): { loss: Tensor; parts: Readonly<Record<string, Tensor>> }
}

/** What a step tells; of the loss and its parts the means over its batches. */
export interface TrainStep {
  readonly step: number
  /** Of its last batch. */
  readonly kind: string
  readonly loss: number
  readonly parts: Readonly<Record<string, number>>
  /** Length of the gradient before it was clipped. */
  readonly norm: number
  readonly rate: number
  readonly seconds: number
}

/** Whether some weights do not learn. */
export function hasFrozen({ parameters, weights }: Task): boolean {
  return parameters !== undefined && parameters.length < weights.parameters.size
}

/** The weights that learn. */
function weightsOf({ parameters, weights }: Task): Weights {
  if (!parameters) return weights
  const learning = new Weights()
  for (const parameter of parameters) learning.declare(parameter)
  return learning
}

/** A model in training. */
export class Trainer implements Disposable {
  readonly ema: Ema
  readonly #optimiser: AdamW
  readonly #parameters: readonly Parameter[]
  readonly #captured = new Map<string, Captured<Record<string, Tensor>>>()
  readonly #batches: number
  /** Where several batches make a step. */
  readonly #sum: GradientSum | undefined
  #update: Captured<Tensor> | undefined
  /** Whether a parameter has a gradient. */
  #reached: readonly boolean[] | undefined
  readonly #rate: (step: number) => number
  #random: Generator

  private constructor(
    private readonly runtime: Runtime,
    private readonly task: Task,
    private readonly settings: TrainSettings,
  ) {
    this.#parameters = [...weightsOf(task).parameters.values()]
    this.#random = new Generator(settings.seed)
    const { rate, warmup, steps, weightDecay, emaDecay } = settings
    this.#rate = warmupCosine({ rate, warmup, steps, minimum: rate / 100 })
    // Vectors (norms, biases) are not drawn to zero.
    const decay = ({ shape }: Parameter) => (shape.length > 1 ? weightDecay : 0)
    this.#optimiser = new AdamW(this.#parameters, { weightDecay: decay })
    this.ema = new Ema(this.#parameters, { decay: emaDecay })
    this.#batches = settings.accumulate ?? 1
    this.#sum = this.#batches > 1 ? new GradientSum(this.#parameters, this.#batches) : undefined
  }

  /** A model that begins: with fresh weights, unless it has some. */
  static start(runtime: Runtime, task: Task, settings: TrainSettings, fresh = true): Trainer {
    if (fresh) initializeWeights(runtime, task.weights, new Generator(settings.seed))
    return new Trainer(runtime, task, settings)
  }

  /**
   * A model that goes on where `save` left it; weights that do not learn it has already, or with `fresh` they begin as
   * they did. Throws a FileError if the file is not of such a run.
   */
  static async resume(
    runtime: Runtime,
    task: Task,
    settings: TrainSettings,
    path: string,
    fresh = true,
  ): Promise<Trainer> {
    const file = await openSafetensors(path)
    try {
      if (fresh && hasFrozen(task)) initializeWeights(runtime, task.weights, new Generator(settings.seed))
      const learning = weightsOf(task)
      const ignore = [...file.tensors.keys()].filter(name => !learning.parameters.has(name))
      await loadWeights(runtime, learning, file, { ignore })
      const trainer = new Trainer(runtime, task, settings)
      try {
        await trainer.#optimiser.load(file)
        await trainer.ema.load(file)
        trainer.#random = await randomOf(file)
      } catch (error) {
        trainer.dispose()
        throw error
      }
      return trainer
    } finally {
      await file.close()
    }
  }

  /** Steps taken. */
  get steps(): number {
    return this.#optimiser.steps
  }

  /**
   * Takes one step. Throws a NumberError when the loss is no number: the weights are spoilt then, and the last file that
   * was saved is what to go on from.
   */
  async step(): Promise<TrainStep> {
    const start = performance.now()
    const step = this.steps + 1
    const rate = this.#rate(step)
    const means: Record<string, number> = {}
    let kind = ''
    for (let batch = 0; batch < this.#batches; batch++) {
      kind = await this.task.prepare(this.#random)
      if (!this.#sum) this.#advance(rate)
      for (const [name, value] of await this.#run(kind)) means[name] = (means[name] ?? 0) + value / this.#batches
    }
    if (this.#sum) {
      this.#update ??= capture(this.runtime, () => this.#change(this.#summed()))
      this.#advance(rate)
      means.norm = (await readAll([this.#update.replay()]))[0][0]
    }
    const { loss, norm, ...parts } = means
    if (!Number.isFinite(loss + norm))
      throw new NumberError({
        where: 'training',
        what: `step ${step} gave a loss of ${loss} and a gradient of length ${norm}`,
        hint: `a rate below ${this.settings.rate}, or more warm-up`,
      })
    return { step, kind, loss, parts, norm, rate, seconds: (performance.now() - start) / 1000 }
  }

  /** Writes all that later steps depend on, whole or not at all; of the weights those that learn. */
  async save(path: string, metadata: Readonly<Record<string, string>> = {}): Promise<void> {
    const { words, used, nextNormal } = this.#random.state()
    const entries = [
      ...checkpointEntries(weightsOf(this.task)),
      ...this.#optimiser.entries(),
      ...this.ema.entries(),
      { name: 'random.words', dtype: 'i32' as const, shape: [words.length], data: Int32Array.from(words) },
    ]
    const random = JSON.stringify({ used, nextNormal })
    await writeSafetensors(path, entries, { ...metadata, random })
  }

  dispose(): void {
    for (const captured of this.#captured.values()) captured.dispose()
    this.#update?.dispose()
    this.#sum?.dispose()
    this.#optimiser.dispose()
    this.ema.dispose()
    this.task.weights.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** The host's part of the weights' change. */
  #advance(rate: number): void {
    this.#optimiser.advance(rate)
    this.ema.advance()
  }

  /** Runs the batch that was prepared; tells its loss, parts and, where it makes a step, the gradient's length. */
  async #run(kind: string): Promise<[name: string, value: number][]> {
    let captured = this.#captured.get(kind)
    if (!captured) {
      captured = capture(this.runtime, () => this.#record(kind))
      this.#captured.set(kind, captured)
    }
    this.#sum?.advance()
    const results = captured.replay()
    const values = await readAll(Object.values(results))
    return Object.keys(results).map((name, i) => [name, values[i][0]])
  }

  /** Forward and back; and the weights' change, or an addition to the sum of gradients. */
  #record(kind: string): Record<string, Tensor> {
    const leaves = this.#parameters.map(({ value }) => value)
    const { value, gradients } = differentiate(leaves, () => this.task.loss(kind))
    const told = { loss: value.loss, ...value.parts }
    if (!this.#sum) return { ...told, norm: this.#change(gradients) }
    const reached = gradients.map(gradient => gradient !== undefined)
    this.#reached ??= reached
    if (String(reached) !== String(this.#reached))
      throw new UsageError({
        where: 'training',
        what: 'kinds of batches depend on different weights, and cannot make a step together',
        hint: 'accumulate 1',
      })
    this.#sum.apply(gradients)
    return told
  }

  /** The mean gradients of the weights that have any. */
  #summed(): (Tensor | undefined)[] {
    return this.#sum!.gradients.map((gradient, i) => (this.#reached?.[i] ? gradient : undefined))
  }

  /** Changes the weights that have a gradient; gives the length of all gradients. */
  #change(gradients: readonly (Tensor | undefined)[]): Tensor {
    const norm = globalNorm(gradients)
    this.#optimiser.apply(gradients, clipScale(norm, this.settings.clip))
    this.ema.apply()
    return norm
  }
}

/** The random numbers that a run goes on with; throws a FileError if the file has none. */
async function randomOf(file: TensorFile): Promise<Generator> {
  const broken = (cause?: unknown) => new FileError({ where: file.name, what: 'no random state' }, { cause })
  const state = file.tensors.get('random.words')
  if (state?.dtype !== 'i32' || state.shape.length !== 1 || state.shape[0] > 1000) throw broken()
  const { data } = await file.read('random.words')
  try {
    const { used, nextNormal } = JSON.parse(file.metadata.get('random') ?? '') as GeneratorState
    return Generator.from({ words: Array.from(data, word => word >>> 0), used, nextNormal })
  } catch (cause) {
    throw broken(cause)
  }
}
