// Files that are there whole or not at all. Needs Node, whose modules are imported when a function is called.

import type { FileHandle } from 'node:fs/promises'
import { maxChunkBytes } from './source.js'
import { systemError } from './system-error.js'

// What is not finished yet lies beside its place under a name of its own; two writers never share one.
const mark = '.partial-'
const uniquePattern = /^[\da-f-]{36}$/

/**
 * Writes a file under a temporary name beside its place, then renames it: a reader sees the old file or the whole new
 * one, and a failure leaves nothing behind, nor does the end of the program, short of being killed. `write` hands over
 * the bytes piece by piece; what it throws is thrown on. Throws a FileError if the folder is missing or may not be
 * written to, or the disk refuses.
 */
export async function replaceFile(
  path: string,
  write: (append: (bytes: Uint8Array) => Promise<void>) => Promise<void>,
): Promise<void> {
  const fs = await import('node:fs/promises')
  const { rmSync } = await import('node:fs')
  const refused = (cause: unknown) => {
    throw systemError(path, 'cannot be written', cause)
  }
  const partial = path + mark + crypto.randomUUID()
  const remove = () => rmSync(partial, { force: true })
  process.prependOnceListener('exit', remove) // before anybody removes the folder
  try {
    const handle = await fs.open(partial, 'wx').catch(refused)
    try {
      await write(bytes => writeAll(handle, bytes).catch(refused))
      await handle.sync().catch(refused)
    } finally {
      await handle.close().catch(refused)
    }
    await fs.rename(partial, path).catch(refused)
  } catch (error) {
    remove()
    throw error
  } finally {
    process.off('exit', remove)
  }
}

/** Removes what programs left beside a path that were killed while they wrote it. Throws a FileError if it cannot. */
export async function sweepPartials(path: string): Promise<void> {
  const fs = await import('node:fs/promises')
  const { basename, dirname, join } = await import('node:path')
  const start = basename(path) + mark
  try {
    for (const name of await fs.readdir(dirname(path)))
      if (name.startsWith(start) && uniquePattern.test(name.slice(start.length)))
        await fs.rm(join(dirname(path), name), { force: true })
  } catch (cause) {
    throw systemError(path, 'what an earlier program left there cannot be removed', cause)
  }
}

/** In pieces, for Node refuses writes of gigabytes. */
async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, Math.min(maxChunkBytes, bytes.length - done))
    done += bytesWritten
  }
}
