// What a run is doing, on standard error: a line for each stage and step, or on a terminal one line that changes.

import type { GenerateEvent, LoadProgress } from '../generate.js'
import { oneLine } from './exit.js'

/** Bytes for people. */
export function showBytes(bytes: number): string {
  return bytes < 2 ** 30 ? `${(bytes / 2 ** 20).toFixed(1)} MiB` : `${(bytes / 2 ** 30).toFixed(2)} GiB`
}

// Less is loaded before anybody asks.
const longLoad = 2 ** 28
// Lines for each load.
const loadLines = 10

/** Shows events as they come. */
export class Progress {
  #pending = false
  #loaded = 0

  show(event: GenerateEvent): void {
    switch (event.type) {
      case 'start': {
        const { frames, width, height, steps } = event.settings
        this.#line(`${frames} frames of ${width} x ${height}, ${steps} steps, on ${oneLine(event.runtime)}`)
        break
      }
      case 'stage':
        this.#loaded = 0
        this.#change(`${event.stage} ...`)
        break
      case 'step':
        this.#change(`unet: step ${event.step}/${event.steps}, ${event.seconds.toFixed(1)} s`)
        break
      case 'frames':
        this.#change(`vae decoder: frame ${event.frame}/${event.frames}`)
        break
      case 'stage-end':
        this.#line(`${event.stage}: ${event.seconds.toFixed(1)} s, peak ${showBytes(event.peakBytes)}`)
        break
      case 'done':
        break
    }
  }

  /** Shows how far the weights are, if there are many: a line for each tenth. */
  load({ stage, bytes, total }: LoadProgress): void {
    const tenths = Math.floor((loadLines * bytes) / total)
    if (total <= longLoad || tenths === this.#loaded) return
    this.#loaded = tenths
    this.#change(`${stage}: loaded ${showBytes(bytes)} of ${showBytes(total)}`)
  }

  /** Says that the work is done but for the files. */
  writing(): void {
    this.#line('writing ...')
  }

  /** Leaves the terminal on a fresh line. */
  end(): void {
    if (this.#pending) process.stderr.write('\n')
    this.#pending = false
  }

  #line(text: string): void {
    this.#change(text)
    this.end()
  }

  /** On a terminal the line stays open for the next text to replace it. */
  #change(text: string): void {
    if (!process.stderr.isTTY) {
      process.stderr.write(`${text}\n`)
      return
    }
    process.stderr.write(`${this.#pending ? '\r\x1b[K' : ''}${text}`)
    this.#pending = true
  }
}
