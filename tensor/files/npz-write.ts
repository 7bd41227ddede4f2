// Writing NumPy's archives: a zip of .npy files, stored as they are. Needs Node.

import { byteSize } from '../dtype.js'
import { UsageError } from '../errors.js'
import { replaceFile } from './atomic.js'
import { npyBytes, type NpyEntry } from './npy-write.js'

/** What an archive holds under a name. */
export type NpzEntry = NpyEntry

// What a 32-bit zip can hold.
const most = 2 ** 32 - 1

/**
 * Writes arrays by name as a .npz file, whole or not at all; `numpy.load` and `NpzFile` read it. The same arrays give
 * the same bytes. Throws a UsageError for arrays that numpy has no type for or that are too large, a FileError when the
 * disk refuses.
 */
export async function writeNpz(path: string, arrays: Readonly<Record<string, NpzEntry>>): Promise<void> {
  const { crc32 } = await import('node:zlib')
  await replaceFile(path, async append => {
    const directory: Uint8Array[] = []
    let offset = 0
    for (const [name, entry] of Object.entries(arrays)) {
      if (entry.data.length * byteSize(entry.dtype) > most) throw tooLarge(path, name)
      const bytes = npyBytes(`${path}: array ${name}`, entry)
      const file = new TextEncoder().encode(`${name}.npy`)
      const common = zipFields(crc32(bytes), bytes.length, file.length)
      await append(joined(words(0x04034b50), common, file, bytes))
      // No comment, disk 0, no attributes, where the file begins.
      directory.push(joined(words(0x02014b50), halves(20), common, halves(0, 0, 0), words(0, offset), file))
      offset += 4 + common.length + file.length + bytes.length
      if (offset > most) throw tooLarge(path, name)
    }
    const index = joined(...directory)
    const count = directory.length
    await append(joined(index, words(0x06054b50), halves(0, 0, count, count), words(index.length, offset), halves(0)))
  })
}

/** What a file's own header and the directory both say: version 2.0, stored, 1980-01-01, checksum and sizes. */
function zipFields(checksum: number, size: number, nameLength: number): Uint8Array {
  return joined(halves(20, 0x800, 0, 0, 0x21), words(checksum, size, size), halves(nameLength, 0))
}

function tooLarge(path: string, name: string): UsageError {
  return new UsageError({ where: `${path}: array ${name}`, what: 'too large for a zip', expected: `${most} bytes` })
}

/** 16-bit numbers, little-endian. */
function halves(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values.flatMap(value => [value & 255, (value >>> 8) & 255]))
}

/** 32-bit numbers, little-endian. */
function words(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values.flatMap(value => [0, 8, 16, 24].map(shift => (value >>> shift) & 255)))
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}
