// `revision verify`: golden numbers against what this machine computes.

import type { CommandModule } from 'yargs'
import { isSkip, type VerifyOutcome } from '../verify/outcome.js'
import { reportOf, verify } from '../verify/verify.js'
import { oneLine } from './exit.js'
import { jsonText } from './json.js'
import { openFor, runtimeOptions, type RuntimeArguments } from './options.js'

interface VerifyArguments extends RuntimeArguments {
  folder: string
  json?: boolean
}

/** `onEnd` learns whether any tensor is wrong. */
export function verifyCommand(onEnd: (failed: boolean) => void): CommandModule<object, VerifyArguments> {
  return {
    command: 'verify <folder>',
    describe: 'Compare golden numbers with what this machine computes',
    builder: program =>
      program
        .positional('folder', { type: 'string', describe: 'A folder of golden files, or of such folders' })
        .options({ json: { type: 'boolean', describe: 'Print one JSON object' }, ...runtimeOptions }) as never,
    handler: async args => onEnd(await run(args)),
  }
}

async function run({ folder, json, ...args }: VerifyArguments): Promise<boolean> {
  const runtime = await openFor(args)
  try {
    const outcomes: VerifyOutcome[] = []
    for await (const outcome of verify(folder, runtime)) {
      outcomes.push(outcome)
      if (!json) console.log(describe(outcome))
    }
    const report = reportOf(outcomes)
    if (json) console.log(jsonText(report, 2))
    else console.log(`${report.passed} passed, ${report.failed} failed, ${report.skipped.length} skipped`)
    return report.failed > 0
  } finally {
    await runtime.close()
  }
}

function describe(outcome: VerifyOutcome): string {
  if (isSkip(outcome)) return oneLine(`skip  ${outcome.name} (${outcome.reason})`)
  const { name, tensor, error, tolerance, ok, absolute, message } = outcome
  const kind = absolute ? 'largest difference' : 'relative error'
  const detail = message ?? `${kind} ${error.toExponential(1)}, allowed ${Number(tolerance.toPrecision(2))}`
  return oneLine(`${ok ? 'pass' : 'FAIL'}  ${name} ${tensor} (${detail})`)
}
