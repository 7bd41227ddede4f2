// The WebAssembly runtime: SIMD kernels over one memory, shared by worker threads. Commands run in the order in which
// they are recorded, so memory may go to its next owner as soon as it is released on the host's clock.

import { blockAt, BlockStorage, blockOf, held, placeOf, type HeldTensor } from '../block-storage.js'
import {
  DeviceLostError,
  KernelError,
  LifetimeError,
  OutOfMemoryError,
  UsageError,
  type RevisionError,
} from '../errors.js'
import type { Each, Op } from '../op.js'
import { bytesOf } from '../op.js'
import { insideCapture, RecordedMemory, type Block, type Place } from '../recording.js'
import { compute, type Placed, type ReferenceKernel } from '../reference/compute.js'
import {
  poisonWord,
  type Recording,
  type Runtime,
  type RuntimeOptions,
  type Statistics,
  type Storage,
  type StoredTensor,
} from '../runtime.js'
import { encode, isTensor, keepCommand, mostThreads, type Command, type CommandParts } from './command.js'
import { alignment, roundUp } from './heap.js'
import type { Launch, WasmKernel } from './launch.js'
import { SharedMemory, type WasmMemory } from './memory.js'
import { compileModule, type CompiledModule, type WasmModuleSource } from './module.js'
import { InlineQueue, WorkerQueue, type Queue } from './queue.js'
import { canShare, hardwareThreads, loadThreads } from './workers.js'

export interface WasmOptions extends RuntimeOptions {
  /**
   * Threads that share the work; default: REVISION_THREADS, else those of the machine. 0 runs everything on the calling
   * thread, in memory that is not shared: the default where a page may not share memory.
   */
  threads?: number
  /** Use fused multiply-adds where the host has them; default true. */
  relaxed?: boolean
  /**
   * A kernel on no more bytes runs on the calling thread where no other is under way, since to wake the others would
   * take longer; default 16384. 0 leaves all kernels to the threads.
   */
  briefBytes?: number
}

class WasmBlock implements Block {
  holders = 0
  constructor(
    readonly address: number,
    readonly size: number,
  ) {}
}

/** Work whose memory is known, ready to be handed over any number of times. */
type Work = { command: Command } | { job: () => void }

const nobodyWaits = () => {}

const addressNow = ({ storage }: StoredTensor) => blockOf<WasmBlock>(storage).address

/** Work being recorded: made ready when its memory is settled. */
interface Recorded {
  readonly memory: RecordedMemory<WasmBlock>
  readonly works: (() => Work)[]
}

/** What a runtime keeps its tensors in, and where it sends its commands. */
export interface WasmHost {
  readonly memory: WasmMemory
  readonly queue: Queue
  /** Kernels multiply and add in one rounding. */
  readonly relaxed: boolean
}

function openHost({ module, relaxed }: CompiledModule, names: readonly string[], threads: number): WasmHost {
  const memory = new SharedMemory(threads > 0)
  const queue =
    threads > 0 ? new WorkerQueue(module, memory.memory, names, threads) : new InlineQueue(module, memory.memory, names)
  return { memory, queue, relaxed }
}

/** The parts of a WebAssembly runtime; `openWasm` puts them together. */
export interface WasmParts {
  readonly host: WasmHost
  readonly source: WasmModuleSource
  readonly kernels: readonly WasmKernel[]
  /** Plain loops for what has no kernel of its own. */
  readonly references: readonly ReferenceKernel[]
}

/**
 * Opens a runtime; throws an AdapterError where there is no WebAssembly with SIMD, a UsageError for impossible options.
 */
export async function openWasm(parts: Omit<WasmParts, 'host'>, options: WasmOptions = {}): Promise<WasmRuntime> {
  const threads = options.threads ?? (canShare() ? Math.min(await hardwareThreads(), mostThreads) : 0)
  if (!Number.isInteger(threads) || threads < 0 || threads > mostThreads)
    throw new UsageError({
      where: 'threads',
      what: 'impossible number of threads',
      expected: `0 to ${mostThreads}`,
      got: String(threads),
    })
  if (threads > 0 && !canShare())
    throw new UsageError({ where: 'threads', what: 'memory cannot be shared here', hint: 'threads 0' })
  await loadThreads()
  const compiled = await compileModule(parts.source, threads > 0, options.relaxed ?? true)
  const host = openHost(compiled, Object.keys(parts.source.kernels), threads)
  return new WasmRuntime({ ...parts, host }, threads, options)
}

