// `revision dataset`: clips to learn from, made by the program itself.

import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { CommandModule } from 'yargs'
import { UsageError } from '../../tensor/index.js'
import { listClips } from '../../train/svd/clips.js'
import { clipLimits, renderDataset, type RenderEvent } from '../dataset/render.js'
import { clipSheet } from '../dataset/show.js'
import { writePng } from '../media/encode.js'
import { jsonText } from './json.js'
import { StatusLine } from './status-line.js'
import { StopSignals } from './stop.js'

interface RenderArguments {
  motions: string
  clips: number
  first: number
  seed: number
  out: string
  frames: number
  size: number
  holdOut?: string
  onlyHeldOut?: boolean
  threads: number
  json?: boolean
}

// More make no sheet that can be looked at.
const mostShown = 64

const number = (describe: string, value?: number) =>
  ({
    type: 'number',
    requiresArg: true,
    describe,
    ...(value === undefined ? { demandOption: true } : { default: value }),
  }) as const

const renderCommand: CommandModule<object, RenderArguments> = {
  command: 'render',
  describe: 'Draw clips of people, animals and things in motion, with everything that is known about them',
  builder: program =>
    program
      .options({
        motions: { type: 'string', demandOption: true, requiresArg: true, describe: 'Folder of motions of people' },
        clips: number('How many clips'),
        first: number('The number of the first: ranges may be made apart', 0),
        seed: number('Which clips', 0),
        out: {
          type: 'string',
          demandOption: true,
          requiresArg: true,
          describe: 'Folder for them; those there are kept',
        },
        frames: number('Pictures of a clip', 16),
        size: number('Pixels of a side', 64),
        'hold-out': {
          type: 'string',
          requiresArg: true,
          describe: 'Leave out motions whose names hold one of these words, with commas between',
        },
        'only-held-out': { type: 'boolean', describe: 'Take only those' },
        threads: number('Threads', Math.min(availableParallelism(), clipLimits.threads)),
        json: { type: 'boolean', describe: 'Print events, a JSON object a line' },
      })
      .example('$0 dataset render --motions cmu --clips 1000 --out clips', '') as never,
  handler: render,
}

const showCommand: CommandModule<object, { dir: string; out: string; clips: number; first: number }> = {
  command: 'show <dir>',
  describe: 'Put clips on a sheet, their part labels below',
  builder: program =>
    program.positional('dir', { type: 'string', demandOption: true, describe: 'A folder of clips' }).options({
      out: { type: 'string', demandOption: true, requiresArg: true, describe: 'The .png to write' },
      clips: number('How many clips', 8),
      first: number('The first, in the order of names', 0),
    }) as never,
  handler: async ({ dir, out, clips, first }) => {
    checkIntegers([
      ['--clips', clips, 1, mostShown],
      ['--first', first, 0, clipLimits.clips - 1],
    ])
    const names = (await listClips(dir)).slice(first, first + clips)
    if (names.length === 0) throw new UsageError({ where: '--first', what: 'there are not so many clips' })
    await writePng(out, await clipSheet(names.map(name => join(dir, name))))
    console.log(out)
  },
}

export const datasetCommand: CommandModule = {
  command: 'dataset <command>',
  describe: 'Make clips to learn from',
  builder: program => program.command(renderCommand).command(showCommand).demandCommand(1) as never,
  handler: () => {},
}

async function render({
  motions,
  clips,
  first,
  seed,
  out,
  frames,
  size,
  holdOut,
  onlyHeldOut,
  threads,
  json,
}: RenderArguments) {
  checkIntegers([
    ['--clips', clips, 1, clipLimits.clips],
    ['--first', first, 0, clipLimits.clips - clips],
    ['--seed', seed, 0, 2 ** 31 - 1],
    ['--frames', frames, 1, clipLimits.frames],
    ['--size', size, 16, clipLimits.size],
    ['--threads', threads, 1, clipLimits.threads],
  ])
  const words = (holdOut ?? '')
    .split(',')
    .map(word => word.trim())
    .filter(word => word !== '')
  if (onlyHeldOut && words.length === 0)
    throw new UsageError({ where: '--only-held-out', what: 'nothing is held out', hint: '--hold-out WORDS' })
  const settings = { seed, frames, size, holdOut: words, only: onlyHeldOut ? 'held-out' : 'others' } as const
  using stop = new StopSignals()
  const status = json ? undefined : new StatusLine()
  try {
    for await (const event of renderDataset({ motions, out, settings, first, clips, threads, signal: stop.signal })) {
      if (json) console.log(jsonText(event))
      else if (status) show(status, event)
    }
  } finally {
    status?.end()
  }
}

function show(status: StatusLine, event: RenderEvent): void {
  if (event.type === 'skipped') return status.line(`left out ${event.name}: ${event.reason}`)
  if (event.type === 'clip') return status.change(`clip ${event.clip}/${event.clips}: ${event.name}`)
  const { rendered, kept, seconds, path } = event
  status.line(`${rendered} rendered, ${kept} were there, ${seconds.toFixed(1)} s`)
  console.log(path)
}

/** Throws a UsageError for the first option whose value is no integer in its range. */
function checkIntegers(
  options: readonly (readonly [name: string, value: number, least: number, most: number])[],
): void {
  for (const [where, value, least, most] of options)
    if (!Number.isInteger(value) || value < least || value > most)
      throw new UsageError({ where, what: 'out of range', expected: `${least}..${most}`, got: String(value) })
}
