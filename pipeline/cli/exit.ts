// How a command ends when something goes wrong: one line for people, an exit code for scripts.

import {
  AdapterError,
  DeviceLostError,
  FileError,
  NumberError,
  OutOfMemoryError,
  UsageError,
} from '../../tensor/index.js'
import { unprintable } from './json.js'
import { Stopped } from './stop.js'

// What something that was given can be the cause of.
const given = [UsageError, FileError, AdapterError, OutOfMemoryError, NumberError]

/** Tells of an error on standard error; gives the exit code. REVISION_DEBUG adds where it happened. */
export function report(error: unknown): number {
  console.error(`revision: ${messageOf(error)}`)
  if (process.env.REVISION_DEBUG && error instanceof Error && !(error instanceof Stopped))
    for (const line of error.stack?.split('\n') ?? []) console.error(oneLine(line))
  return exitCodeOf(error)
}

/** What people are told of an error, on one line. */
export function messageOf(error: unknown): string {
  if (error instanceof Stopped) return 'stopped'
  const message = oneLine(error instanceof Error ? error.message : String(error))
  return isOurs(error) ? `internal error, REVISION_DEBUG=1 shows where: ${message}` : message
}

/** What scripts are told of it (docs/cli.md). */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Stopped) return error.exitCode
  return isGiven(error) ? 2 : 1
}

function isGiven(error: unknown): boolean {
  return given.some(type => error instanceof type)
}

function isOurs(error: unknown): boolean {
  return !isGiven(error) && !(error instanceof DeviceLostError)
}

/** Text without line breaks, other control characters, and such as turn its direction: file names may bring them. */
export function oneLine(text: string): string {
  return text.replace(unprintable, ' ')
}
