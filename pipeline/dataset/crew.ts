// Threads that draw clips.

import { Worker } from 'node:worker_threads'
import type { DrawnClip } from './clip.js'
import type { ClipScript } from './script.js'

/** What is done with a clip that is drawn. */
type Finish = (drawn: DrawnClip) => Promise<void>

interface Thread {
  readonly worker: Worker
  /** Of the clips that it was given and has not drawn yet, in turn. */
  readonly waiting: Finish[]
}

// So many clips a thread is given at a time: it need not wait for the next one.
const ahead = 2

/** A crew of threads; dispose of it when it is not needed any longer. */
export class Crew implements Disposable {
  readonly #threads: readonly Thread[]
  #unfinished = 0
  #failed: { readonly error: unknown } | undefined
  #wake: (() => void) | undefined

  constructor(count: number) {
    this.#threads = Array.from({ length: count }, () => this.#start())
  }

  /** Hands over a clip as soon as a thread has room for it. Throws what went wrong with an earlier one. */
  async draw(script: ClipScript, finish: Finish): Promise<void> {
    const least = () => this.#threads.reduce((a, b) => (b.waiting.length < a.waiting.length ? b : a))
    await this.#until(() => least().waiting.length < ahead)
    const { worker, waiting } = least()
    waiting.push(finish)
    this.#unfinished++
    worker.postMessage(script)
  }

  /** Waits until all clips are drawn and finished. Throws what went wrong with one. */
  done(): Promise<void> {
    return this.#until(() => this.#unfinished === 0)
  }

  #start(): Thread {
    const worker = new Worker(new URL('./worker.js', import.meta.url))
    const waiting: Finish[] = []
    const fail = (error: unknown) => {
      this.#failed ??= { error }
      this.#wake?.()
    }
    worker.on('message', (drawn: DrawnClip) => {
      waiting.shift()!(drawn).then(() => {
        this.#unfinished--
        this.#wake?.()
      }, fail)
    })
    worker.on('error', fail)
    return { worker, waiting }
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!this.#failed && !isSo()) await new Promise<void>(resolve => (this.#wake = resolve))
    if (this.#failed) throw this.#failed.error
  }

  [Symbol.dispose](): void {
    for (const { worker } of this.#threads) void worker.terminate()
  }
}
