// Files on disk. The only file here that needs Node; its modules are imported when a function is called, so that a
// browser may load it along with the rest.

import type { FileHandle } from 'node:fs/promises'
import { allocateHost, byteSize, type DType, type HostArray } from '../dtype.js'
import { FileError, ShapeError } from '../errors.js'
import { type Shape, showShape, sizeOf } from '../shape.js'
import { encodeHeader } from './safetensors-header.js'
import { SafetensorsFile } from './safetensors.js'
import { ShardedFile } from './shards.js'
import { type ByteSource, checkRange, closedError, maxChunkBytes } from './source.js'
import { quote } from './quote.js'
import type { TensorFile } from './tensor-file.js'

/** What an error of the file system says in short, like ENOENT. */
function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
}

function systemError(where: string, what: string, cause: unknown): FileError {
  if (cause instanceof FileError) return cause
  return new FileError({ where, what, got: codeOf(cause) }, { cause })
}

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

/** Opens `<name>.safetensors` on disk; throws a FileError if it is malformed. */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  return SafetensorsFile.open(await NodeFileSource.open(path))
}

/**
 * Opens a checkpoint on disk, in one file or in shards: `path` is `<name>.safetensors` or its index,
 * `<name>.safetensors.index.json`. If the one file is not there but its index is, the index is taken.
 */
export async function openCheckpoint(path: string): Promise<TensorFile> {
  const { access } = await import('node:fs/promises')
  const { dirname, join } = await import('node:path')
  const exists = (file: string) =>
    access(file).then(
      () => true,
      () => false,
    )
  const beside = `${path}.index.json`
  const index = path.endsWith('.json') ? path : !(await exists(path)) && (await exists(beside)) ? beside : undefined
  if (index === undefined) return openSafetensors(path)
  return ShardedFile.open(await NodeFileSource.open(index), name => NodeFileSource.open(join(dirname(index), name)))
}

/** A tensor to be written. Given as a function its data is made, or read back from a device, only when its turn comes. */
export interface SafetensorsEntry {
  name: string
  dtype: DType
  shape: Shape
  data: HostArray | (() => HostArray | Promise<HostArray>)
}

/**
 * Writes a safetensors file so that `path` either holds all of it or stays as it was: everything goes to a temporary
 * file beside it, which then takes its name. Throws a ShapeError if data does not fit its dtype and shape, a UsageError
 * on bad names, a FileError if the disk refuses; none leaves the temporary file behind.
 */
export async function writeSafetensors(
  path: string,
  entries: Iterable<SafetensorsEntry>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const fs = await import('node:fs/promises')
  const { basename, dirname, join } = await import('node:path')
  const { randomUUID } = await import('node:crypto')
  // Wide elements first, as the official writer does: then each tensor starts at a multiple of its element's size.
  const ordered = [...entries].sort((a, b) => byteSize(b.dtype) - byteSize(a.dtype))
  for (const entry of ordered) checkShape(path, entry)
  const header = encodeHeader(path, ordered, metadata)
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`)
  const handle = await fs.open(temporary, 'wx').catch((cause: unknown) => {
    throw systemError(path, 'cannot be written', cause)
  })
  try {
    try {
      await writeAll(path, handle, header)
      for (const entry of ordered) {
        const data = typeof entry.data === 'function' ? await entry.data() : entry.data
        checkData(path, entry, data)
        await writeAll(path, handle, new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
      }
      await handle.sync()
    } finally {
      await handle.close()
    }
    await fs.rename(temporary, path).catch((cause: unknown) => {
      throw systemError(path, 'cannot be replaced', cause)
    })
  } catch (error) {
    await fs.rm(temporary, { force: true })
    throw error
  }
}

async function writeAll(path: string, handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const piece = Math.min(maxChunkBytes, bytes.length - done)
    const { bytesWritten } = await handle.write(bytes, done, piece).catch((cause: unknown) => {
      throw systemError(path, 'cannot be written', cause)
    })
    done += bytesWritten
  }
}

function checkShape(where: string, { name, shape }: SafetensorsEntry): void {
  if (!shape.every(n => Number.isSafeInteger(n) && n >= 0) || !Number.isSafeInteger(sizeOf(shape)))
    throw new ShapeError({ where, what: `tensor ${quote(name)}: bad shape`, got: showShape(shape) })
}

function checkData(where: string, { name, dtype, shape }: SafetensorsEntry, data: HostArray): void {
  const expected = allocateHost(dtype, 0)
  if (data.constructor !== expected.constructor || data.length !== sizeOf(shape))
    throw new ShapeError({
      where,
      what: `tensor ${quote(name)}: data does not fit`,
      expected: `${expected.constructor.name} of ${sizeOf(shape)} for ${dtype} ${showShape(shape)}`,
      got: `${data.constructor.name} of ${data.length}`,
    })
}
