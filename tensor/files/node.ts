// Files on disk. Needs Node, whose modules are imported when a function is called, so that a browser may load this file
// along with the rest.

import type { FileHandle } from 'node:fs/promises'
import { FileError } from '../errors.js'
import { type ByteSource, checkRange, closedError, maxChunkBytes } from './source.js'
import { reasonOf, systemError } from './system-error.js'

/** A regular file, read at positions in pieces of at most 64 MiB: Node refuses or breaks on reads of gigabytes. */
export class NodeFileSource implements ByteSource {
  readonly name: string
  readonly size: number
  private handle: FileHandle | undefined

  private constructor(name: string, size: number, handle: FileHandle) {
    this.name = name
    this.size = size
    this.handle = handle
  }

  /** Throws a FileError if the path is no regular file or cannot be opened. */
  static async open(path: string): Promise<NodeFileSource> {
    const fs = await import('node:fs/promises')
    try {
      // Looked at before it is opened: opening a pipe would wait for somebody to write to it.
      const stat = await fs.stat(path)
      if (!stat.isFile()) throw new FileError({ where: path, what: 'not a regular file' })
      return new NodeFileSource(path, stat.size, await fs.open(path, 'r'))
    } catch (cause) {
      if (reasonOf(cause) === 'ENOENT') throw new FileError({ where: path, what: 'there is no such file' }, { cause })
      throw systemError(path, 'cannot be opened', cause)
    }
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    if (!this.handle) throw closedError(this.name)
    checkRange(this.name, this.size, offset, length)
    const out = new Uint8Array(length)
    for (let done = 0; done < length;) {
      const piece = Math.min(maxChunkBytes, length - done)
      const { bytesRead } = await this.handle.read(out, done, piece, offset + done).catch((cause: unknown) => {
        throw systemError(this.name, 'cannot be read', cause)
      })
      if (bytesRead === 0)
        throw new FileError({
          where: this.name,
          what: 'the file became shorter while it was read',
          expected: `${this.size} bytes`,
          got: String(offset + done),
        })
      done += bytesRead
    }
    return out
  }

  async close(): Promise<void> {
    const { handle } = this
    this.handle = undefined
    await handle?.close()
  }
}
