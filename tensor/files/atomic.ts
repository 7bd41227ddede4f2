// Files that are there whole or not at all. Needs Node, whose modules are imported when a function is called.

import type { FileHandle } from 'node:fs/promises'
import { maxChunkBytes } from './source.js'
import { systemError } from './system-error.js'

/** A name beside a path for what is not finished yet; two writers never share one. */
function partialName(path: string): string {
  return `${path}.partial-${crypto.randomUUID()}`
}

/**
 * Writes a file under a temporary name beside its place, then renames it: a reader sees the old file or the whole new
 * one, and a failure leaves nothing behind. `write` hands over the bytes piece by piece; what it throws is thrown on.
 * Throws a FileError if the folder is missing or may not be written to, or the disk refuses.
 */
export async function replaceFile(
  path: string,
  write: (append: (bytes: Uint8Array) => Promise<void>) => Promise<void>,
): Promise<void> {
  const fs = await import('node:fs/promises')
  const refused = (cause: unknown) => {
    throw systemError(path, 'cannot be written', cause)
  }
  const partial = partialName(path)
  const handle = await fs.open(partial, 'wx').catch(refused)
  try {
    try {
      await write(bytes => writeAll(handle, bytes).catch(refused))
      await handle.sync().catch(refused)
    } finally {
      await handle.close().catch(refused)
    }
    await fs.rename(partial, path).catch(refused)
  } catch (error) {
    await fs.rm(partial, { force: true })
    throw error
  }
}

/** In pieces, for Node refuses writes of gigabytes. */
async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, Math.min(maxChunkBytes, bytes.length - done))
    done += bytesWritten
  }
}
