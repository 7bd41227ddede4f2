// What `revision generate` leaves in its folder, and whether it may.

import { access, lstat, readdir, readFile, realpath, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isObject } from '../models/config-reader.js'
import { quote } from '../tensor/files/quote.js'
import { UsageError } from '../tensor/index.js'
import type { GenerateResult } from './generate.js'
import { writeApng } from './media/apng.js'
import { writeFileAtomically } from './media/atomic.js'
import { writePng } from './media/encode.js'
import { writeGif } from './media/gif.js'
import { writeMp4 } from './media/mp4.js'
import { software } from './media/note.js'
import { frameName, type OutputFolder } from './media/output.js'
import type { Picture } from './media/picture.js'
import { contactSheet } from './media/sheet.js'
import type { GenerateSettings } from './settings.js'

/** The forms that a video can be had in. */
export const formatNames = ['frames', 'sheet', 'mp4', 'apng', 'gif'] as const
/** One of them. */
export type FormatName = (typeof formatNames)[number]

/** Those of a run that is not told otherwise. */
export const defaultFormats: readonly FormatName[] = ['frames', 'sheet', 'mp4']

// Says of which run the files beside it are: a later one knows by it that they may be replaced, or are what it would
// make.
const settingsName = 'settings.json'

// Every form but frames is one file.
const files: Readonly<
  Record<
    Exclude<FormatName, 'frames'>,
    { name: string; write: (path: string, frames: readonly Picture[], fps: number, note: string) => Promise<void> }
  >
> = {
  sheet: { name: 'sheet.png', write: (path, frames, _, note) => writePng(path, contactSheet(frames), note) },
  mp4: { name: 'video.mp4', write: writeMp4 },
  apng: { name: 'video.apng', write: writeApng },
  gif: { name: 'video.gif', write: writeGif },
}

/** Whether a file of this name is part of a run's results. */
export const isResult = (name: string): boolean =>
  name === settingsName || /^frame_\d{4,}\.png$/.test(name) || Object.values(files).some(file => file.name === name)

/** What a video was made of, beside its settings: paths as they were given, and the runtime. */
export type Origin = Readonly<Record<string, string | undefined>>

/** Reads a list such as `frames,gif`. Throws a UsageError that names what is no format. */
export function readFormats(where: string, text: string): FormatName[] {
  const names = text.split(',').map(name => name.trim())
  const unknown = names.find(name => !formatNames.some(known => known === name))
  if (unknown !== undefined)
    throw new UsageError({
      where,
      what: 'no such format',
      expected: `some of ${formatNames.join(', ')}, with commas between`,
      got: quote(unknown),
    })
  return formatNames.filter(name => names.includes(name))
}

/** Names of all files of a run, in the order in which they are told. */
export function resultNames(formats: readonly FormatName[], frames: number): string[] {
  const names = formats.flatMap(format => (format === 'frames' ? [] : [files[format].name]))
  const stills = formats.includes('frames') ? Array.from({ length: frames }, (_, i) => frameName(i)) : []
  return [...names, settingsName, ...stills]
}

/**
 * Refuses a folder in which a run would replace what another program made, or its own picture: results of an earlier
 * run may be replaced, and files of other names stay as they are. Throws a UsageError.
 */
export async function checkResults(folder: string, image: string): Promise<void> {
  const refuse = (what: string): never => {
    throw new UsageError({ where: folder, what, hint: 'another output folder' })
  }
  const link = await lstat(folder).catch(() => undefined)
  if (!link) return
  const target = await stat(folder).catch(() => refuse('the output folder is a link that leads nowhere'))
  if (!target.isDirectory()) return
  const taken = (await readdir(folder, { withFileTypes: true })).filter(({ name }) => isResult(name))
  const blocked = taken.find(entry => entry.isDirectory())
  if (blocked) refuse(`a folder named ${blocked.name} is in the way`)
  const picture = await realpath(image)
  const own = taken.find(({ name }) => name === picture.slice(dirname(picture).length + 1))
  if (own && dirname(picture) === (await realpath(folder)))
    refuse(`${own.name} would replace the picture it is made from`)
  if (taken.length > 0 && !(await readSettings(folder)))
    refuse(`it holds a ${taken[0].name} that this program did not make`)
}

/** Whether a folder holds all that a run of these settings would leave there. */
export async function isDone(
  folder: string,
  settings: GenerateSettings,
  { runtime: _, ...origin }: Origin,
  formats: readonly FormatName[],
): Promise<boolean> {
  const found = await readSettings(folder)
  const same = (wanted: object) => Object.entries(wanted).every(([name, value]) => found?.[name] === value)
  if (!same(settings) || !same(origin)) return false
  const all = resultNames(formats, settings.frames).map(name => access(join(folder, name)))
  return Promise.all(all).then(
    () => true,
    () => false,
  )
}

/** settings.json, if this program wrote it. */
async function readSettings(folder: string): Promise<Record<string, unknown> | undefined> {
  const file = join(folder, settingsName)
  try {
    if ((await stat(file)).size > 2 ** 16) return undefined
    const settings: unknown = JSON.parse(await readFile(file, 'utf8'))
    return isObject(settings) && settings.program === software ? settings : undefined
  } catch {
    return undefined // absent, unreadable or not JSON: not ours
  }
}

/** Writes the video in all formats, and its settings; the folder is still to be committed. */
export async function writeResults(
  output: OutputFolder,
  { frames, settings }: GenerateResult,
  origin: Origin,
  formats: readonly FormatName[],
  signal?: AbortSignal,
): Promise<void> {
  // Without the paths: who gets the video need not know them.
  const note = JSON.stringify({ program: software, ...settings })
  for (const format of formats) {
    signal?.throwIfAborted()
    if (format !== 'frames') {
      const { name, write } = files[format]
      await write(output.file(name), frames, settings.fps, note)
      continue
    }
    for (const [index, frame] of frames.entries()) {
      signal?.throwIfAborted()
      await output.writeFrame(index, frame, note)
    }
  }
  const text = `${JSON.stringify({ program: software, ...origin, ...settings }, null, 2)}\n`
  await writeFileAtomically(output.file(settingsName), Buffer.from(text))
}
