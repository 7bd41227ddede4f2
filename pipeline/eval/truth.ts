// Clips of which the parts of every pixel are known: what videos are compared with.

import type { LabelMap } from '../../models/svd/picture.js'
import { FileError } from '../../tensor/index.js'
import { readClip, type Clip, type ReadClipOptions } from '../../train/svd/clips.js'

/** What a video should show; people are known of rendered clips. */
export interface Truth extends Clip {
  readonly labels: readonly LabelMap[]
}

/** Reads a clip with its labels. Throws a FileError if it has none, or as `readClip`. */
export async function readTruth(path: string, options: ReadClipOptions): Promise<Truth> {
  const { labels, ...clip } = await readClip(path, options)
  if (labels) return { ...clip, labels }
  throw new FileError({ where: path, what: 'nothing to compare with', expected: 'an array of labels' })
}
