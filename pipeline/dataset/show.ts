// Clips on a sheet: pictures of each above, their part labels below.

import { labelCount } from '../../models/svd/picture.js'
import { readClip } from '../../train/svd/clips.js'
import type { Picture } from '../media/picture.js'
import { contactSheet } from '../media/sheet.js'
import { labelColour } from '../render/palette.js'

const columns = 8
// Small pictures are shown larger, up to so many pixels.
const shown = 128

/** A sheet of clips: of each, eight pictures from first to last, and their labels. Errors: as `readClip`. */
export async function clipSheet(paths: readonly string[]): Promise<Picture> {
  const videos: (readonly Picture[])[] = []
  for (const path of paths) {
    const { frames, labels } = await readClip(path, { stride: 1 })
    videos.push(frames)
    if (labels) videos.push(labels.map(coloured))
  }
  return videoSheet(videos)
}

/** A sheet of videos of one size: a row each, eight pictures from first to last. */
export function videoSheet(videos: readonly (readonly Picture[])[]): Picture {
  const factor = Math.max(1, Math.floor(shown / videos[0][0].width))
  const pictures = videos.flatMap(frames =>
    Array.from({ length: columns }, (_, i) => frames[Math.round((i * (frames.length - 1)) / (columns - 1))]),
  )
  return contactSheet(
    pictures.map(picture => enlarged(picture, factor)),
    { columns, gap: 2 },
  )
}

const palette = Array.from({ length: labelCount }, (_, label) => (label === 0 ? [0, 0, 0] : labelColour(label)))

/** Labels as a picture, each in its colour. */
function coloured({ width, height, data }: Picture): Picture {
  const out = new Uint8Array(3 * data.length)
  data.forEach((label, pixel) => out.set(palette[label], 3 * pixel))
  return { width, height, data: out }
}

/** Each pixel as a square of them. */
function enlarged({ width, height, data }: Picture, factor: number): Picture {
  const out = new Uint8Array(data.length * factor ** 2)
  for (let y = 0; y < factor * height; y++)
    for (let x = 0; x < factor * width; x++) {
      const from = 3 * (Math.floor(y / factor) * width + Math.floor(x / factor))
      out.set(data.subarray(from, from + 3), 3 * (y * factor * width + x))
    }
  return { width: factor * width, height: factor * height, data: out }
}
