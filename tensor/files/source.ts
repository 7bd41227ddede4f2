// Where the bytes of a file come from. Readers of formats know only this interface, so that they run alike on a file of
// Node, on bytes in memory and in a browser.

import { FileError, LifetimeError } from '../errors.js'

/** Largest number of bytes that one read of the system or one chunk of a tensor asks for. */
export const maxChunkBytes = 64 * 2 ** 20

/** Random access to the bytes of one file. */
export interface ByteSource {
  /** What messages call this file. */
  readonly name: string
  /** Bytes in all. */
  readonly size: number
  /**
   * Exactly `length` bytes from `offset` on, in fresh memory that belongs to the caller and starts at byte 0 of its
   * buffer. Throws a FileError if that range does not lie within the file or cannot be read.
   */
  read(offset: number, length: number): Promise<Uint8Array>
  /** Frees what the source holds; later reads throw a LifetimeError. */
  close(): Promise<void>
}

/** Throws a FileError unless `offset`..`offset + length` lies within a file of `size` bytes. */
export function checkRange(where: string, size: number, offset: number, length: number): void {
  const valid = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0
  if (!valid || offset > size - length)
    throw new FileError({
      where,
      what: 'read beyond the end of the file',
      expected: `a range within ${size} bytes`,
      got: `${length} bytes at ${offset}`,
    })
}

/** The error of a read after close(). */
export function closedError(where: string): LifetimeError {
  return new LifetimeError({ where, what: 'the file is closed', hint: 'reading before close()' })
}

/** A source over bytes in memory. */
export class MemorySource implements ByteSource {
  readonly name: string
  readonly size: number
  private bytes: Uint8Array | undefined

  constructor(name: string, bytes: Uint8Array) {
    this.name = name
    this.size = bytes.length
    this.bytes = bytes
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    if (!this.bytes) throw closedError(this.name)
    checkRange(this.name, this.size, offset, length)
    const out = new Uint8Array(length)
    out.set(this.bytes.subarray(offset, offset + length))
    return out
  }

  async close(): Promise<void> {
    this.bytes = undefined
  }
}
