// A training run in a folder: settings, a log line for each step, a picture of the curves, the state to go on from, and
// in the end the weights. What is in the folder is never half written.

import { appendFile, readFile, rm } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { join } from 'node:path'
import { isThere } from '../models/checkpoint.js'
import { isObject, parseObject } from '../models/config-reader.js'
import { saveWeights } from '../nn/index.js'
import { makeFolder, reasonOf, replaceFile } from '../tensor/files/index.js'
import { systemError } from '../tensor/files/system-error.js'
import { FileError, UsageError, type Runtime, type Tensor } from '../tensor/index.js'
import { drawCurves } from './plot.js'
import { checkSameRun } from './same-run.js'
import { hasFrozen, Trainer, type Task, type TrainSettings, type TrainStep } from './trainer.js'

/** Files of a run's folder. */
export const runFiles = {
  settings: 'run.json',
  log: 'log.jsonl',
  curve: 'curve.svg',
  state: 'state.safetensors',
  weights: 'model.safetensors',
} as const

/** How a run goes. */
export interface RunOptions {
  readonly folder: string
  readonly task: Task
  readonly settings: TrainSettings
  /** Everything that decides the outcome, as JSON: a run goes on only where it is the same. */
  readonly description: Readonly<Record<string, unknown>>
  /** Steps between two states that are saved. */
  readonly saveEvery: number
  /** What is noted in the file of the weights, beside the settings. */
  readonly metadata?: Readonly<Record<string, string>>
  /** Gives the weights that a model begins with, of which those that do not learn stay. Default: fresh ones. */
  readonly begin?: () => Promise<void>
  /** Writes the result, weights averaged over training by their names; tells its path. Default: all weights, in f16. */
  readonly finish?: (means: ReadonlyMap<string, Tensor>) => Promise<string>
  /** Takes no step: gives the weights of what has been saved, however far it got. Default: false. */
  readonly end?: boolean
  /** Stops after the step that it comes in, when the state has been saved. */
  readonly signal?: AbortSignal
}

/** What a run tells. */
export type RunEvent =
  | { type: 'start'; steps: number; from: number }
  | ({ type: 'step'; steps: number; secondsLeft: number } & Omit<TrainStep, 'kind'>)
  | { type: 'saved'; path: string; step: number }
  | { type: 'done'; path: string }

// Of so many last steps the mean tells how long the others take.
const timedSteps = 50

// Log lines are held back until the state that they belong to is about to be saved.
interface LogLine {
  readonly step: number
  readonly loss: number
  readonly [name: string]: number
}

/**
 * Trains a model; what an earlier run in the folder has saved is gone on from. Throws a UsageError if the folder holds a
 * run with other settings, a FileError if the disk refuses or holds nonsense, what `Trainer.step` throws, and the
 * signal's reason.
 */
