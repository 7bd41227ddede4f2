// Sizes of memory as people write them.

import { quote } from '../../tensor/files/quote.js'
import { UsageError } from '../../tensor/index.js'

const units: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
}

/** Reads `12GiB`, `800 MB` or a plain number of bytes. Throws a UsageError on anything else. */
export function parseBytes(where: string, text: string): number {
  const [, number, unit = ''] = /^(\d{1,15}(?:\.\d{1,6})?) ?([kmg]?i?b)?$/i.exec(text.trim()) ?? []
  const bytes = Math.floor(Number(number) * units[unit.toLowerCase()])
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes
  throw new UsageError({
    where,
    what: 'not an amount of memory',
    expected: 'bytes, or a number with KiB, MiB or GiB',
    got: quote(text),
  })
}
