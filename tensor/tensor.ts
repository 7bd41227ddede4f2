// Tensor: an immutable handle on contiguous, row-major elements in some runtime's memory. Storage is shared between
// handles (reshape) and counted; it goes back to the runtime with its last handle.

import { allocateHost, byteSize, fromFloat32, hostArray, toFloat32, type DType, type HostArray } from './dtype.js'
import { LifetimeError, ShapeError } from './errors.js'
import { bytesOf } from './op.js'
import type { Runtime, Storage, StoredTensor } from './runtime.js'
import { enterScope } from './scope.js'
import { assertShape, isShape, showShape, sizeOf, type Shape } from './shape.js'

class SharedStorage {
  handles = 0
  constructor(
    readonly runtime: Runtime,
    readonly storage: Storage,
  ) {}

  drop(): void {
    if (--this.handles === 0) this.runtime.release(this.storage)
  }
}

// Reports storages whose handles were forgotten; it never frees, since a collector's moment is nobody's plan.
const leaks = new FinalizationRegistry<{ runtime: Runtime; label: string }>(({ runtime, label }) =>
  runtime.reportLeak(label),
)

/**
 * The bytes of host data given for a tensor: a host array of the dtype, or plain numbers, which are rounded to it.
 * Throws a ShapeError if they do not fill the shape or are of another dtype.
 */
export function hostBytes(
  data: HostArray | readonly number[],
  shape: Shape,
  dtype: DType,
  label: string,
): Uint8Array<ArrayBufferLike> {
  assertShape(label, shape)
  if (data.length !== sizeOf(shape))
    throw new ShapeError({
      where: label,
      what: 'elements do not fill the shape',
      expected: `${sizeOf(shape)} for ${showShape(shape)}`,
      got: String(data.length),
    })
  const raw = data instanceof Array ? fromFloat32(dtype, data) : data
  const { constructor } = allocateHost(dtype, 0)
  if (raw.constructor !== constructor)
    throw new ShapeError({
      where: label,
      what: `host array does not hold ${dtype}`,
      expected: constructor.name,
      got: raw.constructor.name,
    })
  return new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength)
}

/** An immutable tensor. Release it with `using`, `dispose()` or a scope. */
export class Tensor implements StoredTensor, Disposable {
  readonly shape: Shape
  readonly dtype: DType
  readonly label: string
  #shared: SharedStorage | undefined

  private constructor(shared: SharedStorage, shape: Shape, dtype: DType, label: string) {
    this.shape = shape
    this.dtype = dtype
    this.label = label
    this.#shared = shared
    shared.handles++
    leaks.register(this, { runtime: shared.runtime, label }, this)
    enterScope(this)
  }

  /** A tensor over fresh memory with arbitrary contents, for an operation to write. */
  static allocate(runtime: Runtime, shape: Shape, dtype: DType, label = 'tensor'): Tensor {
    assertShape(label, shape)
    const storage = runtime.allocate(bytesOf({ shape, dtype }), label)
    return new Tensor(new SharedStorage(runtime, storage), [...shape], dtype, label)
  }

  /**
   * A tensor with the given elements. `data` is a host array of the dtype (f16 and bf16 as raw bits in a Uint16Array),
   * or plain numbers, which are rounded to the dtype.
   */
  static from(
    runtime: Runtime,
    data: HostArray | readonly number[],
    shape: Shape,
    dtype: DType = 'f32',
    label = 'tensor',
  ): Tensor {
    const contents = hostBytes(data, shape, dtype, label)
    const storage = runtime.allocate(contents.byteLength, label, contents)
    return new Tensor(new SharedStorage(runtime, storage), [...shape], dtype, label)
  }

  /** A tensor of zeros. */
  static zeros(runtime: Runtime, shape: Shape, dtype: DType = 'f32', label = 'zeros'): Tensor {
    assertShape(label, shape)
    return Tensor.from(runtime, allocateHost(dtype, sizeOf(shape)), shape, dtype, label)
  }

  get #live(): SharedStorage {
    if (!this.#shared)
      throw new LifetimeError({
        where: this.label,
        what: 'tensor used after it was released',
        hint: 'keep() or a wider scope',
      })
    return this.#shared
  }

  get runtime(): Runtime {
    return this.#live.runtime
  }

  get storage(): Storage {
    return this.#live.storage
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape)
  }

  get bytes(): number {
    return this.size * byteSize(this.dtype)
  }

  get disposed(): boolean {
    return this.#shared === undefined
  }

  /** The same elements under another shape; one size may be -1. Shares memory with this handle. */
  reshape(shape: Shape): Tensor {
    const known = shape.reduce((product, n) => (n === -1 ? product : product * n), 1)
    const full = shape.map(n => (n === -1 ? this.size / known : n))
    if (sizeOf(full) !== this.size || shape.filter(n => n === -1).length > 1 || !isShape(full))
      throw new ShapeError({
        where: 'reshape',
        what: 'number of elements changes',
        expected: `${this.size} for ${showShape(this.shape)}`,
        got: showShape(shape),
      })
    return new Tensor(this.#live, full, this.dtype, this.label)
  }

  /** A second handle on the same elements, for a caller that wants to outlive this one. */
  share(): Tensor {
    return this.reshape(this.shape)
  }

  /** The elements, after all work recorded so far: a host array of the dtype (f16 and bf16 as raw bits). */
  async data(): Promise<HostArray> {
    return (await readAll([this]))[0]
  }

  /** The elements widened to f32. */
  async floats(): Promise<Float32Array> {
    return toFloat32(this.dtype, await this.data())
  }

  /** Releases this handle; the memory goes back when no other handle shares it. Harmless when repeated. */
  dispose(): void {
    if (!this.#shared) return
    leaks.unregister(this)
    const shared = this.#shared
    this.#shared = undefined
    shared.drop()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** Reads several tensors of one runtime with a single wait. */
export async function readAll(tensors: readonly Tensor[]): Promise<HostArray[]> {
  if (tensors.length === 0) return []
  const { runtime } = tensors[0]
  if (tensors.some(tensor => tensor.runtime !== runtime))
    throw new LifetimeError({ where: 'readAll', what: 'tensors live on different runtimes' })
  const specs = tensors.map(({ dtype, size, storage }) => ({ dtype, size, storage }))
  const raw = await runtime.read(specs.map(spec => spec.storage))
  return specs.map(({ dtype, size }, i) => hostArray(dtype, raw[i].buffer, raw[i].byteOffset, size))
}
