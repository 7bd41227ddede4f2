// One large file from a server to the disk. What has come is kept under the file's name with `.partial`, so that a
// download which breaks off goes on there, now or when the program runs again; a file gets its name when it is whole
// and its checksum right.

import { createHash, type Hash } from 'node:crypto'
import { constants } from 'node:fs'
import { open, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import {
  bodyOf,
  discard,
  type HttpOptions,
  HttpStatusError,
  retry,
  send,
  type Target,
  targetOf,
  TransientFailure,
} from '../../tensor/files/http-request.js'
import { quote } from '../../tensor/files/quote.js'
import { systemError } from '../../tensor/files/system-error.js'
import { FileError } from '../../tensor/index.js'

const hashChunkBytes = 2 ** 22

/** A file on a server. */
export interface RemoteFile {
  readonly url: string
  readonly size: number
  /** In hexadecimal, if it is known. */
  readonly sha256: string | undefined
}

/** How to ask the server. */
export interface DownloadOptions extends HttpOptions {
  /** Hears how many bytes of the file are there. */
  progress?: (bytes: number) => void
}

const partialPath = (path: string): string => `${path}.partial`

/**
 * Bytes of a file that are at `path` already, whole or in part; throws a FileError if another file is there, as far as
 * sizes can tell.
 */
export async function bytesPresent({ size }: Pick<RemoteFile, 'size'>, path: string): Promise<number> {
  const present = await sizeOfFile(path)
  if (present !== undefined && present !== size) throw otherFile(path)
  return present ?? (await sizeOfFile(partialPath(path))) ?? 0
}

/** Size of a regular file, undefined if there is none; throws a FileError on anything else in its place. */
async function sizeOfFile(path: string): Promise<number | undefined> {
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined
    throw systemError(path, 'cannot be read', cause)
  })
  // A pipe would be waited for.
  if (found && !found.isFile()) throw new FileError({ where: path, what: 'not a regular file' })
  return found?.size
}

function otherFile(path: string): FileError {
  return new FileError({
    where: path,
    what: 'another file of this name is there',
    hint: 'removing it, or another folder',
  })
}

/**
 * Brings a file to `path`, whose folder has to exist. A whole one that is there already stays. Throws a FileError if
 * another one is there, the server refuses, what it sends does not fit size or checksum, or the disk is full.
 */
export async function download(file: RemoteFile, path: string, options: DownloadOptions = {}): Promise<void> {
  const target = targetOf(file.url, options)
  const { signal } = target
  signal.throwIfAborted()
  await bytesPresent(file, path)
  if ((await sizeOfFile(path)) !== undefined) {
    await using whole = await GrowingFile.open(path, constants.O_RDONLY, options.progress)
    await whole.readHash(signal)
    if (fits(file, whole)) return
    throw otherFile(path)
  }
  const partial = partialPath(path)
  await using growing = await GrowingFile.open(partial, constants.O_RDWR | constants.O_CREAT, options.progress)
  await growing.readHash(signal)
  // Without a checksum nobody would notice parts of two versions.
  if (growing.size > file.size || file.sha256 === undefined) await growing.clear()
  const resumed = growing.size > 0
  await transfer(target, file, growing)
  // What an earlier run left may be of another version.
  if (resumed && !fits(file, growing)) {
    await growing.clear()
    await transfer(target, file, growing)
  }
  if (!fits(file, growing)) {
    await rm(partial)
    throw new FileError({
      where: target.name,
      what: 'wrong checksum',
      expected: `sha256 ${file.sha256}`,
      got: growing.sha256,
      hint: 'downloading it again',
    })
  }
  await growing.sync()
  await rename(partial, path).catch((cause: unknown) => {
    throw systemError(path, 'cannot be written', cause)
  })
}

function fits({ size, sha256 }: RemoteFile, file: GrowingFile): boolean {
  return file.size === size && (sha256 === undefined || file.sha256 === sha256)
}

