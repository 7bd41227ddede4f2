// `revision generate`: a video from one picture. Everything that can be wrong without a model being loaded is found
// before one is, and the output folder holds either all results or none.

import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { CommandModule } from 'yargs'
import { openRuntime } from '../../kernels/index.js'
import { openModelFolder } from '../../models/svd/folder.js'
import { quote } from '../../tensor/files/quote.js'
import { UsageError } from '../../tensor/index.js'
import { generate, type GenerateOptions, type GenerateResult } from '../generate.js'
import { readPicture } from '../media/decode.js'
import { OutputFolder } from '../media/output.js'
import { readEulerConfig } from '../schedulers/euler.js'
import { checkSettings, completeSettings, settingBounds, settingNames, type GenerateSettings } from '../settings.js'
import { readMasks } from './masks.js'
import { checkResults, resultNames, writeResults } from './results.js'
import { runtimeOptions, type RuntimeArguments } from './options.js'
import { Progress } from './progress.js'
import { StopSignals } from './stop.js'

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
  checkSettings(given, optionOf)
  const image = await readPicture(args.image)
  const model = await openModelFolder(args.model)
  await readEulerConfig(model.scheduler)
  const settings = completeSettings(given, model.unet.config)
  const masks = args.masks === undefined ? undefined : await readMasks(args.masks, settings)

  await checkResults(args.out, args.image)

  const progress = new Progress()
  using stop = new StopSignals()
  const { signal } = stop
  signal.addEventListener('abort', () => progress.stopping())
  using output = await OutputFolder.create(args.out)
  const runtime = await openRuntime({ runtime: args.runtime, adapter: args.adapter, threads: args.threads })
  try {
    const result = await listen({ ...settings, model, image, masks, runtime, signal }, progress)
    progress.writing()
    const origin = { model: args.model, image: args.image, masks: args.masks, runtime: runtime.description }
    await writeResults(output, result, origin, signal)
    stop.ignore()
    await output.commit()
  } finally {
    progress.end()
    await runtime.close()
  }
  for (const name of resultNames(settings.frames)) console.log(join(output.path, name))
}

function settingsOf(args: GenerateArguments): Partial<GenerateSettings> {
  return Object.fromEntries(settingNames.map(name => [name, numberOf(optionOf(name), args[name])]))
}

/** What a user types for a setting: `--max-guidance` for maxGuidance. */
function optionOf(name: keyof GenerateSettings): string {
  return `--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`
}

function numberOf(where: string, given: number | string | undefined): number | undefined {
  if (given === undefined || typeof given === 'number') return given
  const value = given.trim() === '' ? NaN : Number(given)
  if (Number.isNaN(value)) throw new UsageError({ where, what: 'not a number', got: quote(given) })
  return value
}

/** Runs with progress on standard error. */
async function listen(options: GenerateOptions, progress: Progress): Promise<GenerateResult> {
  const events = generate({ ...options, onLoad: load => progress.load(load) })
  for (let next = await events.next(); ; next = await events.next()) {
    if (next.done) return next.value
    progress.show(next.value)
    // The plain loops never wait; signals are heard only when somebody does.
    await setImmediate()
  }
}
