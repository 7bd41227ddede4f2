// What a run of the command line tells while it works, and those who listen to it.

import type { GenerateEvent, GenerateResult, LoadProgress } from '../generate.js'
import type { ExtractStep } from '../extract/extractor.js'
import type { ReviseEvent, ReviseResult } from '../revise/events.js'
import { jsonText } from './json.js'

/** An event of a run; pictures are told as the files that they went to. */
export type RunEvent =
  | Exclude<GenerateEvent, { type: 'preview' | 'done' }>
  | ({ type: 'load' } & LoadProgress)
  | { type: 'preview'; step: number; steps: number; file: string }
  /** The work is done but for the files. */
  | { type: 'writing' }
  /** A signal was heard; what is being done may take a moment to end. */
  | { type: 'stopping' }
  /** All files are in place. */
  | ({ type: 'done'; out: string; files: readonly string[] } & Omit<GenerateResult, 'frames'>)
  /** What `revise` tells beside that: its stages, and what is seen in the first one's video. */
  | Exclude<ReviseEvent, { type: 'done' | 'preview' }>
  | { type: 'extract'; step: ExtractStep; done: number }
  | ({ type: 'revised'; out: string; files: readonly string[] } & Pick<ReviseResult, 'settings' | 'stages'>)
  | { type: 'error'; message: string; exitCode: number }
  /** A line of a batch: it begins, it was done by an earlier run, or the file ends. */
  | { type: 'job' | 'skip'; line: number; out: string }
  | { type: 'end'; done: number; skipped: number; failed: number }

/** Hears the events of one command. */
export interface Listener {
  hear(event: RunEvent): void
  /** Nothing more will come. */
  end(): void
}

/** Says nothing. */
export const silent: Listener = { hear: () => undefined, end: () => undefined }

/** An object on standard output for each event; those of a batch also tell the line of their job. */
export class JsonEvents implements Listener {
  #line: number | undefined

  hear(event: RunEvent): void {
    if (event.type === 'job' || event.type === 'end') this.#line = undefined
    process.stdout.write(`${jsonText({ ...event, ...(this.#line === undefined ? {} : { line: this.#line }) })}\n`)
    if (event.type === 'job') this.#line = event.line
  }

  end(): void {
    // Every line is whole.
  }
}

const loadParts = 10

/** Hears how far weights are loaded as often as anybody wants to know: each tenth of a stage. */
export function tenths(hear: Listener['hear']): (load: LoadProgress) => void {
  let last = ''
  return load => {
    const part = `${load.stage} ${Math.floor((loadParts * load.bytes) / load.total)}`
    if (part !== last) hear({ type: 'load', ...load })
    last = part
  }
}
