// Renders a data set into a folder, on several threads. Every clip follows from its number and the settings, so what is
// there already is kept, ranges of numbers can be made on different machines, and threads change nothing.

import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { isThere, readConfigText } from '../../models/checkpoint.js'
import { isObject } from '../../models/config-reader.js'
import { UsageError } from '../../tensor/index.js'
import { holdOut, readLibrary, type Take } from '../../train/motion/library.js'
import { makeFolder, replaceFile, sweepPartials } from '../../tensor/files/index.js'
import { clipFileVersion, clipName, writeClip } from './clip-file.js'
import { composeClip } from './compose.js'
import { Crew } from './crew.js'
import type { ClipFormat } from './script.js'

/** What clips of a data set follow from. */
export interface DatasetSettings extends ClipFormat {
  readonly seed: number
  /** Motions whose names hold one of these words are left out, or the only ones that are used. */
  readonly holdOut: readonly string[]
  readonly only: 'held-out' | 'others'
}

export interface RenderOptions {
  /** Folder of motions, and the folder for clips. */
  readonly motions: string
  readonly out: string
  readonly settings: DatasetSettings
  /** Clips first..first + clips - 1. */
  readonly first: number
  readonly clips: number
  readonly threads: number
  readonly signal?: AbortSignal
}

export type RenderEvent =
  | { readonly type: 'skipped'; readonly name: string; readonly reason: string }
  | { readonly type: 'clip'; readonly clip: number; readonly clips: number; readonly name: string }
  | {
      readonly type: 'done'
      readonly path: string
      readonly rendered: number
      readonly kept: number
      readonly seconds: number
    }

/** The file that says what a folder of clips is. */
export const manifestName = 'dataset.json'

/** Most frames and pixels of a side that clips may have. */
export const clipLimits = { frames: 256, size: 512, clips: 1_000_000, threads: 64 } as const

// So many motion frames are between two pictures at most.
const longestStride = 3
// A manifest is a line for each clip.
const mostManifestBytes = 2 ** 28

interface ManifestClip {
  readonly name: string
  readonly caption: string
  readonly sources: readonly string[]
}

/**
 * Renders the clips that are not there yet. Throws a FileError for motions that cannot be read, a UsageError if no
 * motion is left or long enough, or the folder holds a data set of other settings.
 */
export async function* renderDataset(options: RenderOptions): AsyncGenerator<RenderEvent, void, undefined> {
  const { out, settings, first, clips, signal } = options
  const started = performance.now()
  const path = join(out, manifestName)
  await makeFolder(out)
  await sweepPartials(path)
  if (await isThere(path)) await readManifest(out, settings)
  else await writeManifest(path, settings, [])
  const library = await readLibrary(options.motions)
  for (const { name, reason } of library.skipped) yield { type: 'skipped', name, reason }
  const takes = usable(options.motions, library.takes, settings)
  const indices = Array.from({ length: clips }, (_, i) => first + i)
  using crew = new Crew(Math.min(options.threads, clips))
  let [rendered, kept] = [0, 0]
  const told: ManifestClip[] = []
  for (const index of indices) {
    signal?.throwIfAborted()
    const script = composeClip(takes, settings.seed, index, settings)
    const name = clipName(index)
    told.push({ name, caption: script.caption, sources: script.sources })
    // What is there is whole: files appear under their names when they are finished.
    if (await isThere(join(out, name))) kept++
    else {
      await crew.draw(script, drawn => writeClip(join(out, name), script, drawn))
      rendered++
    }
    yield { type: 'clip', clip: kept + rendered, clips, name }
  }
  await crew.done()
  // Another range may have been finished meanwhile.
  await writeManifest(path, settings, merged(await readManifest(out, settings), told))
  yield { type: 'done', path, rendered, kept, seconds: (performance.now() - started) / 1000 }
}

/** Takes that are long enough, held out or not. */
function usable(
  where: string,
  all: readonly Take[],
  { frames, holdOut: words, only }: DatasetSettings,
): readonly Take[] {
  const { train, test } = holdOut(all, words)
  const length = (frames - 1) * longestStride + 1
  const takes = (only === 'held-out' ? test : train).filter(take => take.frames >= length)
  if (takes.length > 0) return takes
  throw new UsageError({
    where,
    what: 'no motion left that is long enough',
    expected: `${length} frames`,
    got: `${test.length} held out, ${train.length} others`,
  })
}

/** Clips that the manifest in a folder names; throws a UsageError if it is that of another data set, or none of ours. */
async function readManifest(out: string, settings: DatasetSettings): Promise<readonly ManifestClip[]> {
  const text = await readConfigText(out, manifestName, mostManifestBytes)
  const refuse = (what: string) =>
    new UsageError({ where: join(out, manifestName), what, hint: 'another output folder' })
  let found: unknown
  try {
    found = JSON.parse(text)
  } catch {
    throw refuse('not what this program writes')
  }
  const wanted = JSON.parse(JSON.stringify({ version: clipFileVersion, settings })) as Record<string, unknown>
  if (!isObject(found) || !Object.keys(wanted).every(name => isDeepStrictEqual(found[name], wanted[name])))
    throw refuse('a data set of other settings is there')
  const { clips } = found
  if (!Array.isArray(clips) || !clips.every(isManifestClip)) throw refuse('not what this program writes')
  return clips
}

function isManifestClip(clip: unknown): clip is ManifestClip {
  return (
    isObject(clip) && typeof clip.name === 'string' && typeof clip.caption === 'string' && Array.isArray(clip.sources)
  )
}

function merged(old: readonly ManifestClip[], told: readonly ManifestClip[]): ManifestClip[] {
  const names = new Set(told.map(({ name }) => name))
  return [...old.filter(({ name }) => !names.has(name)), ...told].sort((a, b) => (a.name < b.name ? -1 : 1))
}

async function writeManifest(path: string, settings: DatasetSettings, clips: readonly ManifestClip[]): Promise<void> {
  const lines = clips.map(clip => `    ${JSON.stringify(clip)}`)
  const head = JSON.stringify({ version: clipFileVersion, settings }, null, 2).slice(0, -2)
  const text = `${head},\n  "clips": [\n${lines.join(',\n')}\n  ]\n}\n`
  await replaceFile(path, append => append(Buffer.from(text)))
}
