// Capture: work that is recorded once and run many times on the same memory, without planning it anew. A loop whose
// steps differ only in the contents of their inputs pays for its host side once.

import { LifetimeError, ShapeError } from './errors.js'
import type { HostArray } from './dtype.js'
import type { Recording, Runtime } from './runtime.js'
import { harvest, keep } from './scope.js'
import { sameShape, showShape } from './shape.js'
import { assertNotTaped } from './tape.js'
import { hostBytes, Tensor } from './tensor.js'

/** Recorded work. It holds all the memory that it uses until it is released by `using` or `dispose()`. */
export class Captured<T> implements Disposable {
  #recording: Recording | undefined

  /** Made by `capture`. */
  constructor(
    recording: Recording,
    /** What the body returned. Its tensors are written by every replay and hold nothing before the first. */
    readonly result: T,
    private readonly owned: readonly Tensor[],
  ) {
    this.#recording = recording
  }

  /**
   * Records the same work again, on the same memory: it reads what its inputs hold by then, and overwrites the result,
   * which is also what it gives back. Throws a LifetimeError after dispose().
   */
  replay(): T {
    if (!this.#recording)
      throw new LifetimeError({
        where: 'capture',
        what: 'replayed after it was released',
        hint: 'dispose() after the last replay',
      })
    this.#recording.replay()
    return this.result
  }

  /**
   * Gives all memory back, that of the result included, except where another handle shares it. Harmless when repeated.
   */
  dispose(): void {
    for (const tensor of this.owned) tensor.dispose()
    this.#recording?.release()
    this.#recording = undefined
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

/**
 * Records what `body` does on the runtime, and runs nothing yet: `replay()` does. The body is called once, at once, and
 * acts as in a scope: what it makes is released at its end, except its result, which the capture owns.
 *
 * - Inputs are tensors from outside. They may be released; the capture still holds their memory. Before a replay,
 *   `overwrite` gives them new contents. Numbers that the body takes from the host (parameters of operations, shapes)
 *   are those of the recording forever: what changes between replays has to be in a tensor.
 * - Tensors made of host data inside the body (`Tensor.from`, `zeros`) are constants of the capture.
 * - Overwriting and reading are refused inside the body with a LifetimeError, as is another capture.
 */
export function capture<T>(runtime: Runtime, body: () => T): Captured<T> {
  let harvested: { result: T; made: Tensor[] } | undefined
  try {
    const recording = runtime.capture(() => {
      harvested = harvest(body)
    })
    const { result, made } = harvested!
    return new Captured(recording, result, made.map(keep))
  } catch (error) {
    for (const tensor of harvested?.made ?? []) tensor.dispose()
    throw error
  }
}

/**
 * Gives a tensor new contents in place, after all work recorded so far: the elements of another tensor of its shape and
 * dtype on the same runtime, or host data as `Tensor.from` takes it. Every handle that shares the memory sees them, and
 * so does every later replay: tensors are immutable but for this, which is meant for the inputs of captures alone.
 * Throws a ShapeError if the contents do not fit, a LifetimeError inside a capture and while a tape still reads them.
 */
export function overwrite(target: Tensor, contents: Tensor | HostArray | readonly number[]): void {
  const { runtime, shape, dtype, label } = target
  assertNotTaped(target)
  if (!(contents instanceof Tensor)) return runtime.upload(target.storage, hostBytes(contents, shape, dtype, label))
  if (contents.runtime !== runtime)
    throw new LifetimeError({ where: label, what: 'overwritten by a tensor of another runtime' })
  if (contents.dtype !== dtype || !sameShape(contents.shape, shape))
    throw new ShapeError({
      where: label,
      what: 'overwritten by a tensor that does not fit',
      expected: `${dtype} ${showShape(shape)}`,
      got: `${contents.dtype} ${showShape(contents.shape)}`,
    })
  runtime.copy(contents.storage, target.storage)
}
