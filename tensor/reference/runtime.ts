// The reference runtime: plain loops over host arrays, run at once. Slow and simple; the truth others are judged by.

import { blockAt, BlockStorage, blockOf, held, type HeldTensor } from '../block-storage.js'
import { KernelError, LifetimeError, OutOfMemoryError } from '../errors.js'
import type { Each, Op } from '../op.js'
import { insideCapture, RecordedMemory, type Block } from '../recording.js'
import {
  poisonWord,
  type Recording,
  type Runtime,
  type RuntimeOptions,
  type Statistics,
  type Storage,
  type StoredTensor,
} from '../runtime.js'
import { compute, type Placed, type ReferenceKernel } from './compute.js'

class HostBlock implements Block {
  holders = 0
  constructor(readonly memory: Uint8Array) {}
  get size(): number {
    return this.memory.byteLength
  }
}

const memoryOf = (storage: Storage) => blockOf<HostBlock>(storage).memory

const open = ({ shape, dtype, place, label }: HeldTensor<HostBlock>): Placed => ({
  shape,
  dtype,
  memory: blockAt(place, label).memory,
})

/** What runs again at a replay. */
interface Recorded {
  readonly memory: RecordedMemory<HostBlock>
  readonly jobs: (() => void)[]
}

/**
 * Runs every operation at once, in plain loops over memory of the host's; nothing is left for `read` or `sync` to wait
 * for.
 */
export class ReferenceRuntime implements Runtime {
  readonly name = 'reference'
  readonly description = 'plain TypeScript loops on one thread'
  readonly #kernels: ReadonlyMap<string, ReferenceKernel>
  readonly #maxBytes: number
  readonly #poison: boolean
  #statistics: Statistics = {
    live: 0,
    peak: 0,
    idle: 0,
    hits: 0,
    misses: 0,
    dispatches: 0,
    submits: 0,
    pipelines: 0,
    leaks: 0,
  }
  #recording: Recorded | undefined
  #closed = false

  constructor(kernels: readonly ReferenceKernel[], { maxBytes = Infinity, poison = false }: RuntimeOptions = {}) {
    this.#poison = poison
    this.#kernels = new Map(kernels.map(kernel => [kernel.op.name, kernel]))
    this.#maxBytes = maxBytes
  }

  allocate(bytes: number, label: string, contents?: Uint8Array): Storage {
    this.#assertOpen(label)
    const memory = this.#recording?.memory
    if (memory && !contents) return new BlockStorage(memory.draft(bytes), bytes, label)
    const block = this.#create(bytes, label)
    if (contents) {
      memory?.hold(block)
      block.memory.set(contents)
    }
    block.holders++
    return new BlockStorage(block, bytes, label)
  }

  upload(storage: Storage, data: Uint8Array, offset = 0): void {
    this.#assertNotRecording(storage.label)
    memoryOf(storage).set(data, offset)
  }

  copy(source: Storage, target: Storage): void {
    this.#assertNotRecording(target.label)
    memoryOf(target).set(this.#bytes(source))
  }

  async read(storages: readonly Storage[]): Promise<Uint8Array[]> {
    this.#assertNotRecording('read')
    return Promise.resolve(storages.map(storage => this.#bytes(storage).slice()))
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
    const operands = Object.entries<StoredTensor | undefined>(inputs).map(
      ([name, tensor]) => [name, tensor && held<HostBlock>(tensor)] as const,
    )
    const results = outputs.map(output => held<HostBlock>(output))
    const job = () => {
      const opened = operands.map(([name, tensor]) => [name, tensor && open(tensor)] as const)
      compute(kernel, opened, results.map(open), params)
      this.#statistics.dispatches++
    }
    if (!this.#recording) return job()
    this.#recording.jobs.push(job)
    const used = [...operands.map(([, tensor]) => tensor), ...results]
    this.#recording.memory.use(used.flatMap(tensor => tensor?.place ?? []))
  }

  capture(body: () => void): Recording {
    this.#assertNotRecording('capture')
    const memory = new RecordedMemory<HostBlock>(block => this.#drop(block))
    const jobs: (() => void)[] = []
    this.#recording = { memory, jobs }
    try {
      body()
      memory.settle(size => this.#create(size, 'capture'))
    } catch (error) {
      memory.release()
      throw error
    } finally {
      this.#recording = undefined
    }
    const replay = () => {
      this.#assertOpen('capture')
      for (const job of jobs) job()
    }
    return { replay, release: () => memory.release() }
  }

  async warmUp(): Promise<void> {}

  release(storage: Storage): void {
    const block = (storage as BlockStorage<HostBlock>).release()
    if (block) this.#drop(block)
  }

  trim(): void {
    // Released memory is the collector's at once.
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

  #create(bytes: number, label: string): HostBlock {
    const { live, peak } = this.#statistics
    if (live + bytes > this.#maxBytes) throw new OutOfMemoryError(label, { asked: bytes, live, peak })
    let block: HostBlock
    try {
      block = new HostBlock(new Uint8Array(bytes))
    } catch (cause) {
      throw new OutOfMemoryError(label, { asked: bytes, live, peak }, { cause })
    }
    if (this.#poison) new Uint32Array(block.memory.buffer, 0, Math.floor(bytes / 4)).fill(poisonWord)
    this.#statistics.live += bytes
    this.#statistics.peak = Math.max(peak, this.#statistics.live)
    this.#statistics.misses++
    return block
  }

  /** The elements of a storage: its block may be larger. */
  #bytes(storage: Storage): Uint8Array {
    return memoryOf(storage).subarray(0, storage.bytes)
  }

  #drop(block: HostBlock): void {
    if (--block.holders === 0) this.#statistics.live -= block.size
  }

  #assertNotRecording(where: string): void {
    this.#assertOpen(where)
    if (this.#recording) throw insideCapture(where)
  }

  #assertOpen(where: string): void {
    if (this.#closed) throw new LifetimeError({ where, what: 'runtime is closed' })
  }
}
