// What a worker thread runs: command after command, each together with all other threads. Its text is what workers are
// started with, in Node and in browsers: it may use nothing but its arguments and JavaScript itself.

import type { Memory, Module, WebAssemblyApi } from './api.js'
import type { control, field, ring } from './command.js'
import type { Kernel } from './module.js'

export interface WorkerStart {
  readonly module: Module
  readonly memory: Memory
  /** Kernels by their numbers. */
  readonly names: readonly string[]
  readonly thread: number
  readonly threads: number
  readonly control: typeof control
  readonly field: typeof field
  readonly ring: typeof ring
  readonly hostCommand: number
}

/** What a worker tells the host: that it is the host's turn, or that a kernel failed. */
export type WorkerMessage = { type: 'host' } | { type: 'failed'; kernel: string; reason: string }

/** Never returns. */
export function workerMain(start: WorkerStart, post: (message: WorkerMessage) => void): void {
  const { module, memory, names, thread, control, field, ring, hostCommand } = start
  const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyApi }
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  const kernels = names.map(name => exports[name] as Kernel)
  const words = new Int32Array(memory.buffer, 0, ring.start + ring.slots * ring.slotWords)

  // A short spin first: what is waited for often comes before a thread could fall asleep and be woken.
  const spins = 2000
  const changes = (word: number, value: number) => {
    for (let i = 0; i < spins; i++) if (Atomics.load(words, word) !== value) return true
    return false
  }
  const waitForCommand = (mine: number) => {
    if (changes(control.submitted, mine)) return
    Atomics.add(words, control.sleepers, 1)
    while (Atomics.load(words, control.submitted) === mine) Atomics.wait(words, control.submitted, mine)
    Atomics.sub(words, control.sleepers, 1)
  }
  const waitForOthers = (mine: number) => {
    if (changes(control.completed, mine)) return
    while (Atomics.load(words, control.completed) === mine) Atomics.wait(words, control.completed, mine)
  }

  /** Takes units of a command as long as there are any. */
  const work = (kernel: number, slot: number, mine: number) => {
    const units = words[slot + field.units]
    const grain = words[slot + field.grain]
    const scratch = (words[slot + field.scratch] >>> 0) + thread * words[slot + field.scratchStride]
    for (;;) {
      const from = Atomics.add(words, slot + field.next, grain)
      if (from >= units) return
      const to = Math.min(from + grain, units)
      try {
        kernels[kernel](4 * (slot + field.params), from, to, scratch)
      } catch (error) {
        Atomics.add(words, control.failed, 1)
        post({ type: 'failed', kernel: names[kernel], reason: String(error) })
      }
      // Who does the last unit ends the command: no thread waits for one that has not come yet.
      if (Atomics.add(words, slot + field.done, to - from) + to - from === units) {
        Atomics.store(words, control.completed, (mine + 1) | 0)
        Atomics.notify(words, control.completed)
        return
      }
    }
  }

  for (;;) {
    // The place of a thread keeps the host from writing over the command that it looks at. Looking again saves a look
    // at a command that has ended meanwhile.
    const mine = Atomics.load(words, control.completed)
    Atomics.store(words, control.places + thread, mine)
    if (Atomics.load(words, control.completed) !== mine) continue
    waitForCommand(mine)
    const slot = ring.start + ((mine >>> 0) % ring.slots) * ring.slotWords
    const kernel = words[slot + field.kernel]
    if (kernel !== hostCommand) work(kernel, slot, mine)
    else if (Atomics.add(words, slot + field.next, 1) === 0) post({ type: 'host' })
    waitForOthers(mine)
  }
}
