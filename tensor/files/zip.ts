// Reading zip archives, as far as NumPy writes them: stored and deflated entries, no encryption, no zip64 directory.
// (.ZIP File Format Specification, PKWARE, sections 4.3 and 4.4.) Sizes are taken from the central directory alone,
// since NumPy leaves those of the local headers to a zip64 field, and are checked before anything is allocated.

import { FileError } from '../errors.js'
import { quote } from './quote.js'
import type { ByteSource } from './source.js'

const maxEntryBytes = 2 ** 31
const maxDirectoryBytes = 2 ** 26
// Deflate cannot do better than 1032 to 1; whatever claims more is broken or a bomb.
const maxExpansion = 1032
const firstInflated = 32_768
const endSize = 22
const maxComment = 65_535

interface ZipEntry {
  readonly name: string
  /** Start of the local header. */
  readonly offset: number
  /** Where the next entry or the directory starts. */
  limit: number
  readonly method: number
  readonly crc: number
  readonly packedSize: number
  readonly size: number
}

/** An open archive whose directory has been checked. */
export class ZipFile {
  readonly name: string
  readonly entries: ReadonlyMap<string, ZipEntry>
  private readonly source: ByteSource

  private constructor(source: ByteSource, entries: ReadonlyMap<string, ZipEntry>) {
    this.name = source.name
    this.source = source
    this.entries = entries
  }

  /** Throws a FileError on any flaw of the directory. The archive owns its source. */
  static async open(source: ByteSource): Promise<ZipFile> {
    try {
      return new ZipFile(source, await readDirectory(source))
    } catch (error) {
      await source.close()
      throw error
    }
  }

  /**
   * The bytes of an entry of at most `most` bytes (2 GiB); throws a FileError if it is missing, broken or larger than it
   * says.
   */
  async read(name: string, most = maxEntryBytes): Promise<Uint8Array> {
    const where = `${this.name}: entry ${quote(name)}`
    const entry = this.entries.get(name)
    if (!entry) throw new FileError({ where: this.name, what: `no entry ${quote(name)}` })
    if (entry.size > most) throw tooLarge(where, entry.size, most)
    const local = viewOf(await this.source.read(entry.offset, 30))
    if (local.getUint32(0, true) !== 0x04034b50) throw new FileError({ where, what: 'bad local header' })
    const start = entry.offset + 30 + local.getUint16(26, true) + local.getUint16(28, true)
    if (start + entry.packedSize > entry.limit) throw new FileError({ where, what: 'overlaps what comes after it' })
    const packed = await this.source.read(start, entry.packedSize)
    const bytes = entry.method === 0 ? packed : await inflate(where, packed, entry.size)
    const crc = crc32(bytes)
    if (crc !== entry.crc)
      throw new FileError({ where, what: 'bad checksum', expected: String(entry.crc), got: String(crc) })
    return bytes
  }

  close(): Promise<void> {
    return this.source.close()
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

async function readDirectory(source: ByteSource): Promise<Map<string, ZipEntry>> {
  const where = source.name
  const bad = (what: string, expected?: string, got?: string) => new FileError({ where, what, expected, got })
  const tailSize = Math.min(source.size, endSize + maxComment)
  const tail = viewOf(await source.read(source.size - tailSize, tailSize))
  let end = tailSize - endSize
  const isEnd = () =>
    tail.getUint32(end, true) === 0x06054b50 && end + endSize + tail.getUint16(end + 20, true) === tailSize
  while (end >= 0 && !isEnd()) end--
  if (end < 0) throw bad('not a zip archive', 'an end of central directory')
  const count = tail.getUint16(end + 10, true)
  const size = tail.getUint32(end + 12, true)
  const offset = tail.getUint32(end + 16, true)
  if (count === 0xffff || size === 0xffffffff || offset === 0xffffffff)
    throw bad('zip64 archive', 'less than 65535 entries and 4 GiB')
  if (tail.getUint16(end + 4, true) !== 0 || tail.getUint16(end + 8, true) !== count)
    throw bad('archive in several parts')
  const directoryEnd = source.size - tailSize + end
  if (size > maxDirectoryBytes || offset + size !== directoryEnd)
    throw bad('bad central directory', `its end at byte ${directoryEnd}`, String(offset + size))

  const bytes = await source.read(offset, size)
  const view = viewOf(bytes)
  const entries = new Map<string, ZipEntry>()
  let at = 0
  for (let i = 0; i < count; i++) {
    if (at + 46 > size || view.getUint32(at, true) !== 0x02014b50) throw bad(`bad directory entry ${i}`)
    const nameSize = view.getUint16(at + 28, true)
    const next = at + 46 + nameSize + view.getUint16(at + 30, true) + view.getUint16(at + 32, true)
    if (next > size) throw bad(`directory entry ${i} is cut off`)
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameSize))
    const entry: ZipEntry = {
      name,
      offset: view.getUint32(at + 42, true),
      limit: offset,
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      packedSize: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
    }
    checkEntry(where, entry, view.getUint16(at + 8, true))
    if (entries.has(name)) throw bad(`entry ${quote(name)} is there twice`)
    entries.set(name, entry)
    at = next
  }
  if (at !== size) throw bad('bad central directory', `${size} bytes`, String(at))
  setLimits(where, entries, offset)
  return entries
}

