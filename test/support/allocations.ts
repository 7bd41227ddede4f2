// Watching how much memory a reader asks for: ArrayBuffer and the typed arrays are replaced by proxies that take notes.

import type { Test } from 'tap'

const names = [
  'ArrayBuffer',
  'Uint8Array',
  'Int8Array',
  'Uint16Array',
  'Int16Array',
  'Uint32Array',
  'Int32Array',
  'Float32Array',
  'Float64Array',
] as const

/** Notes of the allocations since the last `reset`, until the test ends. Views of memory that is there do not count. */
export class AllocationProbe {
  /** Bytes of the largest single allocation. */
  largest = 0

  constructor(t: Test) {
    for (const name of names) {
      const original = globalThis[name]
      const proxy: object = new Proxy(original, {
        construct: (target, args: unknown[], newTarget) => {
          const made: { byteLength: number } = Reflect.construct(target, args, newTarget === proxy ? target : newTarget)
          if (!(args[0] instanceof ArrayBuffer)) this.largest = Math.max(this.largest, made.byteLength)
          return made
        },
      })
      Reflect.set(globalThis, name, proxy)
      t.teardown(() => Reflect.set(globalThis, name, original))
    }
  }

  reset(): void {
    this.largest = 0
  }
}
