// How a command ends when something goes wrong: one line for people, an exit code for scripts.

import { AdapterError, DeviceLostError, FileError, OutOfMemoryError, UsageError } from '../../tensor/index.js'
import { NotFiniteError } from '../finite.js'
import { Stopped } from './stop.js'

// What something that was given can be the cause of.
const given = [UsageError, FileError, AdapterError, OutOfMemoryError, NotFiniteError]

/** Tells of an error on standard error; gives the exit code. REVISION_DEBUG adds where it happened. */
export function report(error: unknown): number {
  if (error instanceof Stopped) {
    console.error('revision: stopped')
    return error.exitCode
  }
  const message = oneLine(error instanceof Error ? error.message : String(error))
  const isGiven = given.some(type => error instanceof type)
  const ours = !isGiven && !(error instanceof DeviceLostError)
  console.error(`revision: ${ours ? 'internal error, REVISION_DEBUG=1 shows where: ' : ''}${message}`)
  if (process.env.REVISION_DEBUG && error instanceof Error) console.error(error.stack)
  return isGiven ? 2 : 1
}

/** Text without line breaks and other control characters, which file names may bring along. */
export function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ')
}
