// One call of a WebAssembly kernel as words in shared memory, and where such words lie.

import { KernelError } from '../errors.js'
import type { StoredTensor } from '../runtime.js'
import type { WasmParam } from './launch.js'
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

/** What a command consists of. */
export interface CommandParts {
  readonly kernel: number
  readonly units: number
  readonly grain: number
  /** Address of the first thread's private memory, and bytes from one thread's to the next. */
  readonly scratch: number
  readonly scratchStride: number
  /** On tensors of no more bytes it is brief. One that is given no tensor may do anything. */
  readonly briefBytes: number
  readonly fields: readonly ParamField[]
  readonly params: Readonly<Record<string, WasmParam>>
  addressOf(tensor: StoredTensor): number
}

/** A command ready for a slot. Lists are addressed relative to the slot: `place` makes the addresses true. */
export interface Command {
  readonly words: Int32Array
  /** How many of the words belong to it. */
  readonly count: number
  /** Words that hold an offset in bytes from the slot. */
  readonly relative: readonly number[]
  /** Whether threads would take longer to wake up than to do it. */
  readonly brief: boolean
}

/** Where commands are written first. Arrays of their own would cost small commands more than all the rest. */
const draft = new Int32Array(ring.slotWords)
const draftFloats = new Float32Array(draft.buffer)
const nothingRelative: readonly number[] = []

/** A command that outlives the next one. */
export function keepCommand({ words, count, relative, brief }: Command): Command {
  return { words: words.slice(0, count), count, relative, brief }
}

export const isTensor = (value: WasmParam): value is StoredTensor => typeof value === 'object' && !Array.isArray(value)

function writeWord(where: string, word: number, name: string, type: ParamField['type'], value: number): void {
  if (type === 'f32') {
    draftFloats[word] = value
    return
  }
  const fits = type === 'i32' ? value === (value | 0) : value === value >>> 0
  if (!fits) throw new KernelError({ where, what: `parameter ${name} is no ${type}`, got: String(value) })
  draft[word] = value
}

/** No runtime shares its work between more. */
export const mostThreads = 64

/**
 * Writes a command's words, which last until the next call; throws a KernelError when it cannot be counted, or when
 * parameters are missing, are none, do not fit, or are too many.
 */
export function encode(where: string, parts: CommandParts): Command {
  const { units, grain, fields, params } = parts
  // Every thread may take a last run behind the end.
  const counted = Number.isInteger(units) && Number.isInteger(grain) && units > 0 && grain > 0
  if (!counted || units + mostThreads * grain >= 2 ** 31)
    throw new KernelError({
      where,
      what: 'units cannot be counted',
      expected: `whole numbers, units + ${mostThreads} grain below 2^31`,
      got: `${units} units by ${grain}`,
    })
  draft.fill(0, 0, field.params)
  draft[field.kernel] = parts.kernel
  draft[field.units] = units
  draft[field.grain] = grain
  draft[field.scratch] = parts.scratch
  draft[field.scratchStride] = parts.scratchStride
  let relative = nothingRelative
  let [tensors, bytes] = [0, 0]
  let word: number = field.params
  let list = word + fields.length
  for (const { name, type } of fields) {
    const value = params[name]
    if (value === undefined) throw new KernelError({ where, what: 'kernel is not given a parameter', expected: name })
    if (typeof value === 'number') writeWord(where, word, name, type, value)
    else if (isTensor(value)) {
      draft[word] = parts.addressOf(value)
      bytes += value.storage.bytes
      tensors++
    } else {
      relative = [...relative, word]
      draft[word] = 4 * list
      for (const item of value) writeWord(where, list++, name, 'i32', item)
    }
    word++
  }
  const names = Object.keys(params)
  if (names.length > fields.length) {
    const extra = names.find(name => !fields.some(param => param.name === name))
    throw new KernelError({ where, what: 'kernel has no such parameter', got: extra })
  }
  if (list > ring.slotWords)
    throw new KernelError({
      where,
      what: 'too many parameters',
      expected: `${ring.slotWords} words`,
      got: String(list),
    })
  return { words: draft, count: list, relative, brief: tensors > 0 && bytes <= parts.briefBytes }
}

/** Writes a command to the slot that begins at word `start` of `memory`. */
export function place(memory: Int32Array, start: number, { words, count, relative }: Command): void {
  for (let i = 0; i < count; i++) memory[start + i] = words[i]
  for (const word of relative) memory[start + word] += 4 * start
}
