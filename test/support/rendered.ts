// Small rendered clips of a person who walks.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { drawClip } from '../../pipeline/dataset/clip.js'
import { clipName, writeClip } from '../../pipeline/dataset/clip-file.js'
import { composeClip } from '../../pipeline/dataset/compose.js'
import { walk } from './motion.js'

/** Writes so many clips of one person each into a new folder; returns their paths. */
export async function writeRendered(
  folder: string,
  count: number,
  format: { frames: number; size: number },
): Promise<string[]> {
  await mkdir(folder)
  const takes = [{ ...walk(60), name: 'walk.npz', text: 'walking' }]
  const paths: string[] = []
  for (let index = 0; paths.length < count; index++) {
    const script = composeClip(takes, 1, index, format)
    if (String(script.actors.map(({ kind }) => kind)) !== 'human') continue
    const path = join(folder, clipName(index))
    await writeClip(path, script, drawClip(script))
    paths.push(path)
  }
  return paths
}
