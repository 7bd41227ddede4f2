// The training loop: one step is captured once for each kind of batch and replayed; everything that later steps depend
// on goes into one file, so that a run that was stopped goes on to the same bits on the same runtime.

import { differentiate } from '../kernels/index.js'
import {
  AdamW,
  checkpointEntries,
  clipScale,
  Ema,
  globalNorm,
  initializeWeights,
  loadWeights,
  warmupCosine,
  type Parameter,
  type Weights,
} from '../nn/index.js'
import { openSafetensors, writeSafetensors, type TensorFile } from '../tensor/files/index.js'
import {
  capture,
  FileError,
  Generator,
  NumberError,
  readAll,
  type Captured,
  type GeneratorState,
  type Runtime,
  type Tensor,
} from '../tensor/index.js'

/** What decides how a model is trained, beside its data. */
export interface TrainSettings {
  steps: number
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
  prepare(random: Generator): string
  /** The loss of the batch that was prepared, and parts of it worth knowing, single numbers. Captured for each kind. */
  loss(kind: string): { loss: Tensor; parts: Readonly<Record<string, Tensor>> }
}

/** What a step tells. */
export interface TrainStep {
  readonly step: number
  readonly kind: string
  readonly loss: number
  readonly parts: Readonly<Record<string, number>>
  /** Length of the gradient before it was clipped. */
  readonly norm: number
  readonly rate: number
  readonly seconds: number
}

/** Results of a captured step: the loss, the gradient's length, the parts. */
interface StepResults {
  readonly names: readonly string[]
  readonly values: readonly Tensor[]
}

/** A model in training. */
export class Trainer implements Disposable {
  readonly ema: Ema
  readonly #optimiser: AdamW
  readonly #parameters: readonly Parameter[]
  readonly #captured = new Map<string, Captured<StepResults>>()
  readonly #rate: (step: number) => number
  #random: Generator

  private constructor(
    private readonly runtime: Runtime,
    private readonly task: Task,
    private readonly settings: TrainSettings,
  ) {
    this.#parameters = task.parameters ?? [...task.weights.parameters.values()]
    this.#random = new Generator(settings.seed)
    const { rate, warmup, steps, weightDecay, emaDecay } = settings
    this.#rate = warmupCosine({ rate, warmup, steps, minimum: rate / 100 })
    // Vectors (norms, biases) are not drawn to zero.
    const decay = ({ shape }: Parameter) => (shape.length > 1 ? weightDecay : 0)
    this.#optimiser = new AdamW(this.#parameters, { weightDecay: decay })
    this.ema = new Ema(this.#parameters, { decay: emaDecay })
  }

  /** A model that begins: with fresh weights, unless it has some. */
  static start(runtime: Runtime, task: Task, settings: TrainSettings, fresh = true): Trainer {
    if (fresh) initializeWeights(runtime, task.weights, new Generator(settings.seed))
    return new Trainer(runtime, task, settings)
  }

  /** A model that goes on where `save` left it. Throws a FileError if the file is not of such a run. */
  static async resume(runtime: Runtime, task: Task, settings: TrainSettings, path: string): Promise<Trainer> {
    const file = await openSafetensors(path)
    try {
      const known = new Set(task.weights.parameters.keys())
      const ignore = [...file.tensors.keys()].filter(name => !known.has(name))
      await loadWeights(runtime, task.weights, file, { ignore })
      const trainer = new Trainer(runtime, task, settings)
      await trainer.#optimiser.load(file)
      await trainer.ema.load(file)
      trainer.#random = await randomOf(file)
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
    const { settings, runtime } = this
    const start = performance.now()
    const kind = this.task.prepare(this.#random)
    let captured = this.#captured.get(kind)
    if (!captured) {
      captured = capture(runtime, () => this.#record(kind))
      this.#captured.set(kind, captured)
    }
    const step = this.steps + 1
    const rate = this.#rate(step)
    this.#optimiser.advance(rate)
    this.ema.advance()
    const { names, values } = captured.replay()
    const [loss, norm, ...parts] = (await readAll(values)).map(([value]) => value)
    if (!Number.isFinite(loss + norm))
      throw new NumberError({
        where: 'training',
        what: `step ${step} gave a loss of ${loss} and a gradient of length ${norm}`,
        hint: `a rate below ${settings.rate}, or more warm-up`,
      })
    const told = Object.fromEntries(names.map((name, i) => [name, parts[i]]))
    return { step, kind, loss, parts: told, norm, rate, seconds: (performance.now() - start) / 1000 }
  }

  /** Writes all that later steps depend on, whole or not at all. */
  async save(path: string, metadata: Readonly<Record<string, string>> = {}): Promise<void> {
    const { words, used, nextNormal } = this.#random.state()
    const entries = [
      ...checkpointEntries(this.task.weights),
      ...this.#optimiser.entries(),
      ...this.ema.entries(),
      { name: 'random.words', dtype: 'i32' as const, shape: [words.length], data: Int32Array.from(words) },
    ]
    const random = JSON.stringify({ used, nextNormal })
    await writeSafetensors(path, entries, { ...metadata, random })
  }

  dispose(): void {
    for (const captured of this.#captured.values()) captured.dispose()
    this.#optimiser.dispose()
    this.ema.dispose()
    this.task.weights.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** Forward, back and the weights' change. */
  #record(kind: string): StepResults {
    const leaves = this.#parameters.map(({ value }) => value)
    const { value, gradients } = differentiate(leaves, () => this.task.loss(kind))
    const norm = globalNorm(gradients)
    this.#optimiser.apply(gradients, clipScale(norm, this.settings.clip))
    this.ema.apply()
    const { loss, parts } = value
    return { names: Object.keys(parts), values: [loss, norm, ...Object.values(parts)] }
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
