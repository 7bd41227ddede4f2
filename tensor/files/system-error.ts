// What the operating system or the network says when it refuses, as errors of ours.

import { FileError } from '../errors.js'

/** What went wrong: the system's short name for it, such as ENOSPC, or else the message. */
export function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  return 'code' in cause ? String(cause.code) : cause.message
}

/** A FileError with the system's reason; one that is a FileError already comes back as it is. */
export function systemError(where: string, what: string, cause: unknown): FileError {
  if (cause instanceof FileError) return cause
  return new FileError({ where, what, got: reasonOf(cause) }, { cause })
}
