// Gives a peer the worker threads of a browser: `navigator` with a number of cores, and `Worker` for scripts in a Blob.

import { resolveObjectURL } from 'node:buffer'
import { Worker } from 'node:worker_threads'

// What a script in a browser's worker finds.
const prelude = `
const { parentPort } = require('node:worker_threads')
globalThis.self = globalThis
globalThis.postMessage = message => parentPort.postMessage(message)
parentPort.on('message', data => self.onmessage({ data }))
`

class BlobWorker {
  onmessage?: (event: { data: unknown }) => void
  onerror?: (error: Error) => void
  readonly #thread: Promise<Worker>

  constructor(url: string) {
    this.#thread = this.#start(url)
  }

  /** Messages keep their order, and wait for the thread. */
  postMessage(message: unknown): void {
    void this.#thread.then(thread => thread.postMessage(message))
  }

  async #start(url: string): Promise<Worker> {
    const script = await resolveObjectURL(url)?.text()
    const thread = new Worker(`${prelude}${script}`, { eval: true })
    thread.on('message', data => this.onmessage?.({ data }))
    thread.on('error', error => this.onerror?.(error as Error))
    return thread
  }
}

/** Defines `navigator` and `Worker`, for libraries that take as many threads as there are cores. */
export function provideThreads(threads: number): void {
  const navigator = { hardwareConcurrency: threads, userAgent: 'node', language: 'en' }
  for (const [name, value] of Object.entries({ navigator, Worker: BlobWorker }))
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
}