/**
 * Runs operations on the CPU. What goes wrong in a thread is thrown by the next `read` or `sync`; a thread that is gone
 * makes them throw a DeviceLostError.
 */
export class WasmRuntime implements Runtime {
  readonly name = 'wasm'
  readonly description: string
  /** Threads that share the work; 0 where it is all done on the calling thread. */
  readonly threads: number
  /** Operations that have no kernel here and run as plain loops. */
  readonly fallbacks: readonly string[]
  readonly #kernels: ReadonlyMap<string, WasmKernel>
  readonly #references: ReadonlyMap<string, ReferenceKernel>
  readonly #fields: WasmModuleSource['kernels']
  readonly #numbers: ReadonlyMap<string, number>
  readonly #memory: WasmMemory
  readonly #queue: Queue
  readonly #maxBytes: number
  readonly #poison: boolean
  readonly #briefBytes: number
  #recording: Recorded | undefined
  #live = 0
  /** Bytes of contents that wait for their turn. */
  #waiting = 0
  #peak = 0
  #dispatches = 0
  #leaks = 0
  #failure: RevisionError | undefined
  #closed = false

  constructor(
    { host, source, kernels, references }: WasmParts,
    threads: number,
    { maxBytes = Infinity, poison = false, briefBytes = 16384 }: WasmOptions,
  ) {
    const names = Object.keys(source.kernels)
    this.#kernels = new Map(kernels.map(kernel => [kernel.op.name, kernel]))
    this.#references = new Map(references.map(kernel => [kernel.op.name, kernel]))
    this.#fields = source.kernels
    this.#numbers = new Map(names.map((name, number) => [name, number]))
    this.#memory = host.memory
    this.#maxBytes = maxBytes
    this.#poison = poison
    this.#briefBytes = briefBytes
    this.threads = threads
    this.fallbacks = [...this.#references.keys()].filter(name => !this.#kernels.has(name))
    this.#queue = host.queue
    const count = threads > 1 ? `${threads} threads` : 'one thread'
    this.description = `WebAssembly, ${count}, 128-bit SIMD${host.relaxed ? ' with fused multiply-add' : ''}`
  }

  allocate(bytes: number, label: string, contents?: Uint8Array): Storage {
    this.#assertOpen(label)
    const memory = this.#recording?.memory
    const size = roundUp(bytes)
    if (memory && !contents) return new BlockStorage(memory.draft(size), bytes, label)
    const block = this.#take(size, label)
    block.holders++
    const storage = new BlockStorage(block, bytes, label)
    if (contents) {
      memory?.hold(block)
      try {
        this.#write(storage, contents)
      } catch (error) {
        this.release(storage)
        throw error
      }
    }
    return storage
  }

  upload(storage: Storage, data: Uint8Array, offset = 0): void {
    this.#assertNotRecording(storage.label)
    this.#write(storage, data, offset)
  }

  copy(source: Storage, target: Storage): void {
    this.#assertNotRecording(target.label)
    const [from, to] = [source, target].map(storage => blockOf<WasmBlock>(storage))
    if (from === to) return
    const size = roundUp(target.bytes)
    this.#launchNow('copyBytes', { source: from.address, target: to.address }, size / alignment)
  }

  async read(storages: readonly Storage[]): Promise<Uint8Array[]> {
    this.#assertNotRecording('read')
    const views = storages.map(storage => ({ address: blockOf<WasmBlock>(storage).address, bytes: storage.bytes }))
    const copies = await this.#inTurn(() =>
      views.map(({ address, bytes }) => {
        try {
          return this.#memory.view(address, bytes).slice()
        } catch (cause) {
          throw this.#outOfMemory('read', bytes, cause)
        }
      }),
    )
    this.#throwFailure()
    return copies
  }

