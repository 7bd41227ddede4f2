// Starts worker threads from text, so that nothing has to be found on a disk or a server: Node's, or a browser's.

import type * as NodeThreads from 'node:worker_threads'
import { workerMain, type WorkerMessage, type WorkerStart } from './worker.js'

/** A worker thread from outside. While it is ref'ed it keeps the process alive; it begins without. */
export interface RunningWorker {
  ref(): void
  unref(): void
  stop(): Promise<void>
}

let nodeThreads: typeof NodeThreads | undefined

const inNode = typeof process !== 'undefined' && process.versions?.node !== undefined

/** Must be awaited once before the first worker is started. */
export async function loadThreads(): Promise<void> {
  if (inNode) nodeThreads ??= await import('node:worker_threads')
}

/** How many threads this machine runs at once. */
export async function hardwareThreads(): Promise<number> {
  if (inNode) return (await import('node:os')).availableParallelism()
  return (globalThis as { navigator?: { hardwareConcurrency?: number } }).navigator?.hardwareConcurrency ?? 1
}

/** Whether memory can be shared between threads here; a page must be cross-origin isolated for it. */
export const canShare = () => inNode || (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === true

/** Starts a thread; `onEnd` is told why it ended, if nobody stopped it. */
export function startWorker(
  start: WorkerStart,
  onMessage: (message: WorkerMessage) => void,
  onEnd: (reason: string) => void,
): RunningWorker {
  return nodeThreads ? startInNode(nodeThreads, start, onMessage, onEnd) : startInBrowser(start, onMessage, onEnd)
}

function startInNode(
  { Worker }: typeof NodeThreads,
  start: WorkerStart,
  onMessage: (message: WorkerMessage) => void,
  onEnd: (reason: string) => void,
): RunningWorker {
  const text = `const { workerData, parentPort } = require('node:worker_threads');
(${workerMain.toString()})(workerData, message => parentPort.postMessage(message))`
  // Nothing of how this process was started concerns the worker: loaders, inspectors, flags.
  const worker = new Worker(text, { eval: true, workerData: start, execArgv: [], name: `wasm ${start.thread}` })
  worker.on('message', onMessage)
  worker.on('error', error => onEnd(String(error)))
  worker.on('exit', code => onEnd(`exit code ${code}`))
  worker.unref()
  return {
    ref: () => worker.ref(),
    unref: () => worker.unref(),
    stop: async () => void (await worker.terminate()),
  }
}

interface BrowserWorker {
  onmessage: ((event: { data: WorkerMessage }) => void) | null
  onerror: ((event: { message: string }) => void) | null
  postMessage(start: WorkerStart): void
  terminate(): void
}

function startInBrowser(
  start: WorkerStart,
  onMessage: (message: WorkerMessage) => void,
  onEnd: (reason: string) => void,
): RunningWorker {
  const { Worker } = globalThis as unknown as { Worker: new (url: string, options: { name: string }) => BrowserWorker }
  const text = `onmessage = ({ data }) => (${workerMain.toString()})(data, message => postMessage(message))`
  const url = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }))
  const worker = new Worker(url, { name: `wasm ${start.thread}` })
  worker.onmessage = ({ data }) => {
    onMessage(data)
  }
  worker.onerror = ({ message }) => onEnd(message)
  worker.postMessage(start)
  URL.revokeObjectURL(url)
  return {
    ref: () => {},
    unref: () => {},
    stop: async () => {
      worker.terminate()
      return Promise.resolve()
    },
  }
}
