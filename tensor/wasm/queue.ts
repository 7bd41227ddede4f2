// Where commands go: to worker threads, or to the calling thread where there can be no others.

import { DeviceLostError, KernelError, LifetimeError, type RevisionError } from '../errors.js'
import { webAssembly, type Memory, type Module } from './api.js'
import { control, field, hostCommand, keepCommand, ownSlot, place, ring, type Command } from './command.js'
import type { Kernel } from './module.js'
import type { WorkerMessage, WorkerStart } from './worker.js'
import { startWorker, type RunningWorker } from './workers.js'

/** A job for the thread that owns the runtime. */
export interface Job {
  /** Must not throw. */
  run(): void
  /** Called in its place when its turn will never come. */
  fail(reason: RevisionError): void
  /** Somebody waits for it: where nothing is under way it runs at once. */
  readonly awaited?: boolean
}

/** Runs commands and jobs of the host's, one after the other, in the order in which they come. */
export interface Queue {
  readonly threads: number
  /** Everything handed over so far is done. */
  readonly idle: boolean
  /** The command's words are taken over before this returns. */
  command(command: Command): void
  host(job: Job): void
  /** Why nothing runs any more. */
  readonly lost: RevisionError | undefined
  /** What went wrong since the last call. */
  takeFailure(): RevisionError | undefined
  close(): Promise<void>
}

/** A command that lets the host do its next job. */
const hostTurn: Command = { words: Int32Array.of(hostCommand, 0, 0, 0, 0), count: 5, relative: [], brief: false }

/** Runs everything at once, on the calling thread. */
export class InlineQueue implements Queue {
  readonly threads = 1
  readonly idle = true
  readonly #kernels: Kernel[]
  readonly #names: readonly string[]
  #failure: RevisionError | undefined
  lost: RevisionError | undefined
  readonly #memory: Memory
  #words: Int32Array

  constructor(module: Module, memory: Memory, names: readonly string[]) {
    const { exports } = new webAssembly.Instance(module, { env: { memory } })
    this.#kernels = names.map(name => exports[name] as Kernel)
    this.#names = names
    this.#memory = memory
    this.#words = new Int32Array(memory.buffer)
  }

  command(command: Command): void {
    // Memory that is not shared is another buffer after it has grown, and the old one has no bytes left.
    if (this.#words.length === 0) this.#words = new Int32Array(this.#memory.buffer)
    const words = this.#words
    place(words, ownSlot, command)
    const scratch = words[ownSlot + field.scratch] >>> 0
    const kernel = words[ownSlot + field.kernel]
    try {
      this.#kernels[kernel](4 * (ownSlot + field.params), 0, words[ownSlot + field.units], scratch)
    } catch (error) {
      this.#failure ??= kernelFailed(this.#names[kernel], String(error))
    }
  }

  host(job: Job): void {
    job.run()
  }

  takeFailure(): RevisionError | undefined {
    const failure = this.#failure
    this.#failure = undefined
    return failure
  }

  async close(): Promise<void> {}
}

function kernelFailed(kernel: string, reason: string): KernelError {
  return new KernelError({ where: 'wasm', what: `kernel ${kernel} failed`, got: reason })
}

/**
 * Shares commands between worker threads. Where nothing is under way, the calling thread does brief ones by itself: to
 * wake the others takes longer.
 */
export class WorkerQueue implements Queue {
  readonly threads: number
  readonly #own: InlineQueue
  readonly #words: Int32Array
  readonly #workers: RunningWorker[]
  /** What the host does when its turns come. */
  readonly #jobs: Job[] = []
  /** Commands that wait for room in the ring. */
  readonly #overflow: Command[] = []
  #submitted = 0
  #failure: RevisionError | undefined
  /** Kernels' failures that the host has been told of. */
  #told = 0
  /** It is the host's turn. */
  #turn = false
  lost: RevisionError | undefined

  constructor(module: Module, memory: Memory, names: readonly string[], threads: number) {
    this.threads = threads
    this.#own = new InlineQueue(module, memory, names)
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
    if (this.lost) return
    if (command.brief && this.idle) this.#own.command(command)
    else if (this.#overflow.length > 0 || this.#isFull) this.#defer(command)
    else this.#submit(command)
  }

  host(job: Job): void {
    if (this.lost) return job.fail(this.lost)
    if (job.awaited && this.idle && this.#knowsFailures) return job.run()
    // Idle threads do not keep the process alive; those that somebody waits for do.
    if (this.#jobs.push(job) === 1) for (const worker of this.#workers) worker.ref()
    this.command(hostTurn)
  }

  takeFailure(): RevisionError | undefined {
    const failure = this.lost ?? this.#failure ?? this.#own.takeFailure()
    this.#failure = undefined
    return failure
  }

  async close(): Promise<void> {
    await this.#end(new LifetimeError({ where: 'wasm', what: 'runtime is closed' }))
  }

  get #knowsFailures(): boolean {
    return Atomics.load(this.#words, control.failed) === this.#told
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
    if (this.#overflow.push(keepCommand(command)) === 1) setTimeout(() => this.#refill(), 1)
  }

  #refill(): void {
    if (this.lost) return
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
    if (this.lost) return
    if (message.type === 'failed') {
      this.#told++
      this.#failure ??= kernelFailed(message.kernel, message.reason)
    } else this.#turn = true
    // Threads' messages may overtake each other: a failure before the host's turn is to be known in that turn.
    if (this.#turn && this.#knowsFailures) this.#takeTurn()
  }

  #takeTurn(): void {
    this.#turn = false
    const job = this.#jobs.shift()
    if (this.#jobs.length === 0) for (const worker of this.#workers) worker.unref()
    job?.run()
    const done = Atomics.load(this.#words, control.completed)
    Atomics.store(this.#words, control.completed, (done + 1) | 0)
    Atomics.notify(this.#words, control.completed)
  }

  /** A thread that is gone never comes back. */
  #die(reason: string): void {
    const what = `a worker thread ended (${reason})`
    void this.#end(new DeviceLostError({ where: 'wasm', what, hint: 'a new runtime' }))
  }

  /** Whoever waits is told that it is in vain. */
  async #end(reason: RevisionError): Promise<void> {
    if (this.lost) return
    this.lost = reason
    this.#overflow.length = 0
    for (const job of this.#jobs.splice(0)) job.fail(reason)
    await Promise.all(this.#workers.map(worker => worker.stop()))
  }
}