/** Asks for what is missing until nothing is. */
async function transfer(target: Target, { size }: RemoteFile, growing: GrowingFile): Promise<void> {
  const { name: where } = target
  await retry(
    target,
    async () => {
      if (growing.size === size) return
      // Compressed pieces could not be put together.
      const plain = { 'accept-encoding': 'identity' }
      const range = growing.size > 0 ? { range: `bytes=${growing.size}-` } : undefined
      const response = await send(target, { ...plain, ...range })
      // A server without ranges sends everything.
      const start = response.status === 200 ? 0 : growing.size
      try {
        checkResponse(where, response, start, size)
      } catch (error) {
        await discard(response)
        throw error
      }
      if (start < growing.size) await growing.clear()
      for await (const bytes of bodyOf(response)) {
        if (growing.size + bytes.length > size)
          throw new FileError({ where, what: 'the server sends more than it told', expected: `${size} bytes` })
        await growing.append(bytes)
      }
      if (growing.size < size) throw new TransientFailure(`${growing.size} of ${size} bytes`)
    },
    () => growing.size,
  )
}

/** The rest from `start` on of a file of `size` bytes is to come. */
function checkResponse(where: string, { status, headers }: Response, start: number, size: number): void {
  const expected = start > 0 ? 206 : 200
  if (status !== expected) throw new HttpStatusError(where, expected, status)
  const range = headers.get('content-range') ?? ''
  if (status === 206 && !new RegExp(`^bytes ${start}-${size - 1}/(${size}|\\*)$`).test(range))
    throw new FileError({
      where,
      what: 'the server sends another part than asked for',
      expected: `bytes ${start}-${size - 1}/${size}`,
      got: range === '' ? 'none' : quote(range),
    })
  const length = headers.get('content-length')
  if (length !== null && Number(length) !== size - start)
    throw new FileError({
      where,
      what: 'the server sends another length than it told',
      expected: `${size - start} bytes`,
      got: quote(length),
    })
}

/** A file that grows at its end, and the checksum of what is in it. */
class GrowingFile implements AsyncDisposable {
  /** Bytes that the checksum has seen. */
  size = 0
  private hash: Hash = createHash('sha256')

  private constructor(
    private readonly path: string,
    private readonly handle: FileHandle,
    private readonly progress: ((bytes: number) => void) | undefined,
  ) {}

  static async open(path: string, flags: number, progress?: (bytes: number) => void): Promise<GrowingFile> {
    const handle = await open(path, flags).catch((cause: unknown) => {
      throw systemError(path, 'cannot be opened', cause)
    })
    return new GrowingFile(path, handle, progress)
  }

  get sha256(): string {
    return this.hash.copy().digest('hex')
  }

  /** Reads what is there already. */
  async readHash(signal: AbortSignal): Promise<void> {
    const chunk = new Uint8Array(hashChunkBytes)
    for (;;) {
      signal.throwIfAborted()
      const { bytesRead } = await this.handle.read(chunk, 0, chunk.length, this.size).catch(this.refused)
      if (bytesRead === 0) return
      this.grow(chunk.subarray(0, bytesRead))
    }
  }

  async append(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;)
      done += (await this.handle.write(bytes, done, bytes.length - done, this.size + done).catch(this.refused))
        .bytesWritten
    this.grow(bytes)
  }

  async clear(): Promise<void> {
    await this.handle.truncate(0).catch(this.refused)
    this.hash = createHash('sha256')
    this.size = 0
  }

  /** Returns when everything is on the disk. */
  async sync(): Promise<void> {
    await this.handle.sync().catch(this.refused)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.handle.close().catch(() => undefined)
  }

  private grow(bytes: Uint8Array): void {
    this.hash.update(bytes)
    this.size += bytes.length
    this.progress?.(this.size)
  }

  private readonly refused = (cause: unknown): never => {
    throw systemError(this.path, 'cannot be read or written', cause)
  }
}
