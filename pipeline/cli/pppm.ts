// `revision pppm`: what the motion prior makes of motions.

import type { Argv, CommandModule } from 'yargs'
import { PromptEncoder } from '../../models/clip/prompt.js'
import { bringToStrength } from '../../models/pppm/exaggerate.js'
import { spreadFrames } from '../../models/pppm/extend.js'
import { openPPPM } from '../../models/pppm/open.js'
import type { PPPM } from '../../models/pppm/pppm.js'
import { refineScene } from '../../models/pppm/refine.js'
import { tellText } from '../../models/pppm/text.js'
import { UsageError, type Runtime, type Tensor } from '../../tensor/index.js'
import { writeScene } from '../../train/motion/scene-file.js'
import { holdOut, readLibrary } from '../../train/motion/library.js'
import { evaluatePPPM, type EvaluationRow } from '../../train/pppm/evaluate.js'
import { evaluateJourneys, type JourneyRow } from '../../train/pppm/journeys.js'
import { metricNames } from '../../train/pppm/metrics.js'
import { jsonText } from './json.js'
import { shipped } from '../shipped.js'
import { checkMotionName, readEntities } from './motion.js'
import { openFor, runtimeOptions, type RuntimeArguments } from './options.js'
import { StatusLine } from './status-line.js'

interface CommonArguments extends RuntimeArguments {
  weights: string
}

interface EvalArguments extends CommonArguments {
  motions: string
  frames: number
  clips: number
  seed: number
  json?: boolean
}

interface RefineArguments extends CommonArguments {
  in: string
  out: string
  strength?: number
  frames?: number
  between?: boolean
  text?: string
  textEncoder?: string
}

const weights = {
  type: 'string',
  default: shipped.pppm,
  defaultDescription: 'those that are shipped',
  requiresArg: true,
  describe: 'Weights of a PPPM',
} as const
const strength = {
  type: 'number',
  requiresArg: true,
  describe: 'Motion strength, 0 to 1; default: left to the model',
} as const

const text = {
  text: { type: 'string', requiresArg: true, describe: 'What is done, in words; needs --text-encoder' },
  'text-encoder': {
    type: 'string',
    requiresArg: true,
    describe: 'Folder of the text encoder that it was trained with',
  },
} as const

const evalCommand: CommandModule<object, EvalArguments> = {
  command: 'eval',
  describe: 'Compare it with classical filters on motions that were held out of its training',
  builder: program =>
    program.options({
      weights,
      motions: { type: 'string', demandOption: true, requiresArg: true, describe: 'The folder that it was trained on' },
      frames: { type: 'number', requiresArg: true, default: 64, describe: 'Frames of a clip' },
      clips: { type: 'number', requiresArg: true, default: 48, describe: 'Clips of each case' },
      seed: { type: 'number', requiresArg: true, default: 0, describe: 'Which clips, and how they are broken' },
      json: { type: 'boolean', describe: 'Print one JSON object' },
      ...runtimeOptions,
    }) as never,
  handler: evaluate,
}

const inOut = (program: Argv) =>
  program
    .positional('in', { type: 'string', demandOption: true, describe: 'A motion file' })
    .positional('out', { type: 'string', demandOption: true, describe: 'The motion file to write, .npz' })

const refineCommand: CommandModule<object, RefineArguments> = {
  command: 'refine <in> <out>',
  describe: 'Mend a motion',
  builder: program => inOut(program).options({ weights, strength, ...text, ...runtimeOptions }) as never,
  handler: args => mend(args),
}

const extendCommand: CommandModule<object, RefineArguments> = {
  command: 'extend <in> <out>',
  describe: 'Make a motion longer',
  builder: program =>
    inOut(program).options({
      weights,
      frames: { type: 'number', demandOption: true, requiresArg: true, describe: 'Frames that it is to have' },
      between: { type: 'boolean', describe: 'New frames between the old ones; default: after them' },
      strength,
      ...text,
      ...runtimeOptions,
    }) as never,
  handler: args => mend(args),
}

export const pppmCommand: CommandModule = {
  command: 'pppm <command>',
  describe: 'Mend, extend and judge motions',
  builder: program =>
    program.command(evalCommand).command(refineCommand).command(extendCommand).demandCommand(1) as never,
  handler: () => {},
}