export async function* runTraining(runtime: Runtime, options: RunOptions): AsyncGenerator<RunEvent, void, undefined> {
  const { folder, task, settings, saveEvery, signal } = options
  const path = (name: keyof typeof runFiles) => join(folder, runFiles[name])
  const resumed = await prepareFolder(options)
  if (!resumed || hasFrozen(task)) await options.begin?.()
  using trainer = resumed
    ? await resume(runtime, options)
    : Trainer.start(runtime, task, settings, options.begin === undefined)
  const log = resumed ? await readLog(path('log'), trainer.steps) : []
  await writeText(path('log'), log.map(line => `${JSON.stringify(line)}\n`).join(''))
  yield { type: 'start', steps: settings.steps, from: trainer.steps }

  let pending: LogLine[] = []
  const save = async (): Promise<RunEvent> => {
    // The log before the state: of lines that a state does not reach the next run makes new ones, but no line is lost.
    await appendFile(path('log'), pending.map(line => `${JSON.stringify(line)}\n`).join(''))
    pending = []
    await trainer.save(path('state'))
    await writeText(path('curve'), drawRun(log))
    return { type: 'saved', path: path('state'), step: trainer.steps }
  }
  const recent: number[] = []
  const last = options.end ? trainer.steps : settings.steps
  while (trainer.steps < last) {
    // A runtime that computes on this thread would otherwise never let a signal be heard.
    await setImmediate()
    const { step, loss, parts, norm, rate, seconds: took } = await trainer.step()
    const line = { step, loss, ...parts, norm, rate, seconds: took }
    log.push(line)
    pending.push(line)
    recent.push(took)
    if (recent.length > timedSteps) recent.shift()
    const secondsLeft = ((settings.steps - step) * recent.reduce((sum, s) => sum + s, 0)) / recent.length
    yield { type: 'step', step, steps: settings.steps, loss, parts, norm, rate, seconds: took, secondsLeft }
    if (step % saveEvery === 0 || step === settings.steps || signal?.aborted) yield await save()
    signal?.throwIfAborted()
  }
  const saveAll = async (values: ReadonlyMap<string, Tensor>) => {
    const metadata = { ...options.metadata, settings: JSON.stringify(options.description) }
    await saveWeights(path('weights'), task.weights, { dtype: 'f16', values, metadata })
    return path('weights')
  }
  yield { type: 'done', path: await (options.finish ?? saveAll)(trainer.ema.values) }
}

/** Makes the folder, or finds in it a state to go on from. */
async function prepareFolder({ folder, description, end }: RunOptions): Promise<boolean> {
  const path = (name: keyof typeof runFiles) => join(folder, runFiles[name])
  const text = await readIfThere(path('settings'))
  const isResumed = text !== undefined && (await isThere(path('state')))
  if (end && !isResumed)
    throw new UsageError({ where: folder, what: 'no run in it that could be ended', hint: 'training first' })
  if (text === undefined && ((await isThere(path('state'))) || (await isThere(path('weights')))))
    throw new UsageError({ where: folder, what: 'holds weights of no run that is known', hint: 'another folder' })
  // As it would be read back.
  const wanted = JSON.parse(JSON.stringify(description)) as Record<string, unknown>
  if (isResumed) {
    checkSameRun(folder, wanted, parseObject(path('settings'), text))
    return true
  }
  await makeFolder(folder)
  await rm(path('weights'), { force: true })
  await writeText(path('settings'), `${JSON.stringify(wanted, undefined, 2)}\n`)
  return false
}

/** A file's text, undefined where there is none. Throws a FileError if it cannot be read. */
async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    if (reasonOf(cause) === 'ENOENT') return undefined
    throw systemError(path, 'cannot be read', cause)
  }
}

/** Takes up the state of an earlier run. Throws a FileError that says what to do about a state that is broken. */
async function resume(runtime: Runtime, { folder, task, settings, begin }: RunOptions): Promise<Trainer> {
  try {
    return await Trainer.resume(runtime, task, settings, join(folder, runFiles.state), begin === undefined)
  } catch (cause) {
    if (!(cause instanceof FileError)) throw cause
    const hint = `removing ${runFiles.state} from the run's folder, to begin anew`
    throw new FileError({ ...cause.parts, hint }, { cause })
  }
}

/** Lines of the log up to a step. */
async function readLog(path: string, steps: number): Promise<LogLine[]> {
  const text = await readFile(path, 'utf8').catch(() => '')
  const lines = text.split('\n').flatMap(line => {
    try {
      const found: unknown = JSON.parse(line)
      return isObject(found) && typeof found.step === 'number' ? [found as unknown as LogLine] : []
    } catch {
      return [] // cut off when a run was ended by force
    }
  })
  return lines.filter(({ step }) => step <= steps)
}

function drawRun(log: readonly LogLine[]): string {
  const names = Object.keys(log[0] ?? {}).filter(name => !['step', 'rate', 'seconds'].includes(name))
  const curve = (name: string) => ({ name, points: log.map(line => [line.step, line[name]] as const) })
  return drawCurves('training', names.map(curve))
}

function writeText(path: string, text: string): Promise<void> {
  return replaceFile(path, append => append(new TextEncoder().encode(text)))
}
