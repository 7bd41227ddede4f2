// Ctrl-C and its like: the first asks the work to stop where it can clean up, the second ends the program at once.

import { constants } from 'node:os'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
type StopSignal = (typeof signals)[number]

/** A signal stopped the program. */
export class Stopped extends Error {
  /** As shells count: 128 and the number of the signal. */
  readonly exitCode: number

  constructor(name: StopSignal) {
    super(`stopped by ${name}`)
    this.exitCode = 128 + constants.signals[name]
  }
}

/** Listens for signals that end programs, until it is disposed of. */
export class StopSignals implements Disposable {
  readonly #controller = new AbortController()
  #deaf = false

  constructor() {
    for (const name of signals) process.on(name, this.#hear)
  }

  /** Aborted by the first signal; the reason is a Stopped. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /**
   * Ignores signals from now on, for what may not be cut in two and takes a moment. Throws a Stopped if there was one.
   */
  ignore(): void {
    this.signal.throwIfAborted()
    this.#deaf = true
  }

  [Symbol.dispose](): void {
    for (const name of signals) process.off(name, this.#hear)
  }

  readonly #hear = (name: NodeJS.Signals): void => {
    if (this.#deaf) return
    const stopped = new Stopped(name as StopSignal)
    if (this.signal.aborted) process.exit(stopped.exitCode)
    this.#controller.abort(stopped)
  }
}
