// Files that are there whole or not at all.

import { randomBytes } from 'node:crypto'
import { rename, rm, writeFile } from 'node:fs/promises'
import { FileError } from '../../tensor/errors.js'

/** A name beside a path for what is not finished yet; two writers never share one. */
export function partialName(path: string): string {
  return `${path}.partial-${process.pid}-${randomBytes(4).toString('hex')}`
}

/**
 * Writes a file under a temporary name beside its place, then renames it: a reader sees the old file or the whole new
 * one, and a failure leaves nothing behind.
 *
 * @throws FileError when the folder is missing or may not be written to
 */
export async function writeFileAtomically(path: string, bytes: Uint8Array): Promise<void> {
  const partial = partialName(path)
  try {
    await writeFile(partial, bytes, { flag: 'wx' })
    await rename(partial, path)
  } catch (cause) {
    await rm(partial, { force: true })
    throw new FileError({ where: path, what: 'the file cannot be written', got: reasonOf(cause) }, { cause })
  }
}

/** What went wrong: the system's short name for it, such as ENOSPC, or else the message. */
export function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  return 'code' in cause ? String(cause.code) : cause.message
}
