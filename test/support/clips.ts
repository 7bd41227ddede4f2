// Clips of moving squares, for training the video UNet on.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { writeNpz, type NpzEntry } from '../../tensor/files/index.js'

/** A square of one part that moves over a ground of its own colour, 64 x 64. */
export function movingSquare(clip: number, frames = 3): { frames: NpzEntry; labels: NpzEntry } {
  const side = 64
  const data = new Uint8Array(frames * side * side * 3)
  const labels = new Uint8Array(frames * side * side)
  for (let f = 0; f < frames; f++)
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++) {
        const i = (f * side + y) * side + x
        const inside = Math.abs(x - 16 - 8 * f) < 12 && Math.abs(y - 16 - 8 * clip) < 12
        labels[i] = inside ? 1 + clip : 0
        data.set(inside ? [250, 60 * clip, 20] : [20 + 50 * clip, 128, 255 - 60 * clip], 3 * i)
      }
  return {
    frames: { data, shape: [frames, side, side, 3], dtype: 'u8' },
    labels: { data: labels, shape: [frames, side, side], dtype: 'u8' },
  }
}

/** Writes so many into a new folder; the last has no labels. */
export async function writeClips(folder: string, count: number): Promise<void> {
  await mkdir(folder)
  for (let clip = 0; clip < count; clip++) {
    const { frames, labels } = movingSquare(clip)
    await writeNpz(join(folder, `${clip}.npz`), clip === count - 1 ? { frames } : { frames, labels })
  }
}
