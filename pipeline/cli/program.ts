// The command line's commands and what is common to them.

import { readFileSync } from 'node:fs'
import yargs from 'yargs'
import { UsageError } from '../../tensor/index.js'
import { doctorCommand } from './doctor.js'
import { report } from './exit.js'
import { fetchCommand } from './fetch.js'
import { generateCommand } from './generate.js'
import { inspectCommand } from './inspect.js'
import { randomCheckpointCommand } from './random-checkpoint.js'

const packageFile = new URL('../../../package.json', import.meta.url)

/** Runs one command; gives the exit code (docs/cli.md). */
export async function runCli(args: readonly string[]): Promise<number> {
  try {
    const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }
    let code = 0
    await yargs(args)
      .scriptName('revision')
      .usage('$0 <command>\n\nVideos from pictures, by Stable Video Diffusion on WebGPU.')
      .command(generateCommand)
      .command(fetchCommand)
      .command(inspectCommand)
      .command(randomCheckpointCommand)
      .command(doctorCommand(failed => (code = failed ? 1 : 0)))
      .completion('completion', 'Print a script that completes commands in bash, zsh or fish')
      .demandCommand(1, 'a command is missing')
      .example('$0 fetch svd-xt --variant fp16 --to svd-xt', '')
      .example('$0 generate --model svd-xt --image photo.png --out clip', '')
      .epilogue('`$0 <command> --help` says what a command can do.')
      .strict()
      .parserConfiguration({ 'dot-notation': false, 'duplicate-arguments-array': false, 'boolean-negation': false })
      .version(version)
      .exitProcess(false)
      .fail((message, error) => {
        // yargs has an error class of its own for what a user typed.
        if (error && error.name !== 'YError') throw error
        throw new UsageError({ where: 'arguments', what: error?.message ?? message, hint: 'revision --help' })
      })
      .parseAsync()
    return code
  } catch (error) {
    return report(error)
  }
}
