// A folder of clips as trainers draw from it: looked through once, then a few frames of a clip at a time.

import { join } from 'node:path'
import { FileError, type Generator } from '../tensor/index.js'
import type { CacheEvent } from './svd/cache.js'
import { hashFile, listClips, readClip, type Clip } from './svd/clips.js'
import type { ClipSettings } from './svd/config.js'

/** Which frames of a clip are taken: so many, of how many neighbours one. */
export type Taken = Pick<ClipSettings, 'frames' | 'stride'>

/** A clip that can be read. */
export interface FoundClip {
  readonly name: string
  /** Hash of the file. */
  readonly key: string
  readonly path: string
}

/**
 * Looks through a folder. Clips that cannot be read, or are too short, are told and left out. Throws a FileError if none
 * is left, and the signal's reason.
 */
export async function* findClips(
  folder: string,
  taken: Taken,
  signal?: AbortSignal,
): AsyncGenerator<CacheEvent, FoundClip[], undefined> {
  const names = await listClips(folder)
  const clips: FoundClip[] = []
  for (const [i, name] of names.entries()) {
    signal?.throwIfAborted()
    const path = join(folder, name)
    try {
      await readClip(path, taken)
      clips.push({ name, key: await hashFile(path), path })
      yield { type: 'clip', name, clip: i + 1, clips: names.length }
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      yield { type: 'skipped', name, reason: error.message }
    }
  }
  if (clips.length === 0) throw new FileError({ where: folder, what: 'no clip in it that can be read' })
  return clips
}

/** Some frames of a clip, from anywhere in it. Errors: as readClip. */
export function drawClip(clips: readonly FoundClip[], taken: Taken, random: Generator): Promise<Clip> {
  const [clip] = random.randint(0, clips.length, 1)
  const [start] = random.rand(1)
  return readClip(clips[clip].path, { ...taken, start })
}
