// What the programs of the bench do about errors.

import { RevisionError } from '../tensor/index.js'

/** Runs a program. Errors of ours and slips in arguments are told in one line, and give the exit code 2. */
export async function runProgram(main: () => Promise<void>): Promise<void> {
  try {
    await main()
  } catch (error) {
    const ours = error instanceof RevisionError || (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS')
    console.error(ours ? (error as Error).message : error)
    process.exitCode = 2
  }
}
