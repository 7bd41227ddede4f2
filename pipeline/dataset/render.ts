// Renders a data set into a folder, on several threads. Every clip follows from its number and the settings, so what is
// there already is kept, ranges of numbers can be made on different machines, and threads change nothing.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isThere } from '../../models/checkpoint.js'
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
const mostManifestBytes = 2 ** 29

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
  const manifest = await openManifest(out, settings)
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
  const path = join(out, manifestName)
  await writeManifest(path, settings, merged(manifest, told))
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

/** Clips that the manifest names. Makes the folder; throws if it holds a data set of other settings. */
async function openManifest(out: string, settings: DatasetSettings): Promise<readonly ManifestClip[]> {
  await makeFolder(out)
  const path = join(out, manifestName)
  await sweepPartials(path)
  if (!(await isThere(path))) {
    await writeManifest(path, settings, [])
    return []
  }
  const bytes = await readFile(path)
  const refuse = (what: string) => new UsageError({ where: path, what, hint: 'another output folder' })
  if (bytes.length > mostManifestBytes) throw refuse('too large for what this program writes')
  let found: unknown
  try {
    found = JSON.parse(bytes.toString())
  } catch {
    throw refuse('not what this program writes')
  }
  const wanted = JSON.parse(JSON.stringify({ version: clipFileVersion, settings })) as Record<string, unknown>
  const same =
    isObject(found) &&
    Object.entries(wanted).every(([name, value]) => JSON.stringify(found[name]) === JSON.stringify(value))
  if (!same) throw refuse('a data set of other settings is there')
  const { clips } = found as { clips?: unknown }
  return Array.isArray(clips) ? (clips as readonly ManifestClip[]) : []
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
