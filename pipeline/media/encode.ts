// Pictures to PNG files.

import { deflateSync } from 'node:zlib'
import { PNG } from 'pngjs'
import { writeFileAtomically } from './atomic.js'
import { software } from './note.js'
import type { LabelMap, Picture } from './picture.js'
import { chunksOf, pngOf, textChunk, type Chunk } from './png-chunks.js'

const rgbColour = 2
const paletteColour = 3

/** The bytes of an 8-bit RGB PNG file; `note` becomes its comment. */
export function encodePng({ width, height, data }: Picture, note?: string): Uint8Array {
  const png = new PNG({ width, height })
  png.data = Buffer.from(data.buffer, data.byteOffset, data.length)
  const bytes = PNG.sync.write(png, { colorType: rgbColour, inputColorType: rgbColour, inputHasAlpha: false })
  if (note === undefined) return bytes
  const [header, ...rest] = chunksOf(bytes)
  return pngOf([header, ...noteChunks(note), ...rest])
}

/**
 * The bytes of a PNG file of labels, which are the indices of a palette, [N x 3]: programs that show it use its colours,
 * and `readLabels` gives the labels back.
 */
export function encodeLabels({ width, height, data }: LabelMap, palette: Uint8Array): Uint8Array {
  const header = new Uint8Array(13)
  const view = new DataView(header.buffer)
  view.setUint32(0, width)
  view.setUint32(4, height)
  header.set([8, paletteColour], 8)
  // Rows begin with the number of their filter: none.
  const rows = new Uint8Array(height * (width + 1))
  for (let y = 0; y < height; y++) rows.set(data.subarray(y * width, (y + 1) * width), y * (width + 1) + 1)
  return pngOf([
    { name: 'IHDR', body: header },
    { name: 'PLTE', body: palette },
    { name: 'IDAT', body: deflateSync(rows) },
    { name: 'IEND', body: new Uint8Array() },
  ])
}

/** What says in a PNG who made it and how. */
export function noteChunks(note: string): Chunk[] {
  return [textChunk('Software', software), textChunk('Comment', note)]
}

/**
 * Writes a picture as PNG, whole or not at all; `note` becomes its comment.
 *
 * @throws FileError when the folder is missing or may not be written to
 */
export async function writePng(path: string, picture: Picture, note?: string): Promise<void> {
  await writeFileAtomically(path, encodePng(picture, note))
}
