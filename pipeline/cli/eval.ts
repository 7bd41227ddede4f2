// `revision eval`: whether models do what they are for.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, extname, join } from 'node:path'
import type { CommandModule } from 'yargs'
import { openPartExtractor, seeParts } from '../../models/extractor/sight.js'
import { openModelFolder } from '../../models/svd/folder.js'
import { makeFolder } from '../../tensor/files/index.js'
import { UsageError } from '../../tensor/index.js'
import { listClips } from '../../train/svd/clips.js'
import { videoSheet } from '../dataset/show.js'
import { evaluatePocket, pocketCases, type PocketClaims, type PocketRow, type PocketVideos } from '../eval/pocket.js'
import { measureNames } from '../eval/measures.js'
import { writePng } from '../media/encode.js'
import type { Picture } from '../media/picture.js'
import { revise } from '../revise/revise.js'
import { reviseTools } from '../revise/tools.js'
import { shipped } from '../shipped.js'
import { jsonText } from './json.js'
import { openFor, runtimeOptions, type RuntimeArguments } from './options.js'
import { StatusLine } from './status-line.js'
import { StopSignals } from './stop.js'

interface PocketArguments extends RuntimeArguments {
  data: string
  model: string
  pppm: string
  clips: number
  frames?: number
  stride: number
  steps: number
  seed: number
  sheets?: string
  json?: boolean
}

const [mostClips, mostStride] = [10_000, 256]

const pocketCommand: CommandModule<object, PocketArguments> = {
  command: 'pocket',
  describe: 'Make held-out clips again: from their first picture, with a target pose, along a motion',
  builder: program =>
    program.options({
      data: { type: 'string', demandOption: true, requiresArg: true, describe: 'Folder of rendered clips, held out' },
      model: { type: 'string', requiresArg: true, default: shipped.pocket, describe: 'The model, with its extractor' },
      pppm: {
        type: 'string',
        requiresArg: true,
        default: shipped.pppm,
        describe: 'Weights of the motion prior, or none',
      },
      clips: { type: 'number', requiresArg: true, default: 10, describe: 'How many clips, in the order of names' },
      frames: {
        type: 'number',
        requiresArg: true,
        describe: 'Frames of a video; default: as many as the model has learnt',
      },
      stride: {
        type: 'number',
        requiresArg: true,
        default: 2,
        describe: 'Every so many-th picture of a clip is taken, as in training',
      },
      steps: { type: 'number', requiresArg: true, default: 25, describe: 'Denoising steps' },
      seed: { type: 'number', requiresArg: true, default: 0, describe: 'Of the noise that videos begin with' },
      sheets: { type: 'string', requiresArg: true, describe: 'Folder for a contact sheet of each clip' },
      json: { type: 'boolean', describe: 'Print one JSON object' },
      ...runtimeOptions,
    }) as never,
  handler: evaluate,
}

export const evalCommand: CommandModule = {
  command: 'eval <what>',
  describe: 'Judge a model on what it has not seen',
  builder: program => program.command(pocketCommand).demandCommand(1) as never,
  handler: () => {},
}

async function evaluate(args: PocketArguments): Promise<void> {
  const { data, model: path, pppm, clips, frames, stride, steps, seed, sheets, json, ...where } = args
  if (!Number.isInteger(clips) || clips < 1 || clips > mostClips)
    throw new UsageError({ where: '--clips', what: 'out of range', expected: `1..${mostClips}`, got: String(clips) })
  if (!Number.isInteger(stride) || stride < 1 || stride > mostStride)
    throw new UsageError({ where: '--stride', what: 'out of range', expected: `1..${mostStride}`, got: String(stride) })
  const paths = (await listClips(data)).slice(0, clips).map(name => join(data, name))
  const model = await openModelFolder(path)
  if (sheets !== undefined) await makeFolder(sheets)
  using stop = new StopSignals()
  const { signal } = stop
  const status = json ? undefined : new StatusLine()
  const runtime = await openFor(where, { quiet: json })
  try {
    const folder = join(path, 'extractor')
    using extractor = await openPartExtractor(runtime, folder)
    const tools = reviseTools({ detector: 'parts', model: path })
    const events = evaluatePocket({
      model,
      runtime,
      clips: paths,
      stride,
      settings: { frames, steps, seed },
      see: picture => seeParts(runtime, extractor, picture),
      refine: async (image, settings) => {
        const out = await mkdtemp(join(tmpdir(), 'revision-eval-'))
        const options = { model, runtime, image, out, tools, signal, fullCoarse: true, ...settings }
        let frames: readonly Picture[] = []
        try {
          for await (const event of revise({ ...options, pppm: pppm === 'none' ? undefined : pppm }))
            if (event.type === 'done') frames = event.result.frames
        } finally {
          await rm(out, { recursive: true, force: true })
        }
        return frames
      },
      signal,
    })
    for await (const event of events) {
      if (event.type === 'clip') {
        status?.change(`clip ${event.clip}/${event.clips}: ${basename(event.name)}`)
        if (sheets !== undefined) await writePng(join(sheets, sheetName(event.name)), sheetOf(event.videos))
      } else if (event.type === 'done') {
        status?.end()
        const { rows, claims } = event
        console.log(
          json
            ? jsonText({ model: path, clips: paths.length, stride, steps, seed, rows, claims })
            : report(rows, claims),
        )
      }
    }
  } finally {
    status?.end()
    await runtime.close()
  }
}

const sheetName = (clip: string) => `${basename(clip, extname(clip))}.png`

/** A row for each case, in their order. */
function sheetOf(videos: PocketVideos) {
  return videoSheet(pocketCases.flatMap(name => (videos[name] ? [videos[name].frames] : [])))
}

const digits = { iou: 3, joints: 2, psnr: 2, ssim: 3 } as const

/** Rows as a table in Markdown, and what they say of each claim. */
function report(rows: readonly PocketRow[], claims: PocketClaims): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const heads = ['case', 'part IoU', 'joints px', 'PSNR dB', 'SSIM']
  const body = rows.map(row => line([row.case, ...measureNames.map(name => row[name].toFixed(digits[name]))]))
  const verdicts = Object.entries(claimTexts).map(([claim, text]) => {
    const held = claims[claim as keyof PocketClaims]
    return `${held === undefined ? 'not told' : held ? 'yes' : 'no'}: ${text}`
  })
  return [line(heads), line(['---', ...heads.slice(1).map(() => '---:')]), ...body, '', ...verdicts].join('\n')
}

const claimTexts: Readonly<Record<keyof PocketClaims, string>> = {
  followsMasks: 'the true motion brings parts where they are to be, compared with the picture alone',
  refinedJointsNearer: 'motion that was seen and refined brings joints nearer than the picture alone',
  refinedPicturesCloser: 'motion that was seen and refined brings pictures closer (PSNR) than the picture alone',
  orderOfSsim: 'picture alone < target pose < full motion in SSIM',
  orderOfPsnr: 'picture alone < target pose < full motion in PSNR',
}
