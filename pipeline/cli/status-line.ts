// Text on standard error about what is going on: lines, or on a terminal one line that changes.

/** Standard error as a place for such text. */
export class StatusLine {
  #pending = false

  /** A line that stays. */
  line(text: string): void {
    this.change(text)
    this.end()
  }

  /** On a terminal the line stays open for the next text to replace it. */
  change(text: string): void {
    if (!process.stderr.isTTY) {
      process.stderr.write(`${text}\n`)
      return
    }
    process.stderr.write(`${this.#pending ? '\r\x1b[K' : ''}${text}`)
    this.#pending = true
  }

  /** Leaves the terminal on a fresh line. */
  end(): void {
    if (this.#pending) process.stderr.write('\n')
    this.#pending = false
  }
}

/** What is said of the seconds that something still takes, with a comma before it; nothing of less than one. */
export function timeLeft(seconds: number): string {
  if (seconds < 1) return ''
  if (seconds < 90) return `, ${Math.ceil(seconds)} s left`
  return seconds < 5400 ? `, ${Math.ceil(seconds / 60)} min left` : `, ${(seconds / 3600).toFixed(1)} h left`
}
