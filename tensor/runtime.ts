// The interface behind which an operation runs: plain loops, WGSL, or WebAssembly. Models never know which.

import type { Each, Op, TensorSpec } from './op.js'

export const runtimeNames = ['reference', 'webgpu', 'wasm'] as const
export type RuntimeName = (typeof runtimeNames)[number]

/** A piece of a runtime's memory. What is inside is the runtime's own business. */
export interface Storage {
  /** Size as it was asked for. */
  readonly bytes: number
  readonly label: string
}

/** A tensor as kernels see it: a spec and the memory that holds its elements, contiguous and row-major. */
export interface StoredTensor extends TensorSpec {
  readonly storage: Storage
}

/** Memory and work of a runtime since it was opened. All sizes in bytes. */
export interface Statistics {
  /** Held by tensors and scratch space now, and at the most so far. */
  live: number
  peak: number
  /** Kept for reuse. */
  idle: number
  /** Allocations served from idle memory, and those that made new memory. */
  hits: number
  misses: number
  /** Kernel launches, and batches of them handed to the device. */
  dispatches: number
  submits: number
  /** Shaders compiled. */
  pipelines: number
  /** Storages that were garbage-collected without having been released. */
  leaks: number
}

/** What every runtime can be opened with. */
export interface RuntimeOptions {
  /**
   * Largest sum of memory in bytes; beyond it allocations throw an OutOfMemoryError, and so do contents for which a
   * runtime on the CPU needs a copy until it is their turn.
   */
  maxBytes?: number
  /** Fills fresh memory with NaN, so that an element nobody writes is noticed: for tests. */
  poison?: boolean
}

/** Bytes of a poisoned word: NaN as f32 and as two f16. */
export const poisonWord = 0x7fc07fc0

/** Work that a runtime has recorded, with the memory that it runs on. See capture.ts for the rules. */
export interface Recording {
  /** Records the work again. Not after its release. */
  replay(): void
  /** Gives the memory back. Replays recorded before may still use it. */
  release(): void
}

/** A place where tensors live and operations run. Work is recorded and may run later; only `read` and `sync` wait. */
export interface Runtime {
  readonly name: RuntimeName
  /** One line for people: adapter, driver, cores. */
  readonly description: string
  /** Memory of at least `bytes` bytes, beginning with `contents` and else arbitrary; throws an OutOfMemoryError. */
  allocate(bytes: number, label: string, contents?: Uint8Array): Storage
  /** Writes `data` at `offset` (a multiple of 4); the bytes are taken over before this returns. */
  upload(storage: Storage, data: Uint8Array, offset?: number): void
  /** Copies all of `source` to a storage of the same size, after all work recorded so far. */
  copy(source: Storage, target: Storage): void
  /** Reads the first `bytes` of each storage, after all work recorded so far. */
  read(storages: readonly Storage[]): Promise<Uint8Array[]>
  /** Records an operation. Operands and outputs belong to this runtime, and no output is an operand. */
  run<I extends object, P>(
    op: Op<I, P>,
    inputs: Each<I, StoredTensor>,
    outputs: readonly StoredTensor[],
    params: P,
  ): void
  /** Records what `body` does, without running it. */
  capture(body: () => void): Recording
  /**
   * Compiles in the background what `body` needs, so that it does not have to when it runs for the first time. The body
   * is called with a runtime like this one but without memory or work, for tensors of the right shapes; it may be left
   * out where nothing is compiled.
   */
  warmUp(body: (runtime: Runtime) => void): Promise<void>
  /** Gives memory back. Work recorded before may still use it. */
  release(storage: Storage): void
  /** Gives idle memory back to the system: between two networks that use other sizes. */
  trim(): void
  /** Counts a storage that was dropped without being released. */
  reportLeak(label: string): void
  statistics(): Statistics
  /** Sets the peak to what is live now. */
  resetPeak(): void
  /** Waits until all recorded work is done; throws what went wrong on the device since the last wait. */
  sync(): Promise<void>
  /** Frees everything. Tensors of a closed runtime cannot be used any more. */
  close(): Promise<void>
}
