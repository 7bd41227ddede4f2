// What a run is doing, on standard error: a line for each stage and step, or on a terminal one line that changes.

import type { GenerateEvent, LoadProgress } from '../generate.js'
import { oneLine } from './exit.js'
import { StatusLine } from './status-line.js'

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
  readonly #status = new StatusLine()
  #loaded = 0

  show(event: GenerateEvent): void {
    switch (event.type) {
      case 'start': {
        const { frames, width, height, steps } = event.settings
        this.#status.line(`${frames} frames of ${width} x ${height}, ${steps} steps, on ${oneLine(event.runtime)}`)
        break
      }
      case 'stage':
        this.#loaded = 0
        this.#status.change(`${event.stage} ...`)
        break
      case 'step':
        this.#status.change(`unet: step ${event.step}/${event.steps}, ${event.seconds.toFixed(1)} s`)
        break
      case 'frames':
        this.#status.change(`vae decoder: frame ${event.frame}/${event.frames}`)
        break
      case 'stage-end':
        this.#status.line(`${event.stage}: ${event.seconds.toFixed(1)} s, peak ${showBytes(event.peakBytes)}`)
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
    this.#status.change(`${stage}: loaded ${showBytes(bytes)} of ${showBytes(total)}`)
  }

  /** Says that the work is done but for the files. */
  writing(): void {
    this.#status.line('writing ...')
  }

  /** Says that a signal was heard: what is being done may take a moment to end. */
  stopping(): void {
    this.#status.line('stopping ... (again: at once)')
  }

  /** Leaves the terminal on a fresh line. */
  end(): void {
    this.#status.end()
  }
}
