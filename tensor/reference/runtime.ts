// The reference runtime: plain loops over host arrays, run at once. Slow and simple; the truth others are judged by.

import { fromFloat32, hostArray, toFloat32, type DType, type HostArray } from '../dtype.js'
import { KernelError, LifetimeError, OutOfMemoryError } from '../errors.js'
import type { Each, Op } from '../op.js'
import {
  poisonWord,
  type Runtime,
  type RuntimeOptions,
  type Statistics,
  type Storage,
  type StoredTensor,
} from '../runtime.js'
import { sizeOf, type Shape } from '../shape.js'

/** A tensor as plain loops see it: floats of every width as f32, integers as they are. */
export interface HostTensor {
  readonly shape: Shape
  readonly dtype: DType
  readonly data: Exclude<HostArray, Uint16Array>
}

/** Plain loops that fill every element of the outputs. */
export interface ReferenceKernel<I extends object = object, P = unknown> {
  readonly op: Op<I, P>
  readonly run: (inputs: Each<I, HostTensor>, outputs: readonly HostTensor[], params: P) => void
}

/** Binds plain loops to the operation they compute. */
export function referenceKernel<I extends object, P>(op: Op<I, P>, run: ReferenceKernel<I, P>['run']): ReferenceKernel {
  return { op, run } as unknown as ReferenceKernel
}

class HostStorage implements Storage {
  memory: Uint8Array | undefined
  constructor(
    readonly bytes: number,
    readonly label: string,
  ) {
    this.memory = new Uint8Array(bytes)
  }
}

function memoryOf(storage: Storage): Uint8Array {
  const { memory } = storage as HostStorage
  if (!memory) throw new LifetimeError({ where: storage.label, what: 'memory used after it was released' })
  return memory
}

const isNarrowFloat = (dtype: DType) => dtype === 'f16' || dtype === 'bf16'

function open(tensor: StoredTensor): HostTensor {
  const { buffer, byteOffset } = memoryOf(tensor.storage)
  const raw = hostArray(tensor.dtype, buffer, byteOffset, sizeOf(tensor.shape))
  const data = isNarrowFloat(tensor.dtype) ? toFloat32(tensor.dtype, raw) : raw
  return { shape: tensor.shape, dtype: tensor.dtype, data: data as HostTensor['data'] }
}

export class ReferenceRuntime implements Runtime {
  readonly name = 'reference'
  readonly description = 'plain TypeScript loops on one thread'
  readonly #kernels: ReadonlyMap<string, ReferenceKernel>
  readonly #maxBytes: number
  readonly #poison: boolean
  #statistics: Statistics = { live: 0, peak: 0, idle: 0, hits: 0, misses: 0, dispatches: 0, submits: 0, leaks: 0 }
  #closed = false

  constructor(kernels: readonly ReferenceKernel[], { maxBytes = Infinity, poison = false }: RuntimeOptions = {}) {
    this.#poison = poison
    this.#kernels = new Map(kernels.map(kernel => [kernel.op.name, kernel]))
    this.#maxBytes = maxBytes
  }

  allocate(bytes: number, label: string): Storage {
    this.#assertOpen(label)
    const { live, peak } = this.#statistics
    if (live + bytes > this.#maxBytes) throw new OutOfMemoryError(label, { asked: bytes, live, peak })
    const storage = new HostStorage(bytes, label)
    if (this.#poison) new Uint32Array(memoryOf(storage).buffer, 0, bytes >> 2).fill(poisonWord)
    this.#statistics.live += bytes
    this.#statistics.peak = Math.max(peak, this.#statistics.live)
    this.#statistics.misses++
    return storage
  }

  upload(storage: Storage, data: Uint8Array, offset = 0): void {
    memoryOf(storage).set(data, offset)
  }

  read(storages: readonly Storage[]): Promise<Uint8Array[]> {
    return Promise.resolve(storages.map(storage => memoryOf(storage).slice()))
  }

  run<I extends object, P>(
    op: Op<I, P>,
    inputs: Each<I, StoredTensor>,
    outputs: readonly StoredTensor[],
    params: P,
  ): void {
    this.#assertOpen(op.name)
    const kernel = this.#kernels.get(op.name)
    if (!kernel) throw new KernelError({ where: op.name, what: 'no reference kernel' })
    const operands = Object.fromEntries(
      Object.entries<StoredTensor | undefined>(inputs).map(([name, tensor]) => [name, tensor && open(tensor)]),
    )
    const results = outputs.map(open)
    kernel.run(operands, results, params)
    results.forEach(({ dtype, data }, i) => {
      if (isNarrowFloat(dtype))
        hostArray(dtype, memoryOf(outputs[i].storage).buffer, 0, data.length).set(fromFloat32(dtype, data))
    })
    this.#statistics.dispatches++
  }

  release(storage: Storage): void {
    const host = storage as HostStorage
    if (!host.memory) return
    host.memory = undefined
    this.#statistics.live -= host.bytes
  }

  reportLeak(): void {
    this.#statistics.leaks++
  }

  statistics(): Statistics {
    return { ...this.#statistics }
  }

  resetPeak(): void {
    this.#statistics.peak = this.#statistics.live
  }

  async sync(): Promise<void> {}

  async close(): Promise<void> {
    this.#closed = true
    return Promise.resolve()
  }

  #assertOpen(where: string): void {
    if (this.#closed) throw new LifetimeError({ where, what: 'runtime is closed' })
  }
}
