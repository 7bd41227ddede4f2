// The command line's commands and what is common to them.

import { readFileSync } from 'node:fs'
import yargs, { type CommandModule } from 'yargs'
import { bodyCommand } from './body.js'
import { datasetCommand } from './dataset.js'
import { depthCommand } from './depth.js'
import { doctorCommand } from './doctor.js'
import { masksCommand } from './draw-masks.js'
import { evalCommand } from './eval.js'
import { report } from './exit.js'
import { extractCommand } from './extract.js'
import { fetchCommand } from './fetch.js'
import { generateCommand } from './generate.js'
import { inspectCommand } from './inspect.js'
import { mistake, refuseRepeated, refuseWords } from './mistakes.js'
import { motionCommand } from './motion.js'
import { planCommand } from './plan.js'
import { pppmCommand } from './pppm.js'
import { randomCheckpointCommand } from './random-checkpoint.js'
import { reviseCommand } from './revise.js'
import { setupCommand } from './setup.js'
import { trainCommand } from './train.js'
import { verifyCommand } from './verify.js'

const packageFile = new URL('../../../package.json', import.meta.url)

/** Runs one command; gives the exit code (docs/cli.md). */
export async function runCli(args: readonly string[]): Promise<number> {
  let code = 0
  const verdict = (failed: boolean) => (code = failed ? 1 : 0)
  const commands = [
    generateCommand(exitCode => (code = exitCode)),
    fetchCommand,
    planCommand,
    inspectCommand,
    bodyCommand,
    depthCommand,
    reviseCommand,
    trainCommand,
    datasetCommand,
    evalCommand,
    pppmCommand,
    motionCommand,
    masksCommand,
    extractCommand,
    randomCheckpointCommand,
    setupCommand,
    doctorCommand(verdict),
    verifyCommand(verdict),
  ] as readonly CommandModule[]
  const command = commands.map(({ command }) => String(command)).find(name => name.split(' ')[0] === args[0])
  try {
    const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }
    await commands
      .reduce((program, command) => program.command(command), yargs(args))
      .scriptName('revision')
      .usage('$0 <command>\n\nVideos from pictures, by Stable Video Diffusion on WebGPU.')
      .completion('completion', 'Print a script that completes commands in bash, zsh or fish')
      .demandCommand(1, 'a command is missing')
      .example('$0 fetch svd-xt --variant fp16 --to svd-xt', '')
      .example('$0 generate --model svd-xt --image photo.png --out clip', '')
      .epilogue('`$0 <command> --help` says what a command can do.')
      .strict()
      .locale('en') // the rest of the program speaks no other language
      .middleware([refuseRepeated, refuseWords], true)
      .parserConfiguration({ 'dot-notation': false, 'boolean-negation': false })
      .wrap(Math.min(100, process.stdout.columns || 100))
      .version(version)
      .exitProcess(false)
      .fail((message, error) => {
        // yargs has an error class of its own for what a user typed.
        if (error && error.name !== 'YError') throw error
        throw mistake(error?.message ?? message, command)
      })
      .parseAsync()
    return code
  } catch (error) {
    return report(error)
  }
}
