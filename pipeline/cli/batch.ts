// `revision generate --batch`: many videos, one after the other, on one runtime. A line of the file is a JSON object of
// options. What an earlier run finished is skipped; a line that cannot be is told of and passed over.

import { basename, resolve } from 'node:path'
import { parseObject } from '../../models/config-reader.js'
import { decodeUtf8 } from '../../tensor/files/json.js'
import { NodeFileSource } from '../../tensor/files/index.js'
import { quote } from '../../tensor/files/quote.js'
import { DeviceLostError, FileError, UsageError, type Runtime } from '../../tensor/index.js'
import { exitCodeOf, messageOf } from './exit.js'
import { isJobDone, jobOptionNames, prepareJob, runJob } from './job.js'
import type { Listener } from './listener.js'
import type { GivenOptions } from './option-reader.js'
import { Stopped } from './stop.js'

const maxBytes = 2 ** 24
const maxLines = 10_000

/**
 * Runs the jobs of a file; gives the exit code: 0 if all are done, else that of the gravest failure.
 *
 * @param defaults options of every job that does not give them itself
 * @param open opens the runtime, when the first job needs it, and again where the device was lost
 * @throws FileError when the file cannot be read; Stopped
 */
export async function runBatch(
  path: string,
  defaults: GivenOptions,
  open: () => Promise<Runtime>,
  listener: Listener,
): Promise<number> {
  const lines = await readLines(path)
  const outs = new Map<string, number>()
  const counts = { done: 0, skipped: 0, failed: 0 }
  const codes: number[] = []
  let runtime: Runtime | undefined
  try {
    for (const { line, text } of lines) {
      try {
        const job = await prepareJob({ ...defaults, ...optionsOf(text) }, name => name)
        const earlier = outs.get(resolve(job.out))
        if (earlier !== undefined) throw new UsageError({ where: 'out', what: `line ${earlier} has the same folder` })
        outs.set(resolve(job.out), line)
        if (await isJobDone(job)) {
          counts.skipped++
          listener.hear({ type: 'skip', line, out: job.out })
          continue
        }
        listener.hear({ type: 'job', line, out: job.out })
        await runJob(job, async () => (runtime ??= await open()), listener)
        counts.done++
      } catch (error) {
        if (error instanceof Stopped) throw error
        const exitCode = exitCodeOf(error)
        const message = `${basename(path)} line ${line}: ${messageOf(error)}`
        counts.failed++
        codes.push(exitCode)
        listener.hear({ type: 'error', message, exitCode })
        console.error(`revision: ${message}`)
        if (!(error instanceof DeviceLostError)) continue
        await runtime?.close()
        runtime = undefined
      }
    }
  } finally {
    await runtime?.close()
  }
  listener.hear({ type: 'end', ...counts })
  return codes.length === 0 ? 0 : Math.min(...codes)
}

/** The lines that hold something, by their number from 1. */
async function readLines(path: string): Promise<{ line: number; text: string }[]> {
  const file = await NodeFileSource.open(path)
  try {
    if (file.size > maxBytes)
      throw new FileError({
        where: path,
        what: 'too long',
        expected: `at most ${maxBytes} bytes`,
        got: String(file.size),
      })
    const text = decodeUtf8(path, await file.read(0, file.size))
    const lines = text.replace(/^\ufeff/, '').split('\n') // some editors begin a file with a byte order mark
    if (lines.length > maxLines)
      throw new FileError({
        where: path,
        what: 'too many lines',
        expected: `at most ${maxLines}`,
        got: String(lines.length),
      })
    return lines.map((text, i) => ({ line: i + 1, text })).filter(({ text }) => text.trim() !== '')
  } finally {
    await file.close()
  }
}

/** The options of a line, `motion-bucket` and `motionBucket` alike. */
function optionsOf(text: string): GivenOptions {
  const options: Record<string, unknown> = {}
  for (const [given, value] of Object.entries(parseObject('options', text))) {
    const name = given.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
    if (!jobOptionNames.includes(name))
      throw new UsageError({ where: quote(given), what: 'no option of a job', hint: 'revision generate --help' })
    if (Object.hasOwn(options, name)) throw new UsageError({ where: quote(given), what: 'given twice' })
    options[name] = value
  }
  return options
}
