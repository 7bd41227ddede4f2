// Reverse-mode differentiation on an explicit tape: while it records, it writes down every operation on the way from
// its leaves; then it runs back over them. What it needs for that it holds itself, so that models may release their
// intermediates as early as ever. Tensors are known by their storage: a reshaped or shared handle is the same tensor.

import { LifetimeError, ShapeError, UsageError } from './errors.js'
import type { Gradient } from './gradient.js'
import type { Each, Op } from './op.js'
import type { Storage } from './runtime.js'
import { keep, scope } from './scope.js'
import { showShape, type Shape } from './shape.js'
import { Tensor } from './tensor.js'
import type { Watch } from './watch.js'

/** The operations that a tape runs back with; they are stated on the floor above. */
export interface Calculus {
  /** By the names of their operations. */
  readonly gradients: ReadonlyMap<string, Gradient>
  /** The sum of two f32 tensors of one shape. */
  readonly add: (a: Tensor, b: Tensor) => Tensor
}

/** Who is told of every operation that runs. */
interface Listener {
  note(op: Op<object, unknown>, inputs: Operands, outputs: readonly Tensor[], params: unknown): void
  tracks(tensor: Tensor): boolean
  checkpoint<T extends Checkpointed>(f: (...inputs: Tensor[]) => T, inputs: readonly Tensor[]): T
}

type Operands = Readonly<Record<string, Tensor | undefined>>

/** What a checkpointed function gives. */
export type Checkpointed = Tensor | readonly Tensor[]

/** A step of the forward pass, as it is needed on the way back. */
interface Step {
  readonly outputs: readonly { storage: Storage; shape: Shape }[]
  /** Gradients of tracked operands by the gradients of the outputs. */
  pull(upstream: readonly (Tensor | undefined)[]): Iterable<readonly [Storage, Tensor]>
  release(): void
}

let active: Listener | undefined
const open = new Set<Tape>()

function listening<T>(listener: Listener | undefined, body: () => T): T {
  const outer = active
  active = listener
  try {
    return body()
  } finally {
    active = outer
  }
}

/** Called by every operation that ran. */
export function note<I extends object, P>(
  op: Op<I, P>,
  inputs: Each<I, Tensor>,
  outputs: readonly Tensor[],
  params: P,
): void {
  active?.note(op as unknown as Op<object, unknown>, inputs as Operands, outputs, params)
}

/**
 * Whether a tape records and follows one of these tensors. An operation that fuses more than it has a gradient for runs
 * in its parts then.
 */
export function isTracked(...tensors: readonly (Tensor | undefined)[]): boolean {
  const listener = active
  return listener !== undefined && tensors.some(tensor => tensor !== undefined && listener.tracks(tensor))
}

/** Throws a LifetimeError if the way back over some tape still reads the tensor. */
export function assertNotTaped(tensor: Tensor): void {
  for (const tape of open)
    if (tape.holds(tensor))
      throw new LifetimeError({
        where: tensor.label,
        what: 'changed in place while a tape still reads it',
        hint: 'after backward(), or dispose() of the tape',
      })
}

/** Runs `body` unseen by the tape: what it gives counts as constant. */
export function detached<T>(body: () => T): T {
  return listening(undefined, body)
}

/**
 * `f(...inputs)`, of which a recording tape keeps only the inputs: on the way back f is run once more. So it must do the
 * same again: it draws no random numbers, and takes what it needs from `inputs` or from tensors that outlive the tape.
 */
export function checkpoint<T extends Checkpointed>(f: (...inputs: Tensor[]) => T, ...inputs: Tensor[]): T {
  return active ? active.checkpoint(f, inputs) : f(...inputs)
}

const isFloat = ({ dtype }: Tensor) => dtype === 'f32' || dtype === 'f16' || dtype === 'bf16'
const held = (tensor: Tensor) => keep(tensor.share())

/** A handle that knows its shape and nothing else. */
function husk(tensor: Tensor): Tensor {
  const handle = held(tensor)
  handle.dispose()
  return handle
}

/** Records what a loss depends on, and gives its gradients. Used once: `record`, then `backward`, which releases it. */
export class Tape implements Disposable, Listener {
  readonly #leaves: readonly Tensor[]
  readonly #tracked: Set<Storage>
  readonly #held = new Set<Storage>()
  #steps: Step[] = []

