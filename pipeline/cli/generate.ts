// `revision generate`: a video from one picture. Everything that can be wrong without a model being loaded is found before
// one is, and the output folder holds either all results or none.

import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CommandModule } from 'yargs'
import { openRuntime } from '../../kernels/index.js'
import { openModelFolder } from '../../models/svd/folder.js'
import { quote } from '../../tensor/files/quote.js'
import { FileError, UsageError } from '../../tensor/index.js'
import { generate, type GenerateOptions, type GenerateResult } from '../generate.js'
import { readLabels, readPicture } from '../media/decode.js'
import { contactSheet, writePng } from '../media/encode.js'
import { writeMp4 } from '../media/mp4.js'
import { frameName, OutputFolder } from '../media/output.js'
import type { PartMask } from '../motion-condition.js'
import { readEulerConfig } from '../schedulers/euler.js'
import { checkSettings, completeSettings, settingBounds, type GenerateSettings } from '../settings.js'
import { Stopped } from './exit.js'
import { runtimeOptions, type RuntimeArguments } from './options.js'
import { Progress } from './progress.js'

interface GenerateArguments extends Partial<Record<keyof GenerateSettings, number | string>>, RuntimeArguments {
  model: string
  image: string
  out: string
  masks?: string
}

// Without a type: as numbers, words would become NaN and nothing 0 before anybody could tell of them.
const setting = (name: keyof GenerateSettings, describe: string) =>
  ({ requiresArg: true, describe: `${describe}, ${rangeOf(name)}` }) as const

function rangeOf(name: keyof GenerateSettings): string {
  const { min, max } = settingBounds[name]
  return max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `${min} to ${max}`
}

export const generateCommand: CommandModule<object, GenerateArguments> = {
  command: 'generate',
  describe: 'Make a video from a picture',
  builder: program =>
    program.options({
      model: { type: 'string', demandOption: true, requiresArg: true, describe: 'Diffusers folder of an SVD model' },
      image: { type: 'string', demandOption: true, requiresArg: true, describe: 'The picture, PNG or JPEG' },
      out: { type: 'string', demandOption: true, requiresArg: true, describe: 'Folder for frames and video' },
      frames: setting('frames', "Frames of the video; default: the model's"),
      steps: setting('steps', 'Denoising steps; default 25'),
      width: setting('width', "Pixels, a multiple of 8; default: the model's, in 16:9"),
      height: setting('height', "Pixels, a multiple of 8; default: the model's, in 16:9"),
      fps: setting('fps', 'Frames a second; default 7'),
      'motion-bucket': setting('motionBucket', 'How much is to move; default 127'),
      'noise-aug': setting('noiseAug', 'Noise on the picture, for more freedom; default 0.02'),
      'min-guidance': setting('minGuidance', 'How strictly the first frame follows the picture; default 1'),
      'max-guidance': setting('maxGuidance', 'How strictly the last frame follows it; default 3'),
      'decode-chunk': setting('decodeChunk', 'Frames decoded together; default 4'),
      seed: setting('seed', 'The same seed gives the same video; default 0'),
      masks: { type: 'string', requiresArg: true, describe: 'Folder of part masks: one PNG of labels for each frame' },
      ...runtimeOptions,
    }) as never,
  handler: run,
}

async function run(args: GenerateArguments): Promise<void> {
  const given = settingsOf(args)
  checkSettings(given)
  const image = await readPicture(args.image)
  const model = await openModelFolder(args.model)
  await readEulerConfig(model.scheduler)
  const settings = completeSettings(given, { numFrames: model.unet.config.numFrames, sampleSize: model.sampleSize })
  const masks = args.masks === undefined ? undefined : await readMasks(args.masks, settings)

  await using output = await OutputFolder.create(args.out)
  const runtime = await openRuntime({ runtime: args.runtime, adapter: args.adapter })
  try {
    const result = await listen({ ...settings, model: args.model, image, masks, runtime })
    await write(output, result)
  } finally {
    await runtime.close()
  }
}

function settingsOf(args: GenerateArguments): Partial<GenerateSettings> {
  const names = Object.keys(settingBounds) as (keyof GenerateSettings)[]
  return Object.fromEntries(names.map(name => [name, numberOf(name, args[name])]))
}

function numberOf(where: string, given: number | string | undefined): number | undefined {
  if (given === undefined || typeof given === 'number') return given
  const value = given.trim() === '' ? NaN : Number(given)
  if (Number.isNaN(value)) throw new UsageError({ where, what: 'not a number', got: quote(given) })
  return value
}

/** One PNG of labels a frame, in the order of their names; said of the whole frame, with full confidence. */
async function readMasks(folder: string, { frames, width, height }: GenerateSettings): Promise<PartMask[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new FileError({ where: folder, what: 'the folder of masks cannot be read' }, { cause })
  })
  const files = names.filter(name => /\.png$/i.test(name)).sort()
  if (files.length !== frames)
    throw new UsageError({
      where: folder,
      what: 'not one mask for each frame',
      expected: `${frames} PNG files`,
      got: String(files.length),
    })
  const masks: PartMask[] = []
  for (const name of files) {
    const labels = await readLabels(join(folder, name))
    if (labels.width !== width || labels.height !== height)
      throw new UsageError({
        where: join(folder, name),
        what: 'the mask is not of the size of the video',
        expected: `${width} x ${height}`,
        got: `${labels.width} x ${labels.height}`,
      })
    masks.push({ labels, confidence: 1 })
  }
  return masks
}

/** Runs with progress on standard error; Ctrl-C stops at the next step, a second one at once. */
async function listen(options: GenerateOptions): Promise<GenerateResult> {
  const controller = new AbortController()
  const stop = () => controller.abort(new Stopped())
  process.once('SIGINT', stop)
  const progress = new Progress()
  try {
    const events = generate({ ...options, signal: controller.signal })
    for (let next = await events.next(); ; next = await events.next()) {
      if (next.done) return next.value
      progress.show(next.value)
    }
  } finally {
    progress.end()
    process.off('SIGINT', stop)
  }
}

/** Frames, video, contact sheet and settings; their paths go to standard output. */
async function write(output: OutputFolder, { frames, settings }: GenerateResult): Promise<void> {
  for (const [index, frame] of frames.entries()) await output.writeFrame(index, frame)
  await writeMp4(output.file('video.mp4'), frames, settings.fps)
  await writePng(output.file('sheet.png'), contactSheet(frames))
  await writeFile(output.file('settings.json'), `${JSON.stringify(settings, null, 2)}\n`)
  await output.commit()
  const names = ['video.mp4', 'sheet.png', 'settings.json', ...frames.map((_, index) => frameName(index))]
  for (const name of names) console.log(join(output.path, name))
}