  run<I extends object, P>(
    op: Op<I, P>,
    inputs: Each<I, StoredTensor>,
    outputs: readonly StoredTensor[],
    params: P,
  ): void {
    this.#assertOpen(op.name)
    const scratch: Storage[] = []
    try {
      const launches = this.#kernels.get(op.name)?.plan({
        inputs,
        outputs,
        params,
        scratch: (shape, dtype) => {
          const storage = this.allocate(bytesOf({ shape, dtype }), `${op.name} scratch`)
          scratch.push(storage)
          return { shape, dtype, storage }
        },
      })
      if (!launches) return this.#runReference(op.name, inputs, outputs, params)
      for (const launch of launches) if (launch.units > 0) this.#launch(op.name, launch)
    } finally {
      for (const storage of scratch) this.release(storage)
    }
  }

  capture(body: () => void): Recording {
    this.#assertNotRecording('capture')
    const memory = new RecordedMemory<WasmBlock>(block => this.#drop(block))
    const recording: Recorded = { memory, works: [] }
    this.#recording = recording
    let works: Work[]
    try {
      body()
      memory.settle(size => this.#take(size, 'capture'))
      works = recording.works.map(prepare => prepare())
    } catch (error) {
      memory.release()
      throw error
    } finally {
      this.#recording = undefined
    }
    const replay = () => {
      this.#assertOpen('capture')
      for (const work of works) this.#submit(work)
    }
    return { replay, release: () => memory.release() }
  }

  async warmUp(): Promise<void> {}

  release(storage: Storage): void {
    const block = (storage as BlockStorage<WasmBlock>).release()
    if (block) this.#drop(block)
  }

  trim(): void {
    // WebAssembly memory cannot shrink; what is free is used again in any sizes.
  }

  reportLeak(): void {
    this.#leaks++
  }

  statistics(): Statistics {
    const { hits, misses, idle } = this.#memory.heap
    const dispatches = this.#dispatches
    return {
      live: this.#live,
      peak: this.#peak,
      idle,
      hits,
      misses,
      dispatches,
      submits: dispatches,
      pipelines: 0,
      leaks: this.#leaks,
    }
  }

  resetPeak(): void {
    this.#peak = this.#live
  }

  async sync(): Promise<void> {
    this.#assertOpen('sync')
    await this.#inTurn(() => {})
    this.#throwFailure()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#queue.close()
  }

  #take(size: number, label: string): WasmBlock {
    const address = this.#fits(size) ? this.#memory.heap.allocate(size) : undefined
    if (address === undefined) throw this.#outOfMemory(label, size)
    this.#live += size
    this.#peak = Math.max(this.#peak, this.#live)
    if (this.#poison) this.#launchNow('fillWords', { target: address, word: poisonWord }, size / alignment)
    return new WasmBlock(address, size)
  }

  #drop(block: WasmBlock): void {
    if (--block.holders > 0) return
    this.#live -= block.size
    this.#memory.heap.free(block.address, block.size)
  }

  #fits(size: number): boolean {
    return this.#live + this.#waiting + size <= this.#maxBytes
  }

  #outOfMemory(where: string, asked: number, cause?: unknown): OutOfMemoryError {
    return new OutOfMemoryError(where, { asked, live: this.#live + this.#waiting, peak: this.#peak }, { cause })
  }

  /**
   * At once where nothing is under way; else in its turn, since the memory may still be in use by its last owner. Until
   * then a copy waits, which counts like any other memory.
   */
  #write(storage: Storage, data: Uint8Array, offset = 0): void {
    const target = blockOf<WasmBlock>(storage).address + offset
    if (this.#queue.idle) return this.#memory.view(target, data.byteLength).set(data)
    const { byteLength } = data
    if (!this.#fits(byteLength)) throw this.#outOfMemory(storage.label, byteLength)
    let copy: Uint8Array
    try {
      copy = data.slice()
    } catch (cause) {
      throw this.#outOfMemory(storage.label, byteLength, cause)
    }
    this.#waiting += byteLength
    const run = () => {
      this.#waiting -= byteLength
      this.#memory.view(target, byteLength).set(copy)
    }
    this.#queue.host({ run, fail: nobodyWaits })
  }

  #launch(op: string, launch: Launch): void {
    const { kernel, scratch = 0 } = launch
    if (!this.#fields[kernel]) throw new KernelError({ where: op, what: 'no such WebAssembly kernel', got: kernel })
    const privateMemory = scratch > 0 ? this.allocate(this.#workers * roundUp(scratch), `${op} scratch`) : undefined
    try {
      if (this.#recording) return this.#record(op, launch, privateMemory, this.#recording)
      const scratchAddress = privateMemory ? blockOf<WasmBlock>(privateMemory).address : 0
      this.#submit({ command: this.#encode(op, launch, scratchAddress, addressNow) })
    } finally {
      if (privateMemory) this.release(privateMemory)
    }
  }

  /** Addresses take the places of tensors as soon as they are known, when the tensors may be gone. */
  #record(op: string, launch: Launch, privateMemory: Storage | undefined, { memory, works }: Recorded): void {
    const places = new Map<Storage, Place<WasmBlock>>()
    const hold = ({ shape, dtype, storage }: StoredTensor): StoredTensor => {
      places.set(storage, placeOf(storage))
      return { shape, dtype, storage }
    }
    const entries = Object.entries(launch.params)
    const params = Object.fromEntries(entries.map(([name, value]) => [name, isTensor(value) ? hold(value) : value]))
    if (privateMemory) places.set(privateMemory, placeOf(privateMemory))
    const addressOf = (storage: Storage) => blockAt(places.get(storage)!, storage.label).address
    works.push(() => {
      const scratch = privateMemory ? addressOf(privateMemory) : 0
      const command = this.#encode(op, { ...launch, params }, scratch, ({ storage }) => addressOf(storage))
      return { command: keepCommand(command) }
    })
    memory.use([...places.values()])
  }

  #launchNow(kernel: string, params: Record<string, number>, units: number): void {
    const command = this.#encode(kernel, { kernel, params, units }, 0, addressNow)
    this.#submit({ command: { ...command, brief: units <= this.#briefBytes / alignment } })
  }

  #encode(
    op: string,
    { kernel, units, params, grain, scratch: privateBytes = 0 }: Launch,
    scratch: number,
    addressOf: CommandParts['addressOf'],
  ): Command {
    return encode(op, {
      kernel: this.#numbers.get(kernel)!,
      units,
      // Four runs for each thread even out what threads are kept from by others on the machine.
      grain: Math.min(units, grain ?? Math.max(1, Math.ceil(units / (4 * this.#workers)))),
      scratch,
      scratchStride: privateBytes > 0 ? roundUp(privateBytes) : 0,
      briefBytes: this.#briefBytes,
      fields: this.#fields[kernel],
      params,
      addressOf,
    })
  }

  #runReference(op: string, inputs: object, outputs: readonly StoredTensor[], params: unknown): void {
    const kernel = this.#references.get(op)
    if (!kernel) throw new KernelError({ where: op, what: 'no WebAssembly kernel and no plain loops' })
    const operands = Object.entries(inputs as Record<string, StoredTensor | undefined>).map(
      ([name, tensor]) => [name, tensor && held<WasmBlock>(tensor)] as const,
    )
    const results = outputs.map(output => held<WasmBlock>(output))
    const job = () => {
      try {
        const opened = operands.map(([name, tensor]) => [name, tensor && this.#open(tensor)] as const)
        compute(
          kernel,
          opened,
          results.map(result => this.#open(result)),
          params,
        )
      } catch (error) {
        this.#failure ??= new KernelError(
          { where: op, what: 'plain loops failed', got: String(error) },
          { cause: error },
        )
      }
    }
    if (!this.#recording) return this.#submit({ job })
    this.#recording.works.push(() => ({ job }))
    const used = [...operands.map(([, tensor]) => tensor), ...results]
    this.#recording.memory.use(used.flatMap(tensor => tensor?.place ?? []))
  }

  #open({ shape, dtype, place, label }: HeldTensor<WasmBlock>): Placed {
    const { address, size } = blockAt(place, label)
    return { shape, dtype, memory: this.#memory.view(address, size) }
  }

  #submit(work: Work): void {
    this.#dispatches++
    if ('command' in work) this.#queue.command(work.command)
    else this.#queue.host({ run: work.job, fail: nobodyWaits })
  }

  /** What `body` gives when all work recorded so far is done. */
  #inTurn<T>(body: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const run = () => {
        try {
          resolve(body())
        } catch (error) {
          reject(error as Error)
        }
      }
      this.#queue.host({ run, fail: reject, awaited: true })
    })
  }

  get #workers(): number {
    return Math.max(1, this.threads)
  }

  #throwFailure(): void {
    const failure = this.#failure ?? this.#queue.takeFailure()
    this.#failure = undefined
    if (failure) throw failure
  }

  #assertNotRecording(where: string): void {
    this.#assertOpen(where)
    if (this.#recording) throw insideCapture(where)
  }

  #assertOpen(where: string): void {
    if (this.#closed) throw new LifetimeError({ where, what: 'runtime is closed' })
    const { lost } = this.#queue
    if (lost) throw new DeviceLostError({ ...lost.parts, where })
  }
}
