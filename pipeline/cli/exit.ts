// How a command ends when something goes wrong: one line for people, an exit code for scripts.

import { AdapterError, FileError, OutOfMemoryError, UsageError } from '../../tensor/index.js'

/** The user stopped the program. */
export class Stopped extends Error {}

// What a user can do something about; anything else is ours.
const expected = [UsageError, FileError, AdapterError, OutOfMemoryError]

/** Tells of an error on standard error; gives the exit code. REVISION_DEBUG adds where it happened. */
export function report(error: unknown): number {
  if (error instanceof Stopped) {
    console.error('revision: stopped')
    return 130
  }
  const message = oneLine(error instanceof Error ? error.message : String(error))
  const known = expected.some(type => error instanceof type)
  console.error(`revision: ${known ? '' : 'internal error, REVISION_DEBUG=1 shows where: '}${message}`)
  if (process.env.REVISION_DEBUG && error instanceof Error) console.error(error.stack)
  return known ? 2 : 1
}

/** Text without line breaks and other control characters, which file names may bring along. */
export function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ')
}
