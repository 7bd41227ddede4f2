// How far many bytes are on their way, on standard error: often on a terminal, else a line for each tenth.

import { oneLine } from './exit.js'
import { showBytes } from './progress.js'
import { StatusLine, timeLeft } from './status-line.js'

const lines = 10
const terminalInterval = 200

/** Shows bytes of a total, their speed and the time that is left. */
export class Transfer {
  readonly #status = new StatusLine()
  #start: { time: number; bytes: number } | undefined
  #shown = -Infinity

  /** `now` in milliseconds. */
  show(done: number, total: number, name: string, now = performance.now()): void {
    this.#start ??= { time: now, bytes: done }
    const mark = process.stderr.isTTY ? Math.floor(now / terminalInterval) : Math.floor((lines * done) / total)
    if (mark === this.#shown && done < total) return
    this.#shown = mark
    const seconds = (now - this.#start.time) / 1000
    const speed = (done - this.#start.bytes) / seconds
    const rate = speed > 0 && Number.isFinite(speed) ? `, ${showBytes(speed)}/s${timeLeft((total - done) / speed)}` : ''
    this.#status.change(`${showBytes(done)} of ${showBytes(total)}${rate}: ${oneLine(name)}`)
  }

  /** Says that a signal was heard. */
  stopping(): void {
    this.#status.line('stopping ... (again: at once)')
  }

  /** Leaves the terminal on a fresh line. */
  end(): void {
    this.#status.end()
  }
}
