// `revision generate`: a video from one picture, or many videos from the lines of a file.

import type { CommandModule } from 'yargs'
import { UsageError } from '../../tensor/index.js'
import { runBatch } from './batch.js'
import { parseBytes } from './bytes.js'
import { exitCodeOf, messageOf } from './exit.js'
import { jobOptionNames, prepareJob, runJob } from './job.js'
import { JsonEvents, silent, type Listener } from './listener.js'
import type { GivenOptions } from './option-reader.js'
import {
  memoryOptions,
  openFor,
  optionOf,
  runtimeOptions,
  type MemoryArguments,
  type RuntimeArguments,
} from './options.js'
import { Progress } from './progress.js'
import { grouped, settingOptions, text } from './setting-options.js'
import { formatNames } from '../results.js'

interface GenerateArguments extends RuntimeArguments, MemoryArguments {
  [option: string]: unknown
  batch?: string
  json?: boolean
  quiet?: boolean
}

const options = {
  model: text('What:', 'Diffusers folder of an SVD model; needed'),
  image: text('What:', 'The picture, PNG or JPEG; needed'),
  out: text('What:', 'Folder for the results; needed'),
  masks: text('What:', 'Folder of part masks: one PNG of labels for each frame'),
  batch: text('What:', 'File of many jobs: a JSON object of options in each line, those here for all'),
  ...settingOptions,
  format: text('Output:', `Some of ${formatNames.join(',')}; default frames,sheet,mp4`),
  preview: {
    requiresArg: true,
    group: 'Output:',
    describe: 'Show what it is going to be, in OUT.preview.png, every so many steps',
  },
  json: { type: 'boolean', group: 'Output:', describe: 'Print events, a JSON object a line' },
  quiet: { type: 'boolean', group: 'Output:', describe: 'Tell nothing on the way' },
  checkpoint: text('Running:', 'File to go on from when the same command runs again'),
  'checkpoint-every': { requiresArg: true, group: 'Running:', describe: 'Steps between two checkpoints; default 1' },
  ...grouped('Running:', memoryOptions),
  ...grouped('Running:', runtimeOptions),
} as const

/** `onEnd` learns the exit code of a batch, whose lines may have failed without ending it. */
export function generateCommand(onEnd: (exitCode: number) => void): CommandModule<object, GenerateArguments> {
  return {
    command: 'generate',
    describe: 'Make a video from a picture',
    builder: program =>
      program
        .options(options)
        .example('$0 generate --model svd-xt --image photo.png --out clip --checkpoint clip.checkpoint', '')
        .example('$0 generate --model svd-xt --batch jobs.jsonl', '') as never,
    handler: async args => onEnd(await run(args)),
  }
}

async function run(args: GenerateArguments): Promise<number> {
  const { batch, json, quiet } = args
  const given = Object.fromEntries(jobOptionNames.map(name => [name, args[name]]))
  const listener: Listener = json ? new JsonEvents() : quiet ? silent : new Progress()
  try {
    const maxBytes = args.maxMemory === undefined ? undefined : parseBytes('--max-memory', args.maxMemory)
    const open = () => openFor(args, { quiet: json || quiet, maxBytes })
    if (batch === undefined) return await runOne(given, open, listener, json)
    for (const name of ['out', 'checkpoint'])
      if (given[name] !== undefined)
        throw new UsageError({
          where: optionOf(name),
          what: 'each line of a batch has its own',
          hint: `"${name}" in the lines`,
        })
    return await runBatch(batch, given, open, listener)
  } catch (error) {
    listener.hear({ type: 'error', message: messageOf(error), exitCode: exitCodeOf(error) })
    throw error
  } finally {
    listener.end()
  }
}

async function runOne(
  given: GivenOptions,
  open: () => ReturnType<typeof openFor>,
  listener: Listener,
  json?: boolean,
): Promise<number> {
  const job = await prepareJob(given, optionOf)
  let runtime: Awaited<ReturnType<typeof open>> | undefined
  try {
    const files = await runJob(job, async () => (runtime = await open()), listener)
    listener.end()
    if (!json) for (const file of files) console.log(file)
  } finally {
    await runtime?.close()
  }
  return 0
}
