// One video of the command line, whether its options stand there or in a line of a batch. Everything that can be wrong
// without a model being loaded is found before one is, and the output folder holds either all results or none.

import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { openModelFolder } from '../../models/svd/folder.js'
import { UsageError, type Runtime } from '../../tensor/index.js'
import { generate, type GenerateOptions } from '../generate.js'
import { readPicture } from '../media/decode.js'
import { OutputFolder } from '../media/output.js'
import { readEulerConfig } from '../schedulers/euler.js'
import { checkSettings, completeSettings, settingNames, type GenerateSettings, videoModelOf } from '../settings.js'
import { parseBytes } from './bytes.js'
import { tenths, type Listener } from './listener.js'
import { readMasks } from './masks.js'
import { OptionReader, type GivenOptions } from './option-reader.js'
import { PreviewFile } from './preview-file.js'
import {
  checkResults,
  defaultFormats,
  isDone,
  isResult,
  readFormats,
  resultNames,
  writeResults,
  type FormatName,
  type Origin,
} from '../results.js'
import { StopSignals } from './stop.js'

/** Options of a job beside the settings, and what each is. */
const otherOptions = {
  model: 'text',
  image: 'text',
  out: 'text',
  masks: 'text',
  format: 'text',
  maxMemory: 'text',
  checkpoint: 'text',
  checkpointEvery: 'number',
  preview: 'number',
  lowMemory: 'flag',
} as const

/** Names of everything that a job may be told. */
export const jobOptionNames: readonly string[] = [...settingNames, ...Object.keys(otherOptions)]

/** A job that nothing is wrong with, as far as can be told without loading a model. */
export interface Job {
  readonly out: string
  readonly settings: GenerateSettings
  readonly formats: readonly FormatName[]
  /** What else its video is made of. */
  readonly origin: Origin
  readonly options: Omit<GenerateOptions, 'runtime' | 'signal'>
}

/**
 * Reads all that a job needs but the weights.
 *
 * @param nameOf what whoever gave an option calls it
 * @throws UsageError for options that cannot be; FileError for a picture, mask or model that cannot be used
 */
export async function prepareJob(given: GivenOptions, nameOf: (option: string) => string): Promise<Job> {
  const read = new OptionReader(given, nameOf, 'generate')
  const settings = Object.fromEntries(settingNames.map(name => [name, read.number(name)]))
  checkSettings(settings, nameOf)
  const [modelPath, imagePath, out] = [read.needed('model'), read.needed('image'), read.needed('out')]
  const masksPath = read.text('masks')
  const format = read.text('format')
  const formats = format === undefined ? defaultFormats : readFormats(nameOf('format'), format)
  const maxMemory = read.text('maxMemory')
  const checkpoint = read.text('checkpoint')
  const every = read.count('checkpointEvery')
  if (every !== undefined && checkpoint === undefined)
    throw new UsageError({ where: nameOf('checkpointEvery'), what: `means nothing without ${nameOf('checkpoint')}` })
  const chosen = {
    preview: read.count('preview'),
    checkpoint: checkpoint === undefined ? undefined : { path: checkpoint, every },
    maxMemory: maxMemory === undefined ? undefined : parseBytes(nameOf('maxMemory'), maxMemory),
    lowMemory: read.flag('lowMemory'),
  }

  const image = await readPicture(imagePath)
  const model = await openModelFolder(modelPath)
  readEulerConfig(await model.openScheduler())
  const complete = completeSettings(settings, videoModelOf(model), nameOf)
  const masks = masksPath === undefined ? undefined : await readMasks(masksPath, complete)
  await checkResults(out, imagePath)
  return {
    out,
    settings: complete,
    formats,
    origin: { model: modelPath, image: imagePath, masks: masksPath },
    options: { ...complete, ...chosen, model, image, masks },
  }
}

/** Whether an earlier run left all that this job would make. */
export function isJobDone({ out, settings, origin, formats }: Job): Promise<boolean> {
  return isDone(out, settings, origin, formats)
}

/**
 * Makes the video; gives the paths of its files. A signal stops it, and then a Stopped is thrown.
 *
 * @param open asked for a runtime when the output folder is known to be good; it stays open
 */
export async function runJob(job: Job, open: () => Promise<Runtime>, listener: Listener): Promise<string[]> {
  const { out, settings, formats, options } = job
  using stop = new StopSignals()
  const { signal } = stop
  signal.addEventListener('abort', () => listener.hear({ type: 'stopping' }))
  using output = await OutputFolder.create(out)
  using preview = options.preview === undefined ? undefined : await PreviewFile.create(out)
  const runtime = await open()
  const origin = { ...job.origin, runtime: runtime.description }
  const files = resultNames(formats, settings.frames).map(name => join(output.path, name))
  const onLoad = tenths(event => listener.hear(event))
  for await (const event of generate({ ...options, runtime, signal, onLoad })) {
    if (event.type === 'preview') {
      await preview?.write(event.picture)
      listener.hear({ type: 'preview', step: event.step, steps: event.steps, file: preview?.path ?? '' })
    } else if (event.type === 'done') {
      const { result } = event
      listener.hear({ type: 'writing' })
      await writeResults(output, result, origin, formats, signal)
      stop.ignore()
      await output.commit(isResult)
      listener.hear({ type: 'done', out: output.path, files, settings, peakBytes: result.peakBytes })
    } else {
      listener.hear(event)
    }
    // The plain loops never wait; signals are heard only when somebody does.
    await setImmediate()
  }
  return files
}