async function mend(args: RefineArguments): Promise<void> {
  const { in: from, out, weights, strength, frames, between, text, textEncoder, ...where } = args
  if (strength !== undefined && !(strength >= 0 && strength <= 1))
    throw new UsageError({ where: '--strength', what: 'out of range', expected: '0..1', got: String(strength) })
  if ((text === undefined) !== (textEncoder === undefined))
    throw new UsageError({ where: '--text', what: 'goes with --text-encoder, and neither without the other' })
  checkMotionName('out', out)
  const given = await readEntities({ file: from })
  const { entities, known } =
    frames === undefined ? { entities: given, known: undefined } : spreadFrames(given, frames, between ?? false)
  const runtime = await openFor(where)
  try {
    const opened = await openPPPM(runtime, weights)
    using model = opened.model
    using told = await textOf(runtime, model, text, textEncoder)
    const conditions = { strength, text: told }
    const confidence = known && entities.map(() => known)
    const mended = await refineScene(runtime, model, entities, { known, confidence, ...conditions })
    const asked = strength === undefined ? mended : mended.map(motion => bringToStrength(motion, strength, known))
    await writeScene(out, asked)
  } finally {
    await runtime.close()
  }
  console.log(out)
}

/** The text as the model is told it; the encoder is gone before the model is at work. */
async function textOf(
  runtime: Runtime,
  model: PPPM,
  text: string | undefined,
  folder: string | undefined,
): Promise<Tensor | undefined> {
  if (text === undefined || folder === undefined) return undefined
  using encoder = await PromptEncoder.open(runtime, folder)
  return tellText(model, encoder, text)
}

async function evaluate({ weights, motions, frames, clips, seed, json, ...where }: EvalArguments): Promise<void> {
  for (const [name, value, least, most] of [
    ['--frames', frames, 2, 512],
    ['--clips', clips, 1, 10_000],
  ] as const)
    if (!Number.isInteger(value) || value < least || value > most)
      throw new UsageError({ where: name, what: 'out of range', expected: `${least}..${most}`, got: String(value) })
  const status = new StatusLine()
  const runtime = await openFor(where, { quiet: json })
  try {
    const opened = await openPPPM(runtime, weights)
    using model = opened.model
    const library = await readLibrary(motions)
    const { train, test } = holdOut(library.takes, heldOutWords(opened.metadata.get('settings')))
    if (test.length === 0 || train.length === 0)
      throw new UsageError({
        where: motions,
        what: 'holds no motion that was held out of training, or nothing else',
        expected: 'the folder that the model was trained on',
        got: `${test.length} held out of ${library.takes.length}`,
      })
    const longest = test.reduce((most, take) => Math.max(most, take.frames), 0)
    if (longest < frames)
      throw new UsageError({
        where: '--frames',
        what: 'longer than every motion that was held out',
        expected: `at most ${longest}`,
        got: String(frames),
      })
    const progress = (done: number, total: number) =>
      !json && status.change(`case ${Math.min(done + 1, total)}/${total}`)
    const rows = await evaluatePPPM(runtime, model, { test, train, frames, clips, seed, progress })
    const journeys = await evaluateJourneys(runtime, model, { test, frames, clips, seed, strengths: [0.3, 0.7] })
    status.end()
    console.log(json ? jsonText({ rows, journeys }) : `${tableOf(rows)}\n\n${journeyTable(journeys)}`)
  } finally {
    status.end()
    await runtime.close()
  }
}

/** The words by which takes were held out, as training noted them. */
function heldOutWords(settings: string | undefined): string[] {
  try {
    const { holdOut } = JSON.parse(settings ?? '{}') as { holdOut?: unknown }
    return Array.isArray(holdOut) ? holdOut.filter(word => typeof word === 'string') : []
  } catch {
    return []
  }
}

/** Rows as a table in Markdown. */
function tableOf(rows: readonly EvaluationRow[]): string {
  const heads = ['MPJPE mm', 'global mm', 'acceleration mm', 'jitter m/s3', 'skating mm', 'rotation deg']
  const cells = rows.map(row => [
    row.case,
    row.method,
    ...metricNames.map(name => row.metrics[name].toFixed(name === 'jitter' ? 0 : 2)),
  ])
  return markdown(['case', 'method'], heads, cells)
}

function journeyTable(rows: readonly JourneyRow[]): string {
  const cells = rows.map(({ given, strength, reached, path, turns, arrival }) => [
    given,
    `${strength ?? ''}`,
    reached.toFixed(2),
    path.toFixed(2),
    turns.toFixed(2),
    arrival.toFixed(1),
  ])
  return markdown(['given', 'strength'], ['reached', 'path m', 'turns a second', 'last step mm'], cells)
}

function markdown(names: readonly string[], numbers: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [
    line([...names, ...numbers]),
    line([...names.map(() => '---'), ...numbers.map(() => '---:')]),
    ...rows.map(line),
  ].join('\n')
}
