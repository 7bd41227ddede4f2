// One call of a WebAssembly kernel as words in shared memory, and where such words lie.

import { KernelError } from '../errors.js'
import type { ParamField } from './module.js'

/** Words at the beginning of the memory, by which threads agree on what to do. */
export const control = {
  /** Commands handed over, and commands done, counted from 0 and wrapping. */
  submitted: 0,
  completed: 1,
  /** Threads that sleep until there is a command. */
  sleepers: 2,
  /** Failures of kernels, counted. */
  failed: 3,
  /** For each thread the command that it is at. */
  places: 8,
} as const

/** Words of a command: which kernel, how many units, how many of them at a time; parameters stand behind. */
export const field = {
  kernel: 0,
  units: 1,
  grain: 2,
  next: 3,
  done: 4,
  scratch: 5,
  scratchStride: 6,
  params: 8,
} as const

/** The kernel number of a command that the host runs. */
export const hostCommand = -1

/** Commands lie in a ring; sizes in words. */
export const ring = { start: 128, slots: 1024, slotWords: 128 } as const

/** The slot behind the ring, of what the calling thread runs by itself. */
export const ownSlot = ring.start + ring.slots * ring.slotWords

/** The first byte behind all slots. Kernels' constants follow, and then the heap. */
export const ringEnd = 4 * (ownSlot + ring.slotWords)

/** A parameter: a number, an address, or words that the kernel is given the address of. */
export type ParamValue = number | readonly number[]

/** What a command consists of, addresses known. */
export interface CommandParts {
  readonly kernel: number
  readonly units: number
  readonly grain: number
  /** Address of the first thread's private memory, and bytes from one thread's to the next. */
  readonly scratch: number
  readonly scratchStride: number
  /** Whether threads would take longer to wake up than to do it. */
  readonly brief: boolean
  readonly fields: readonly ParamField[]
  readonly params: Readonly<Record<string, ParamValue>>
}

/** A command ready for a slot. Lists are addressed relative to the slot: `relocate` makes the addresses true. */
export interface Command {
  readonly words: Int32Array
  /** Words that hold an offset in bytes from the slot. */
  readonly relative: readonly number[]
  /** Whether threads would take longer to wake up than to do it. */
  readonly brief: boolean
}

const asFloat = new Float32Array(1)
const floatBits = new Int32Array(asFloat.buffer)

function wordOf(where: string, name: string, type: ParamField['type'], value: number): number {
  if (type === 'f32') {
    asFloat[0] = value
    return floatBits[0]
  }
  const fits = type === 'i32' ? value === (value | 0) : value === value >>> 0
  if (!fits) throw new KernelError({ where, what: `parameter ${name} is no ${type}`, got: String(value) })
  return value | 0
}

/** No runtime shares its work between more. */
export const mostThreads = 64

/**
 * Writes a command's words; throws a KernelError when it cannot be counted, or parameters are missing or do not fit.
 */
export function encode(where: string, parts: CommandParts): Command {
  const { units, grain, fields, params, brief } = parts
  // Every thread may take a last run behind the end.
  const counted = Number.isInteger(units) && Number.isInteger(grain) && units > 0 && grain > 0
  if (!counted || units + mostThreads * grain >= 2 ** 31)
    throw new KernelError({
      where,
      what: 'units cannot be counted',
      expected: `whole numbers, units + ${mostThreads} grain below 2^31`,
      got: `${units} units by ${grain}`,
    })
  const words = new Int32Array(wordsOf(where, fields, params))
  const relative: number[] = []
  words[field.kernel] = parts.kernel
  words[field.units] = units
  words[field.grain] = grain
  words[field.scratch] = parts.scratch
  words[field.scratchStride] = parts.scratchStride
  let word: number = field.params
  let list = word + fields.length
  for (const { name, type } of fields) {
    const value = params[name]
    if (typeof value === 'number') words[word++] = wordOf(where, name, type, value)
    else {
      relative.push(word)
      words[word++] = 4 * list
      for (const item of value) words[list++] = wordOf(where, name, 'i32', item)
    }
  }
  return { words, relative, brief }
}

/** How many words a command takes; throws a KernelError when parameters are missing, are none, or are too many. */
function wordsOf(where: string, fields: readonly ParamField[], params: CommandParts['params']): number {
  let count = field.params + fields.length
  for (const { name } of fields) {
    const value = params[name]
    if (value === undefined) throw new KernelError({ where, what: 'kernel is not given a parameter', expected: name })
    if (typeof value !== 'number') count += value.length
  }
  const names = Object.keys(params)
  if (names.length > fields.length) {
    const extra = names.find(name => !fields.some(param => param.name === name))
    throw new KernelError({ where, what: 'kernel has no such parameter', got: extra })
  }
  if (count > ring.slotWords)
    throw new KernelError({
      where,
      what: 'too many parameters',
      expected: `${ring.slotWords} words`,
      got: String(count),
    })
  return count
}

/** Writes a command to the slot that begins at word `start` of `memory`. */
export function place(memory: Int32Array, start: number, { words, relative }: Command): void {
  memory.set(words, start)
  for (const word of relative) memory[start + word] += 4 * start
}
