// Writes what a bench has found.

import { dirname } from 'node:path'
import { makeFolder, replaceFile } from '../tensor/files/index.js'

/** Writes a file, and its folder if that is missing. Throws a FileError. */
export async function save(file: string, text: string): Promise<void> {
  await makeFolder(dirname(file))
  await replaceFile(file, append => append(new TextEncoder().encode(text)))
}