function checkEntry(where: string, { name, method, packedSize, size, offset }: ZipEntry, flags: number): void {
  const bad = (what: string, expected?: string, got?: string) =>
    new FileError({ where, what: `entry ${quote(name)}: ${what}`, expected, got })
  if (flags & 1) throw bad('encrypted')
  if (method !== 0 && method !== 8) throw bad('unknown compression', '0 (stored) or 8 (deflate)', String(method))
  if ([packedSize, size, offset].includes(0xffffffff)) throw bad('zip64 entry', 'less than 4 GiB')
  if (method === 0 && packedSize !== size) throw bad('two sizes', `${size} stored bytes`, String(packedSize))
  if (size > maxEntryBytes) throw tooLarge(`${where}: entry ${quote(name)}`, size, maxEntryBytes)
  if (size > packedSize * maxExpansion)
    throw bad('impossible expansion', `at most ${maxExpansion} to 1`, `${packedSize} bytes to ${size}`)
}

function tooLarge(where: string, size: number, most: number): FileError {
  return new FileError({ where, what: 'too large', expected: `at most ${most} bytes`, got: String(size) })
}

/** Ends each entry where the next one starts: entries that share bytes make a small archive expand without bound. */
function setLimits(where: string, entries: ReadonlyMap<string, ZipEntry>, directory: number): void {
  let limit = directory
  for (const entry of [...entries.values()].sort((a, b) => b.offset - a.offset)) {
    entry.limit = limit
    limit = entry.offset
    if (entry.offset + 30 + entry.packedSize > entry.limit)
      throw new FileError({ where, what: `entry ${quote(entry.name)} overlaps what comes after it` })
  }
}

/**
 * Undoes deflate into exactly `size` bytes; stops as soon as there are more. Memory grows with what comes out of the
 * stream, not with what the directory promises.
 */
async function inflate(where: string, packed: Uint8Array, size: number): Promise<Uint8Array> {
  let out = new Uint8Array(Math.min(size, firstInflated + 2 * packed.length))
  const stream = new DecompressionStream('deflate-raw')
  const writer = stream.writable.getWriter()
  // A broken stream is reported by its readable side; what the writer says of it as well is not wanted.
  const written = Promise.allSettled([writer.write(packed), writer.close()])
  const reader = stream.readable.getReader()
  const bad = (got: string, cause?: unknown) =>
    new FileError({ where, what: 'bad compressed data', expected: `${size} bytes`, got }, { cause })
  const next = () =>
    reader.read().catch((cause: unknown) => {
      throw bad(String(cause), cause)
    })
  let filled = 0
  try {
    for (let piece = await next(); !piece.done; piece = await next()) {
      const bytes: Uint8Array = piece.value
      const end = filled + bytes.length
      if (end > size) throw bad('more')
      if (end > out.length) {
        const wider = new Uint8Array(Math.min(size, 2 * end))
        wider.set(out.subarray(0, filled))
        out = wider
      }
      out.set(bytes, filled)
      filled = end
    }
    if (filled < size) throw bad(String(filled))
    return out
  } finally {
    // After an error there may be data left that nobody will read.
    await reader.cancel().catch(() => undefined)
    await written
  }
}

let crcTable: Uint32Array | undefined

/** The checksum of zip and png (polynomial 0xedb88320). */
function crc32(bytes: Uint8Array): number {
  crcTable ??= Uint32Array.from({ length: 256 }, (_, i) => {
    let crc = i
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
    return crc
  })
  let crc = 0xffffffff
  for (const byte of bytes) crc = crcTable[(crc ^ byte) & 0xff] ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}
