// The weights of a model: declared by its modules under the checkpoint's names, filled all at once (load.ts). Building
// a model takes no memory, so everything that does not fit a file is known before the first byte moves.

import { LifetimeError, ShapeError, showShape, sizeOf, UsageError, type Shape, type Tensor } from '../tensor/index.js'

/** A constant, or normal numbers of mean 0. */
export type Init = number | { readonly deviation: number }

/** How a weight is kept, and how it begins. */
export interface ParameterOptions {
  /**
   * `channels-last` turns a convolution's [O, I, ...kernel] into [O, ...kernel, I]; default: as the checkpoint has it.
   */
  layout?: 'checkpoint' | 'channels-last'
  /** `f32` widens on load, for small vectors; default: the float type of the file. */
  dtype?: 'stored' | 'f32'
  /** How many of the last inputs (second axis) a checkpoint may lack; their weights become zero. */
  optionalInputs?: number
  /** How it begins in a model that is trained from scratch; default: as torch's layers do (init.ts). */
  init?: Init
}

/** A named place for one weight. Loading fills it, and training replaces what is in it. */
export class Parameter {
  /** As it is on the device. */
  readonly shape: Shape
  #value: Tensor | undefined

  constructor(
    readonly name: string,
    /** As it is in a checkpoint. */
    readonly storedShape: Shape,
    readonly options: ParameterOptions = {},
  ) {
    const [outputs, inputs, ...kernel] = storedShape
    this.shape = options.layout === 'channels-last' ? [outputs, ...kernel, inputs] : storedShape
  }

  /** The weight; throws a LifetimeError before it is loaded and after it is released. */
  get value(): Tensor {
    if (!this.#value)
      throw new LifetimeError({
        where: this.name,
        what: 'weight is not loaded',
        hint: 'loadWeights() before forward()',
      })
    return this.#value
  }

  /** Puts a tensor in place, which from now on belongs to the parameter, and releases the one before. */
  replace(value: Tensor): void {
    if (String(value.shape) !== String(this.shape))
      throw new ShapeError({
        where: this.name,
        what: 'weight does not fit',
        expected: showShape(this.shape),
        got: showShape(value.shape),
      })
    this.#value?.dispose()
    this.#value = value
  }

  dispose(): void {
    this.#value?.dispose()
    this.#value = undefined
  }
}

/**
 * Sees the output of a module, with whatever is fused into it, under the module's name; of a chunk, if the module works
 * in chunks. The tensor lives on only if it is kept: `keep(tensor.share())`.
 */
export type Observer = (name: string, tensor: Tensor) => void

/** All weights of one model. */
export class Weights implements Disposable {
  readonly #parameters = new Map<string, Parameter>()
  /** Called with the output of every module that reports one: for tests and for the curious. */
  observer: Observer | undefined
  /** Layers that can work in chunks keep the largest intermediate of a chunk below this, if one part of them fits. */
  chunkBytes = 2 ** 28

  /** By name, in the order of declaration. */
  get parameters(): ReadonlyMap<string, Parameter> {
    return this.#parameters
  }

  /** Where modules declare their weights; `prefix` is put before every name. */
  scope(prefix = ''): WeightScope {
    return new WeightScope(this, prefix)
  }

  /** Number of weights, all parameters together. */
  get size(): number {
    return [...this.#parameters.values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  }

  /** Called by scopes. Names are given once: two modules with one name would be a mistake of the model's author. */
  declare(parameter: Parameter): Parameter {
    if (this.#parameters.has(parameter.name))
      throw new UsageError({ where: parameter.name, what: 'weight declared twice' })
    this.#parameters.set(parameter.name, parameter)
    return parameter
  }

  /** Releases every weight. */
  dispose(): void {
    for (const parameter of this.#parameters.values()) parameter.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** A place in the tree of names of a checkpoint, such as `down_blocks.0.resnets.1`. */
export class WeightScope {
  constructor(
    private readonly weights: Weights,
    /** The name of the module that declares its weights here. */
    readonly name: string,
  ) {}

  /** The scope of a part: `scope.at('conv1')`, `scope.at('resnets', 0)`. */
  at(...parts: readonly (string | number)[]): WeightScope {
    return new WeightScope(this.weights, this.name === '' ? parts.join('.') : [this.name, ...parts].join('.'))
  }

  /** Declares a weight of the given shape in the checkpoint. */
  parameter(name: string, shape: Shape, options?: ParameterOptions): Parameter {
    return this.weights.declare(new Parameter(this.at(name).name, shape, options))
  }

  /** What the model allows for a chunk, in bytes. */
  get chunkBytes(): number {
    return this.weights.chunkBytes
  }

  /** Shows the module's output to the observer, if there is one, and gives it back. */
  observe(tensor: Tensor): Tensor {
    this.weights.observer?.(this.name, tensor)
    return tensor
  }
}
