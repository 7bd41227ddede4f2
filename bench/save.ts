// Writes what a bench has found.

import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { FileError } from '../tensor/index.js'

/** Writes a file, and its folder if that is missing. Throws a FileError. */
export async function save(file: string, text: string): Promise<void> {
  try {
    // One level only: Node's recursive mkdir never returns where a file system refuses with ENOENT, as /proc does.
    await mkdir(dirname(file)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
    await writeFile(file, text)
  } catch (cause) {
    const got = (cause as NodeJS.ErrnoException).code ?? String(cause)
    throw new FileError({ where: file, what: 'cannot be written', got, hint: 'another folder' }, { cause })
  }
}
