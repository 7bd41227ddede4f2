// A folder of results that is there whole or not at all.

import { rmdirSync, rmSync } from 'node:fs'
import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { FileError, LifetimeError, UsageError } from '../../tensor/errors.js'
import { folderExists, missingFolders } from '../../tensor/files/folder.js'
import { quote } from '../../tensor/files/quote.js'
import { reasonOf } from './atomic.js'
import { writePng } from './encode.js'
import type { Picture } from './picture.js'

const framePattern = /^frame_\d{4,}\.png$/

// Names of temporary folders tell the machine and the process that they belong to.
const machine = hostname()
  .replace(/[^\w.-]/g, '_')
  .slice(0, 64)
const ownerPattern = /^(\d+)-[\da-f-]{36}$/

/** frame_0000.png, frame_0001.png, ... */
export function frameName(index: number): string {
  return `frame_${String(index).padStart(4, '0')}.png`
}

/**
 * Collects files in a temporary folder and puts them into place at the end: `create`, then `file` and `writeFrame` as
 * often as needed, then `commit`, or `discard` to leave no trace. `using` discards what was
 * not committed, and so does the end of the program.
 */
export class OutputFolder {
  /** Where the files will be. */
  readonly path: string
  private readonly partial: string
  /** Folders that were made to hold the partial one, the outermost first. */
  private readonly made: string[] = []
  private open = true

  private constructor(path: string, partial: string) {
    this.path = path
    this.partial = partial
    process.once('exit', this.onExit)
  }

  /**
   * Makes the temporary folder, so that a place that cannot be written to is known before any work is done. It lies
   * beside a folder that is yet to be made, which then appears in one step, and inside one that is there already,
   * whose parent may be out of bounds or on another disk. What programs left there that were killed is removed.
   *
   * @throws UsageError when the folder cannot be made or written to, or is a file
   */
  static async create(path: string): Promise<OutputFolder> {
    if (path.trim() === '') throw new UsageError({ where: 'output', what: 'the name of the folder is empty' })
    const target = resolve(path)
    try {
      const exists = await folderExists(target)
      const start = `${exists ? target + sep : target}.partial-${machine}-`
      await sweep(start)
      const folder = new OutputFolder(target, `${start}${process.pid}-${crypto.randomUUID()}`)
      await folder.make()
      return folder
    } catch (cause) {
      throw new UsageError(
        {
          where: path,
          what: 'the output folder cannot be made or written to',
          got: reasonOf(cause),
          hint: 'another folder',
        },
        { cause },
      )
    }
  }

  /**
   * The path to write a file of this name to, until it is moved by `commit`.
   *
   * @throws UsageError for a name with folders in it; LifetimeError after commit or discard
   */
  file(name: string): string {
    this.checkOpen()
    if (name !== basename(name) || ['', '.', '..'].includes(name))
      throw new UsageError({ where: this.path, what: 'not the name of a file', got: quote(name) })
    return join(this.partial, name)
  }

  /** Writes one frame as frame_0000.png, ...; `note` becomes its comment. */
  async writeFrame(index: number, picture: Picture, note?: string): Promise<void> {
    await writePng(this.file(frameName(index)), picture, note)
  }

  /**
   * Moves everything into place. In a folder that was there before, files of the same names are replaced, and so that
   * two videos never mix, those that `isOld` names are removed; by default frames, if frames were written.
   *
   * @throws FileError when a folder stands where a file must go, or the disk refuses
   */
  async commit(isOld?: (name: string) => boolean): Promise<void> {
    this.checkOpen()
    try {
      if (await folderExists(this.path)) await this.merge(isOld)
      else await rename(this.partial, this.path)
      this.close()
    } catch (cause) {
      throw new FileError(
        { where: this.path, what: 'the results cannot be moved into the output folder', got: reasonOf(cause) },
        { cause },
      )
    }
  }

  /** Removes everything that was written or made here. Does nothing after commit. */
  discard(): void {
    if (!this.open) return
    this.close()
    // Tried again where a write that has not ended makes a file meanwhile.
    rmSync(this.partial, { recursive: true, force: true, maxRetries: 5 })
    try {
      for (const folder of this.made.toReversed()) rmdirSync(folder)
    } catch {
      // Someone else has begun to use a folder.
    }
  }

  [Symbol.dispose](): void {
    this.discard()
  }

  private async make(): Promise<void> {
    try {
      for (const folder of await missingFolders(dirname(this.partial))) {
        await mkdir(folder)
        this.made.push(folder)
      }
      await mkdir(this.partial)
    } catch (error) {
      this.discard()
      throw error
    }
  }

  // A program that ends in the middle leaves nothing either.
  private readonly onExit = (): void => this.discard()

  private close(): void {
    this.open = false
    process.off('exit', this.onExit)
  }

  private async merge(isOld: ((name: string) => boolean) | undefined): Promise<void> {
    const made = await readdir(this.partial)
    const present = await readdir(this.path, { withFileTypes: true })
    const blocked = present.find(entry => entry.isDirectory() && made.includes(entry.name))
    if (blocked) throw new Error(`a folder named ${blocked.name} is in the way`)
    for (const name of made) await rename(join(this.partial, name), join(this.path, name))
    const isStale = isOld ?? (name => framePattern.test(name) && made.some(other => framePattern.test(other)))
    const stale = present.filter(entry => !entry.isDirectory() && isStale(entry.name) && !made.includes(entry.name))
    for (const { name } of stale) await rm(join(this.path, name))
    await rmdir(this.partial)
  }

  private checkOpen(): void {
    if (this.open) return
    throw new LifetimeError({ where: this.path, what: 'the output folder has been committed or discarded' })
  }
}

/** Removes temporary folders of this beginning whose process, on this machine, is no more. */
async function sweep(start: string): Promise<void> {
  const folder = dirname(start)
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  for (const entry of entries) {
    if (!entry.isDirectory() || !entry.name.startsWith(basename(start))) continue
    const [, pid] = ownerPattern.exec(entry.name.slice(basename(start).length)) ?? []
    if (pid && !isAlive(Number(pid))) await rm(join(folder, entry.name), { recursive: true }).catch(() => undefined)
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0) // asks, and sends nothing
    return true
  } catch (error) {
    return reasonOf(error) !== 'ESRCH'
  }
}
