// The one memory of a WebAssembly runtime, and the heap in it.

import { AdapterError } from '../errors.js'
import { webAssembly, type Memory } from './api.js'
import { alignment, Heap, roundUp } from './heap.js'

const page = 65536
/** 4 GiB, less a page, so that no address behind a range overflows. */
const mostPages = 65535
export const mostBytes = mostPages * page
/** Memory grows by at least so much. */
const growth = 256 * page
/** Commands and kernels' constants lie before (command.ts; the build step places the constants). */
export const heapStart = 1 << 20

/** What a runtime needs of its memory. */
export interface WasmMemory {
  readonly heap: Heap
  /** The bytes at an address; of the moment: memory that grows later has other views. */
  view(address: number, bytes: number): Uint8Array
}

/** WebAssembly memory that grows as its heap does. */
export class SharedMemory implements WasmMemory {
  readonly memory: Memory
  readonly heap: Heap
  #bytes: Uint8Array

  constructor(shared: boolean) {
    this.memory = reserve(shared)
    this.#bytes = new Uint8Array(this.memory.buffer)
    // Kernels may read, though not use, 63 bytes behind the last range.
    this.heap = new Heap(roundUp(heapStart), end => this.#reach(end + alignment))
  }

  view(address: number, bytes: number): Uint8Array {
    return this.#bytes.subarray(address, address + bytes)
  }

  #grow(bytes: number): boolean {
    try {
      this.memory.grow(Math.ceil(bytes / page))
      return true
    } catch {
      return false
    }
  }

  #reach(end: number): boolean {
    const has = this.memory.buffer.byteLength
    if (end <= has) return true
    if (end > mostBytes) return false
    const wanted = Math.min(mostBytes, Math.max(end, has + growth))
    if (!this.#grow(wanted - has) && !this.#grow(end - has)) return false
    this.#bytes = new Uint8Array(this.memory.buffer)
    return true
  }
}

/** The largest memory that the host lets reserve: where addresses are scarce, less than 4 GiB. */
function reserve(shared: boolean): Memory {
  const initial = 2 * (heapStart / page)
  for (let maximum = mostPages; maximum >= initial; maximum >>= 1) {
    try {
      return new webAssembly.Memory({ initial, maximum, shared })
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
    }
  }
  throw new AdapterError({ where: 'wasm', what: 'no memory to be had', expected: `${initial * page} bytes` })
}
