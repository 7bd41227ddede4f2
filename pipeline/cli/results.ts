// What `revision generate` leaves in its folder, and whether it may.

import { lstat, readdir, readFile, realpath, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { UsageError } from '../../tensor/index.js'
import type { GenerateResult } from '../generate.js'
import { writeFileAtomically } from '../media/atomic.js'
import { contactSheet, writePng } from '../media/encode.js'
import { writeMp4 } from '../media/mp4.js'
import { frameName, type OutputFolder } from '../media/output.js'

const fixedNames = ['video.mp4', 'sheet.png', 'settings.json']
const isResult = (name: string) => fixedNames.includes(name) || /^frame_\d{4,}\.png$/.test(name)

// settings.json carries it: how a later run knows that the files beside it may be replaced.
const program = 'revision'

/** Names of all files of a run, in the order in which they are told. */
export function resultNames(frames: number): string[] {
  return [...fixedNames, ...Array.from({ length: frames }, (_, i) => frameName(i))]
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
  if (taken.length > 0 && !(await isOurs(folder))) refuse(`it holds a ${taken[0].name} that this program did not make`)
}

async function isOurs(folder: string): Promise<boolean> {
  const file = join(folder, 'settings.json')
  try {
    if ((await stat(file)).size > 2 ** 16) return false
    const settings: unknown = JSON.parse(await readFile(file, 'utf8'))
    return typeof settings === 'object' && settings !== null && 'program' in settings && settings.program === program
  } catch {
    return false // absent, unreadable or not JSON: not ours
  }
}

/** Writes frames, video, contact sheet and settings; `origin` is what else the video was made of. */
export async function writeResults(
  output: OutputFolder,
  { frames, settings }: GenerateResult,
  origin: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<void> {
  for (const [index, frame] of frames.entries()) {
    signal.throwIfAborted()
    await output.writeFrame(index, frame)
  }
  await writeMp4(output.file('video.mp4'), frames, settings.fps)
  await writePng(output.file('sheet.png'), contactSheet(frames))
  const text = `${JSON.stringify({ program, ...origin, ...settings }, null, 2)}\n`
  await writeFileAtomically(output.file('settings.json'), Buffer.from(text))
}
