// Where commands go: to worker threads, or to the calling thread where there can be no others.

import { DeviceLostError, KernelError, type RevisionError } from '../errors.js'
import { webAssembly, type Memory, type Module } from './api.js'
import { control, field, hostCommand, place, ring, type Command } from './command.js'
import type { WorkerMessage, WorkerStart } from './worker.js'
import { startWorker, type RunningWorker } from './workers.js'

/** Runs commands and jobs of the host's, one after the other, in the order in which they come. */
export interface Queue {
  readonly threads: number
  /** Everything handed over so far is done. */
  readonly idle: boolean
  command(command: Command): void
  /** A job for the thread that owns the runtime, which must not throw. */
  host(job: () => void): void
  /** What went wrong since the last call. */
  takeFailure(): RevisionError | undefined
  close(): Promise<void>
}

/** A command that lets the host do its next job. */
const hostTurn: Command = { words: Int32Array.of(hostCommand, 0, 0, 0, 0), relative: [] }

type Kernel = (params: number, from: number, to: number, scratch: number) => void

/** Runs everything at once, on the calling thread. */
export class InlineQueue implements Queue {
  readonly threads = 1
  readonly idle = true
  readonly #kernels: Kernel[]
  readonly #memory: Memory
  #words: Int32Array

  constructor(module: Module, memory: Memory, names: readonly string[]) {
    const { exports } = new webAssembly.Instance(module, { env: { memory } })
    this.#kernels = names.map(name => exports[name] as Kernel)
    this.#memory = memory
    this.#words = new Int32Array(memory.buffer)
  }

  command(command: Command): void {
    // Memory that is not shared is another buffer after it has grown, and the old one has no bytes left.
    if (this.#words.length === 0) this.#words = new Int32Array(this.#memory.buffer)
    const words = this.#words
    place(words, ring.start, command)
    const scratch = words[ring.start + field.scratch] >>> 0
    this.#kernels[words[ring.start + field.kernel]](
      4 * (ring.start + field.params),
      0,
      words[ring.start + field.units],
      scratch,
    )
  }

  host(job: () => void): void {
    job()
  }

  takeFailure(): undefined {
    return undefined
  }

  async close(): Promise<void> {}
}

/** Shares every command between worker threads. */
export class WorkerQueue implements Queue {
  readonly threads: number
  readonly #words: Int32Array
  readonly #workers: RunningWorker[]
  /** What the host does when its turns come. */
  readonly #jobs: (() => void)[] = []
  /** Commands that wait for room in the ring. */
  readonly #overflow: Command[] = []
  #submitted = 0
  #failure: RevisionError | undefined
  #dead: DeviceLostError | undefined
  #closed = false

  constructor(module: Module, memory: Memory, names: readonly string[], threads: number) {
    this.threads = threads
    this.#words = new Int32Array(memory.buffer, 0, ring.start + ring.slots * ring.slotWords)
    const shared = { module, memory, names, threads, control, field, ring, hostCommand }
    this.#workers = Array.from({ length: threads }, (_, thread): RunningWorker => {
      const start: WorkerStart = { ...shared, thread }
      return startWorker(
        start,
        message => this.#receive(message),
        reason => this.#die(reason),
      )
    })
  }

  get idle(): boolean {
    return this.#overflow.length === 0 && this.#pending === 0
  }

  command(command: Command): void {
    if (this.#dead) return
    if (this.#overflow.length > 0 || this.#isFull) this.#defer(command)
    else this.#submit(command)
  }

  host(job: () => void): void {
    if (this.#dead) return job()
    // Idle threads do not keep the process alive; those that somebody waits for do.
    if (this.#jobs.push(job) === 1) for (const worker of this.#workers) worker.ref()
    this.command(hostTurn)
  }

  takeFailure(): RevisionError | undefined {
    const failure = this.#dead ?? this.#failure
    this.#failure = undefined
    return failure
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#workers.map(worker => worker.stop()))
  }

  get #pending(): number {
    return (this.#submitted - Atomics.load(this.#words, control.completed)) | 0
  }

  /** Whether there is no slot left that no thread may still be looking at. */
  get #isFull(): boolean {
    let most = this.#pending
    for (let thread = 0; thread < this.threads; thread++)
      most = Math.max(most, (this.#submitted - Atomics.load(this.#words, control.places + thread)) | 0)
    return most >= ring.slots
  }

  #defer(command: Command): void {
    if (this.#overflow.push(command) === 1) setTimeout(() => this.#refill(), 1)
  }

  #refill(): void {
    let count = 0
    while (count < this.#overflow.length && !this.#isFull) this.#submit(this.#overflow[count++])
    this.#overflow.splice(0, count)
    if (this.#overflow.length > 0) setTimeout(() => this.#refill(), 1)
  }

  #submit(command: Command): void {
    const words = this.#words
    place(words, ring.start + ((this.#submitted >>> 0) % ring.slots) * ring.slotWords, command)
    this.#submitted = (this.#submitted + 1) | 0
    Atomics.store(words, control.submitted, this.#submitted)
    if (Atomics.load(words, control.sleepers) > 0) Atomics.notify(words, control.submitted)
  }

  #receive(message: WorkerMessage): void {
    if (this.#closed) return
    if (message.type === 'failed') {
      this.#failure ??= new KernelError({
        where: 'wasm',
        what: `kernel ${message.kernel} failed`,
        got: message.reason,
      })
      return
    }
    const job = this.#jobs.shift()
    if (this.#jobs.length === 0) for (const worker of this.#workers) worker.unref()
    job?.()
    const done = Atomics.load(this.#words, control.completed)
    Atomics.store(this.#words, control.completed, (done + 1) | 0)
    Atomics.notify(this.#words, control.completed)
  }

  /** A thread that is gone never comes back: whoever waits is told. */
  #die(reason: string): void {
    if (this.#closed || this.#dead) return
    this.#dead = new DeviceLostError({
      where: 'wasm',
      what: `a worker thread ended (${reason})`,
      hint: 'a new runtime',
    })
    this.#overflow.length = 0
    for (const job of this.#jobs.splice(0)) job()
  }
}
