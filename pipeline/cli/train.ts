// `revision train`: a model learns from a folder of data, in a folder of its own that it goes on from when it is stopped.

import { readFile } from 'node:fs/promises'
import type { CommandModule } from 'yargs'
import { reasonOf } from '../../tensor/files/index.js'
import { UsageError } from '../../tensor/index.js'
import { readLibrary } from '../../train/motion/library.js'
import { parsePPPMTrainConfig } from '../../train/pppm/config.js'
import { trainPPPM } from '../../train/pppm/train.js'
import type { RunEvent } from '../../train/run.js'
import { jsonText } from './json.js'
import { openFor, runtimeOptions, type RuntimeArguments } from './options.js'
import { StatusLine, timeLeft } from './status-line.js'
import { StopSignals } from './stop.js'

interface TrainArguments extends RuntimeArguments {
  what: 'pppm'
  config: string
  motions: string
  out: string
  json?: boolean
  quiet?: boolean
}

export const trainCommand: CommandModule<object, TrainArguments> = {
  command: 'train <what>',
  describe: 'Train a model',
  builder: program =>
    program
      .positional('what', { choices: ['pppm'] as const, describe: 'pppm: the motion prior' })
      .options({
        config: { type: 'string', demandOption: true, requiresArg: true, describe: 'JSON file of settings' },
        motions: { type: 'string', demandOption: true, requiresArg: true, describe: 'Folder of motions to learn from' },
        out: { type: 'string', demandOption: true, requiresArg: true, describe: 'Folder of the run' },
        json: { type: 'boolean', describe: 'Print events, a JSON object a line' },
        quiet: { type: 'boolean', describe: 'Tell nothing on the way' },
        ...runtimeOptions,
      })
      .example('$0 train pppm --config pppm.json --motions cmu --out runs/pppm', '') as never,
  handler: run,
}

async function run({ config: path, motions, out, json, quiet, ...where }: TrainArguments): Promise<void> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new UsageError({ where: path, what: 'cannot be read', got: reasonOf(cause) }, { cause })
  })
  const config = parsePPPMTrainConfig(path, text)
  const status = new StatusLine()
  using stop = new StopSignals()
  const { signal } = stop
  if (!quiet && !json) signal.addEventListener('abort', () => status.line('stopping ... (again: at once)'))
  const library = await readLibrary(motions, name => !quiet && !json && status.change(`reading ${name}`))
  for (const { name, reason } of library.skipped) if (!quiet && !json) status.line(`left out ${name}: ${reason}`)
  const runtime = await openFor(where, { quiet: quiet || json })
  try {
    for await (const event of trainPPPM(runtime, { library, config, folder: out, signal })) {
      if (json) console.log(jsonText(event))
      else if (!quiet) show(status, event)
    }
  } finally {
    status.end()
    await runtime.close()
  }
}

function show(status: StatusLine, event: RunEvent): void {
  switch (event.type) {
    case 'start':
      return status.line(event.from === 0 ? `${event.steps} steps` : `going on after step ${event.from}/${event.steps}`)
    case 'step': {
      const { step, steps, loss, seconds, secondsLeft } = event
      return status.change(
        `step ${step}/${steps}: loss ${loss.toPrecision(4)}, ${seconds.toFixed(2)} s${timeLeft(secondsLeft)}`,
      )
    }
    case 'saved':
      return status.line(`saved ${event.path} after step ${event.step}`)
    case 'done':
      return status.line(event.path)
  }
}
