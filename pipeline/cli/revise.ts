// `revision revise`: a video in three stages, from a picture and, if wanted, a target pose or a motion.

import { extname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { CommandModule } from 'yargs'
import { quote } from '../../tensor/files/quote.js'
import { UsageError } from '../../tensor/index.js'
import { readMotion } from '../../train/motion/read.js'
import { personOf, readScene } from '../../train/motion/scene-file.js'
import { readSketchFile } from '../control/sketch-file.js'
import { readPicture } from '../media/decode.js'
import type { ReviseOptions, ReviseResult } from '../revise/events.js'
import type { GivenMotion } from '../revise/given.js'
import { revise } from '../revise/revise.js'
import { stageNames, type ReviseStage } from '../revise/settings.js'
import { tableOf } from '../revise/table.js'
import { detectorNames, reviseTools, type DetectorName } from '../revise/tools.js'
import { readSceneFile } from '../scene/scene-file.js'
import { checkSettings, settingNames } from '../settings.js'
import { shipped } from '../shipped.js'
import { parseBytes } from './bytes.js'
import { exitCodeOf, messageOf } from './exit.js'
import { JsonEvents, silent, tenths, type Listener } from './listener.js'
import { OptionReader } from './option-reader.js'
import {
  memoryOptions,
  openFor,
  optionOf,
  runtimeOptions,
  type MemoryArguments,
  type RuntimeArguments,
} from './options.js'
import { Progress, showBytes } from './progress.js'
import { grouped, settingOptions, text } from './setting-options.js'
import { StopSignals } from './stop.js'

interface ReviseArguments extends RuntimeArguments, MemoryArguments {
  [option: string]: unknown
  detector?: DetectorName
  json?: boolean
  quiet?: boolean
}

const options = {
  image: text('What:', 'The picture, PNG or JPEG; needed'),
  out: text('What:', 'Folder for what the stages make; needed'),
  model: text('What:', 'Diffusers folder of an SVD model; default: the pocket model that is shipped'),
  pppm: text('What:', 'Weights of a motion prior, or none; default: those that are shipped'),
  sketch: text('Motion:', 'A sketch of the pose that the video is to come to, JSON'),
  motion: text('Motion:', 'A motion file or scene, in the place of what would be seen in a coarse video'),
  strength: text('Motion:', 'Motion strength, 0 to 1; default: left to the motion prior'),
  prompt: text('Motion:', 'What is to happen, for a motion prior that has learnt from texts'),
  'text-encoder': text('Motion:', "Folder of CLIP's text tower and tokenizer, for --prompt"),
  detector: {
    choices: detectorNames,
    requiresArg: true,
    group: 'Motion:',
    describe: "What finds people and things; default: the model's own, or the one of `revision setup extract`",
  },
  depth: text('Motion:', 'Folder of a depth model, for the places of things'),
  stages: text('Stages:', `Some of ${stageNames.join(',')}; default: all`),
  'full-coarse': { type: 'boolean', group: 'Stages:', describe: 'Coarse video of full size, frames and steps' },
  overlap: text('Stages:', "Frames that clips share of a video longer than the model's; default: a quarter of a clip"),
  ...settingOptions,
  json: { type: 'boolean', group: 'Output:', describe: 'Print events, a JSON object a line' },
  quiet: { type: 'boolean', group: 'Output:', describe: 'Tell nothing on the way' },
  ...grouped('Running:', memoryOptions),
  ...grouped('Running:', runtimeOptions),
} as const

export const reviseCommand: CommandModule<object, ReviseArguments> = {
  command: 'revise',
  describe: 'Make a video in three stages: coarse video, 3D motion, video along it',
  builder: program =>
    program
      .options(options)
      .example('$0 revise --image photo.png --out clip', '')
      .example('$0 revise --image photo.png --motion dance.bvh --out dance', '') as never,
  handler: run,
}

async function run(args: ReviseArguments): Promise<void> {
  const { json, quiet } = args
  const listener: Listener = json ? new JsonEvents() : quiet ? silent : new Progress()
  try {
    const read = new OptionReader(args, optionOf, 'revise')
    const asked = await askedOf(read, args.detector)
    const runtime = await openFor(args, { quiet: json || quiet, maxBytes: asked.maxMemory })
    try {
      const result = await listenTo({ ...asked, runtime }, listener)
      listener.end()
      if (!quiet && !json) for (const line of tableOf(result.stages, showBytes)) console.error(line)
      if (!json) for (const file of mainFiles(asked.out, result)) console.log(file)
    } finally {
      await runtime.close()
    }
  } catch (error) {
    listener.hear({ type: 'error', message: messageOf(error), exitCode: exitCodeOf(error) })
    throw error
  } finally {
    listener.end()
  }
}

/** Reads all that was asked, and the files that it names. Throws UsageErrors and FileErrors. */
async function askedOf(read: OptionReader, detector: DetectorName | undefined): Promise<ReviseOptions> {
  const settings = Object.fromEntries(settingNames.map(name => [name, read.number(name)]))
  checkSettings(settings, optionOf)
  const [imagePath, out] = [read.needed('image'), read.needed('out')]
  const names = ['motion', 'sketch', 'prompt', 'textEncoder', 'maxMemory']
  const [motion, sketch, prompt, encoder, maxMemory] = names.map(name => read.text(name))
  if ((prompt === undefined) !== (encoder === undefined))
    throw new UsageError({ where: '--prompt', what: 'goes with --text-encoder', expected: 'both or none of them' })
  const [model, pppm] = [read.text('model') ?? shipped.pocket, read.text('pppm') ?? shipped.pppm]
  return {
    ...settings,
    out,
    model,
    image: await readPicture(imagePath),
    tools: reviseTools({ detector, model, depth: read.text('depth') }),
    pppm: pppm === 'none' ? undefined : pppm,
    sketch: sketch === undefined ? undefined : await readSketchFile(sketch),
    motion: motion === undefined ? undefined : await readGiven(motion),
    strength: read.number('strength'),
    prompt: prompt === undefined || encoder === undefined ? undefined : { text: prompt, encoder },
    fullCoarse: read.flag('fullCoarse'),
    stages: readStages(read.text('stages')),
    overlap: read.number('overlap'),
    maxMemory: maxMemory === undefined ? undefined : parseBytes('--max-memory', maxMemory),
    lowMemory: read.flag('lowMemory'),
  }
}

/** A scene file or its folder, a motion file of a scene, or a captured motion. */
async function readGiven(path: string): Promise<GivenMotion> {
  const extension = extname(path).toLowerCase()
  if (extension === '.json' || extension === '') return readSceneFile(path)
  return extension === '.npz' ? readScene(path) : [personOf(await readMotion(path))]
}

function readStages(list: string | undefined): ReviseStage[] | undefined {
  if (list === undefined) return undefined
  const names = list.split(',').map(name => name.trim())
  const unknown = names.find(name => !stageNames.some(known => known === name))
  if (unknown !== undefined)
    throw new UsageError({
      where: '--stages',
      what: 'no such stage',
      expected: `some of ${stageNames.join(', ')}, with commas between`,
      got: quote(unknown),
    })
  return stageNames.filter(name => names.includes(name))
}

/** Runs to the end, or until a signal, and tells the listener of everything. */
async function listenTo(asked: ReviseOptions, listener: Listener): Promise<ReviseResult> {
  using stop = new StopSignals()
  const { signal } = stop
  signal.addEventListener('abort', () => listener.hear({ type: 'stopping' }))
  const onLoad = tenths(event => listener.hear(event))
  const onExtract: ReviseOptions['onExtract'] = (step, done) => listener.hear({ type: 'extract', step, done })
  let result: ReviseResult | undefined
  for await (const event of revise({ ...asked, signal, onLoad, onExtract })) {
    if (event.type === 'done') {
      result = event.result
      const { settings, stages } = result
      listener.hear({ type: 'revised', out: asked.out, files: mainFiles(asked.out, result), settings, stages })
    } else if (event.type !== 'preview') {
      listener.hear(event)
    }
    // The plain loops never wait; signals are heard only when somebody does.
    await setImmediate()
  }
  return result!
}

/** The files that people look at first, the last stage's before those of earlier ones. */
function mainFiles(out: string, { stages, scene }: ReviseResult): string[] {
  const files: Readonly<Record<ReviseStage, readonly string[]>> = {
    s1: ['video.mp4', 'sheet.png'],
    s2: ['scene.json', ...(scene && scene.entities.length > 0 ? ['overlays.png'] : [])],
    s3: ['video.mp4', 'sheet.png'],
  }
  return stages.toReversed().flatMap(({ stage }) => files[stage].map(name => join(out, stage, name)))
}