  /**
   * @param leaves floats whose gradients are wanted; what does not depend on them is not recorded
   * @param watch told of all results, forward and backward
   */
  constructor(
    leaves: readonly Tensor[],
    private readonly calculus: Calculus,
    private readonly watch?: Watch,
  ) {
    const wrong = leaves.find(leaf => !isFloat(leaf))
    if (wrong)
      throw new ShapeError({
        where: wrong.label,
        what: 'cannot be differentiated',
        expected: 'floats',
        got: wrong.dtype,
      })
    this.#leaves = leaves.map(held)
    this.#tracked = new Set(this.#leaves.map(({ storage }) => storage))
  }

  /** Runs `body`, writing down its operations. It is synchronous; inside another tape's body it is that one's no more. */
  record<T>(body: () => T): T {
    open.add(this)
    const result = listening(this, body)
    if (result instanceof Promise)
      throw new LifetimeError({ where: 'tape', what: 'body is asynchronous', hint: 'awaiting outside of record()' })
    return result
  }

  /**
   * The gradients of an output with respect to the leaves, in their order and shapes, f32; undefined where a leaf has no
   * influence. `upstream` is the gradient of whatever follows with respect to the output, f32 and of its shape; a single
   * number, such as a loss, needs none. Equal gradients may share memory. Releases the tape.
   * @throws ShapeError for an output of several elements without upstream; UsageError for an operation without gradient
   */
  backward(output: Tensor, upstream?: Tensor): (Tensor | undefined)[] {
    if (upstream === undefined && output.size !== 1)
      throw new ShapeError({
        where: 'backward',
        what: 'not a loss',
        expected: 'one element, or the gradient of what follows',
        got: showShape(output.shape),
      })
    return scope(() => {
      const seed = upstream ?? Tensor.from(output.runtime, [1], output.shape)
      return this.pull([[output, seed]])
    })
  }

