// What tells two training runs apart.

import { isDeepStrictEqual } from 'node:util'
import { isObject } from '../models/config-reader.js'
import { quoteValue } from '../tensor/files/quote.js'
import { UsageError } from '../tensor/index.js'

// More are not told.
const shown = 4

/** A setting that two runs do not share. */
interface Difference {
  readonly name: string
  readonly wanted: unknown
  readonly found: unknown
}

/** Throws a UsageError that names the settings in which a run differs from the one that a folder holds. */
export function checkSameRun(
  folder: string,
  wanted: Readonly<Record<string, unknown>>,
  found: Readonly<Record<string, unknown>>,
): void {
  const differences = differencesOf('', wanted, found).slice(0, shown)
  if (differences.length === 0) return
  const list = (of: 'wanted' | 'found') =>
    differences.map(({ name, [of]: value }) => `${name} ${told(value)}`).join(', ')
  throw new UsageError({
    where: folder,
    what: 'holds a run of other settings',
    expected: list('wanted'),
    got: list('found'),
    hint: 'another folder, or the settings of that run',
  })
}

function differencesOf(name: string, wanted: unknown, found: unknown): Difference[] {
  if (isDeepStrictEqual(wanted, found)) return []
  const within = (part: string, a: unknown, b: unknown) => differencesOf(name === '' ? part : `${name}.${part}`, a, b)
  if (isObject(wanted) && isObject(found))
    return Object.keys({ ...wanted, ...found }).flatMap(key =>
      // What all runs have in common stands beside the rest in a configuration.
      key === 'settings' ? differencesOf(name, wanted[key], found[key]) : within(snake(key), wanted[key], found[key]),
    )
  if (Array.isArray(wanted) && Array.isArray(found) && wanted.length === found.length)
    return wanted.flatMap((item, i) => within(String(i), item, found[i]))
  return [{ name, wanted, found }]
}

/** As configurations spell it. */
function snake(key: string): string {
  return key.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
}

function told(value: unknown): string {
  return Array.isArray(value) && value.some(isObject) ? `of ${value.length}` : quoteValue(value)
}
