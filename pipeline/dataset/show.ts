// Clips on a sheet: pictures of each above, their part labels below.

import { labelCount, type LabelMap } from '../../models/svd/picture.js'
import { resizeLanczos } from '../../models/svd/resize.js'
import { readClip } from '../../train/svd/clips.js'
import type { Picture } from '../media/picture.js'
import { contactSheet } from '../media/sheet.js'
import { labelColour } from '../render/palette.js'

const columns = 8
// Pictures are brought to about so many pixels of their longer side, so that sheets of any clips are of a bounded size.
const shown = 128

/** A sheet of clips: of each, eight pictures from first to last, and their labels. Errors: as `readClip`. */
export async function clipSheet(paths: readonly string[]): Promise<Picture> {
  const rows: (readonly Picture[])[] = []
  for (const path of paths) {
    const { frames, labels } = await readClip(path, { stride: 1 })
    rows.push(rowOf(frames).map(sized))
    if (labels) rows.push(rowOf(labels).map(map => sized(coloured(map))))
  }
  return sheetOf(rows)
}

/** A sheet of videos of one size: a row each, eight pictures from first to last. */
export function videoSheet(videos: readonly (readonly Picture[])[]): Picture {
  return sheetOf(videos.map(video => rowOf(video).map(sized)))
}

function sheetOf(rows: readonly (readonly Picture[])[]): Picture {
  return contactSheet(rows.flat(), { columns, gap: 2 })
}

function rowOf<P>(frames: readonly P[]): P[] {
  const last = frames.length - 1
  return Array.from({ length: columns }, (_, i) => frames[Math.round((i * last) / (columns - 1))])
}

function sized(picture: Picture): Picture {
  const { width, height } = picture
  const scale = shown / Math.max(width, height)
  if (scale >= 1) return enlarged(picture, Math.floor(scale))
  return resizeLanczos(picture, Math.max(1, Math.round(scale * width)), Math.max(1, Math.round(scale * height)))
}

const palette = Array.from({ length: labelCount }, (_, label) => (label === 0 ? [0, 0, 0] : labelColour(label)))

/** Labels as a picture, each in its colour. */
function coloured({ width, height, data }: LabelMap): Picture {
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
