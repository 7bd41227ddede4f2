// What a WebAssembly runtime is given that only plans: it allocates as a real one does, and runs nothing.

import { LifetimeError } from '../errors.js'
import { alignment, Heap } from './heap.js'
import { heapStart, mostBytes } from './memory.js'
import type { Queue } from './queue.js'
import type { WasmHost } from './runtime.js'

const queue: Queue = {
  threads: 0,
  idle: true,
  lost: undefined,
  command: () => {},
  host: job => job.fail(new LifetimeError({ where: 'read', what: 'there is nothing to read in a dry run' })),
  takeFailure: () => undefined,
  close: () => Promise.resolve(),
}

/** Addresses without memory behind them: what is written there is lost. */
export function dryHost(): WasmHost {
  const heap = new Heap(heapStart, end => end + alignment <= mostBytes)
  return { memory: { heap, view: (_, bytes) => new Uint8Array(bytes) }, queue, relaxed: false }
}
