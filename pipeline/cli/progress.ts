// What a run is doing, on standard error: a line for each stage and step, or on a terminal one line that changes.

import { oneLine } from './exit.js'
import type { Listener, RunEvent } from './listener.js'
import { StatusLine, timeLeft } from './status-line.js'

/** Bytes for people. */
export function showBytes(bytes: number): string {
  return bytes < 2 ** 30 ? `${(bytes / 2 ** 20).toFixed(1)} MiB` : `${(bytes / 2 ** 30).toFixed(2)} GiB`
}

// Less is loaded before anybody asks.
const longLoad = 2 ** 28

/** Shows events as they come. */
export class Progress implements Listener {
  readonly #status = new StatusLine()
  #preview: string | undefined
  #checkpoint: Extract<RunEvent, { type: 'checkpoint' }> | undefined
  #stopping = false

  hear(event: RunEvent): void {
    switch (event.type) {
      case 'start': {
        const { frames, width, height, steps } = event.settings
        this.#status.line(`${frames} frames of ${width} x ${height}, ${steps} steps, on ${oneLine(event.runtime)}`)
        break
      }
      case 'resume':
        this.#status.line(`going on after step ${event.step}/${event.steps}`)
        break
      case 'stage':
        this.#status.change(`${event.stage} ...`)
        break
      case 'fallback':
        this.#status.line(`${event.stage}: out of memory, once more with less of it`)
        break
      case 'load': {
        const { stage, bytes, total } = event
        if (total > longLoad) this.#status.change(`${stage}: loaded ${showBytes(bytes)} of ${showBytes(total)}`)
        break
      }
      case 'step': {
        const { step, steps, seconds, secondsLeft } = event
        this.#status.change(`unet: step ${step}/${steps}, ${seconds.toFixed(1)} s${timeLeft(secondsLeft)}`)
        break
      }
      case 'preview':
        if (event.file !== this.#preview) this.#status.line(`preview: ${oneLine(event.file)}`)
        this.#preview = event.file
        break
      case 'checkpoint':
        this.#checkpoint = event
        break
      case 'frames':
        this.#status.change(`vae decoder: frame ${event.frame}/${event.frames}`)
        break
      case 'stage-end':
        this.#status.line(`${event.stage}: ${event.seconds.toFixed(1)} s, peak ${showBytes(event.peakBytes)}`)
        break
      case 'writing':
        this.#status.line('writing ...')
        break
      case 'stopping':
        this.#stopping = true
        this.#status.line('stopping ... (again: at once)')
        break
      case 'done':
        this.#checkpoint = undefined
        break
      case 'part':
        this.#status.line(`${event.part}:`)
        break
      case 'notice':
        this.#status.line(event.message)
        break
      case 'extract':
        this.#status.change(`${event.step}: ${Math.round(100 * event.done)} %`)
        break
      case 'seen':
        for (const { id, name, seen } of event.entities)
          this.#status.line(`${oneLine(id)}: ${oneLine(name)}, seen in ${seen} of ${event.frames} frames`)
        break
      case 'target':
        this.#status.line(`target pose: ${event.parts} parts, ${event.error.toFixed(1)} pixels off`)
        break
      case 'part-end':
        this.#checkpoint = undefined
        if (event.reused) this.#status.line(`${event.stage}: made before, in ${oneLine(event.folder)}`)
        break
      case 'job':
        this.#status.line(`line ${event.line}: ${oneLine(event.out)}`)
        break
      case 'skip':
        this.#status.line(`line ${event.line}: ${oneLine(event.out)} is done already`)
        break
      case 'end':
        this.#status.line(`${event.done} done, ${event.skipped} skipped, ${event.failed} failed`)
        break
      case 'error':
        // Told by whoever ends the program or goes on.
        this.#status.end()
        break
    }
  }

  end(): void {
    if (this.#stopping && this.#checkpoint) {
      const { path, step, steps } = this.#checkpoint
      this.#status.line(`${oneLine(path)}: the same command goes on after step ${step}/${steps}`)
    }
    this.#status.end()
  }
}