  /** The same for several outputs, each with its upstream gradient. */
  pull(outputs: Iterable<readonly [output: Tensor, upstream: Tensor]>): (Tensor | undefined)[] {
    const gradients = new Map<Storage, Tensor>()
    const give = (storage: Storage, gradient: Tensor) => {
      const before = gradients.get(storage)
      gradients.set(
        storage,
        keep(before ? this.calculus.add(before, gradient.reshape(before.shape)) : gradient.share()),
      )
      before?.dispose()
    }
    try {
      return detached(() => {
        for (const [output, upstream] of outputs) give(output.storage, upstream)
        for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
          try {
            this.#goBack(step, gradients, give)
          } finally {
            step.release()
          }
        }
        return this.#leaves.map(({ storage, shape }) => gradients.get(storage)?.reshape(shape))
      })
    } finally {
      for (const gradient of gradients.values()) gradient.dispose()
      this.dispose()
    }
  }

  #goBack(step: Step, gradients: Map<Storage, Tensor>, give: (storage: Storage, gradient: Tensor) => void): void {
    const taken = step.outputs.map(({ storage }) => gradients.get(storage))
    if (taken.every(gradient => gradient === undefined)) return
    for (const { storage } of step.outputs) gradients.delete(storage)
    try {
      scope(() => {
        const upstream = taken.map((gradient, i) => gradient?.reshape(step.outputs[i].shape))
        for (const [storage, gradient] of step.pull(upstream)) give(storage, gradient)
      })
    } finally {
      for (const gradient of taken) gradient?.dispose()
    }
  }

  /** Called by every operation that runs while this records. */
  note(op: Op<object, unknown>, inputs: Operands, outputs: readonly Tensor[], params: unknown): void {
    this.#see(op.name, outputs)
    const operands = Object.entries(inputs).filter((entry): entry is [string, Tensor] => entry[1] !== undefined)
    const sources = operands.filter(([, tensor]) => this.#tracked.has(tensor.storage))
    if (sources.length === 0 || !outputs.some(isFloat)) return
    const rule = this.calculus.gradients.get(op.name) as Gradient<Operands> | undefined
    const needs = new Set(sources.map(([name]) => name))
    const reads = rule?.reads?.(params, needs)
    const hold = (name: string) => (tensor: Tensor) =>
      reads?.includes(name) === false ? husk(tensor) : this.#hold(tensor)
    const kept = Object.fromEntries(operands.map(([name, tensor]) => [name, hold(name)(tensor)]))
    const results = outputs.map(hold('outputs'))
    const places = new Map(sources.map(([name, { storage }]) => [name, storage]))
    this.#add(outputs, {
      pull: upstream => {
        if (!rule) throw new UsageError({ where: op.name, what: 'has no gradient', hint: 'detached() around it' })
        const found = Object.entries(rule.backward({ inputs: kept, outputs: results, params, upstream, needs }))
        const asked = found.flatMap(([name, tensor]) => {
          const place = places.get(name)
          return tensor && place ? [[place, tensor] as const] : []
        })
        this.#see(
          `the gradient of ${op.name}`,
          asked.map(([, tensor]) => tensor),
        )
        return asked
      },
      release: () => {
        for (const tensor of [...Object.values(kept), ...results]) tensor.dispose()
      },
    })
  }

  tracks(tensor: Tensor): boolean {
    return this.#tracked.has(tensor.storage)
  }

  /** Whether the way back reads the tensor. */
  holds(tensor: Tensor): boolean {
    return this.#held.has(tensor.storage)
  }

  /** See the function of this name. */
  checkpoint<T extends Checkpointed>(f: (...inputs: Tensor[]) => T, inputs: readonly Tensor[]): T {
    const see = (what: string, tensors: readonly Tensor[]) => this.#see(what, tensors)
    const scout = new Scout(this, tensor => this.#hold(tensor), see)
    const kept = inputs.map(tensor => this.#hold(tensor))
    const release = () => {
      for (const tensor of [...kept, ...scout.touched.values()]) tensor.dispose()
    }
    let result: T
    try {
      result = listening(scout, () => f(...kept))
    } catch (error) {
      release()
      throw error
    }
    const outputs = [result].flat() as Tensor[]
    if (!outputs.some(output => scout.tracks(output))) {
      release()
      return result
    }
    const sources = [...scout.touched.values()]
    this.#add(outputs, {
      pull: upstream => {
        using tape = new Tape(sources, this.calculus, this.watch)
        const again = [tape.record(() => f(...kept))].flat() as Tensor[]
        const found = tape.pull(again.flatMap((output, i) => (upstream[i] ? [[output, upstream[i]] as const] : [])))
        return found.flatMap((tensor, i) => (tensor ? [[sources[i].storage, tensor] as const] : []))
      },
      release,
    })
    return result
  }

  #add(outputs: readonly Tensor[], step: Omit<Step, 'outputs'>): void {
    this.#steps.push({ ...step, outputs: outputs.map(({ storage, shape }) => ({ storage, shape })) })
    for (const output of outputs) if (isFloat(output)) this.#tracked.add(output.storage)
  }

  #hold(tensor: Tensor): Tensor {
    this.#held.add(tensor.storage)
    return held(tensor)
  }

  #see(what: string, tensors: readonly Tensor[]): void {
    const { watch } = this
    if (watch) detached(() => watch.see(what, tensors.filter(isFloat)))
  }

  /** Forgets everything that was recorded. Harmless when repeated. */
  dispose(): void {
    open.delete(this)
    for (const step of this.#steps) step.release()
    this.#steps = []
    for (const leaf of this.#leaves) leaf.dispose()
    this.#held.clear()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** Finds out which of a tape's tensors a function takes, without writing down what it does with them. */
class Scout implements Listener {
  /** Those tensors, held. */
  readonly touched = new Map<Storage, Tensor>()
  readonly #inside = new Set<Storage>()

  constructor(
    private readonly tape: Tape,
    private readonly hold: (tensor: Tensor) => Tensor,
    private readonly see: (what: string, tensors: readonly Tensor[]) => void,
  ) {}

  note(op: Op<object, unknown>, inputs: Operands, outputs: readonly Tensor[]): void {
    this.see(op.name, outputs)
    const operands = Object.values(inputs).filter(tensor => tensor !== undefined)
    if (!operands.some(tensor => this.tracks(tensor))) return
    for (const tensor of operands)
      if (this.tape.tracks(tensor) && !this.touched.has(tensor.storage))
        this.touched.set(tensor.storage, this.hold(tensor))
    for (const output of outputs) if (isFloat(output)) this.#inside.add(output.storage)
  }

  tracks(tensor: Tensor): boolean {
    return this.#inside.has(tensor.storage) || this.tape.tracks(tensor)
  }

  checkpoint<T extends Checkpointed>(f: (...inputs: Tensor[]) => T, inputs: readonly Tensor[]): T {
    return f(...inputs)
  }
}
