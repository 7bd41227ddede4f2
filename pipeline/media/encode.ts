// Pictures to PNG files.

import { PNG } from 'pngjs'
import { writeFileAtomically } from './atomic.js'
import { software } from './note.js'
import type { Picture } from './picture.js'
import { chunksOf, pngOf, textChunk, type Chunk } from './png-chunks.js'

const rgbColour = 2

/** The bytes of an 8-bit RGB PNG file; `note` becomes its comment. */
export function encodePng({ width, height, data }: Picture, note?: string): Uint8Array {
  const png = new PNG({ width, height })
  png.data = Buffer.from(data.buffer, data.byteOffset, data.length)
  const bytes = PNG.sync.write(png, { colorType: rgbColour, inputColorType: rgbColour, inputHasAlpha: false })
  if (note === undefined) return bytes
  const [header, ...rest] = chunksOf(bytes)
  return pngOf([header, ...noteChunks(note), ...rest])
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
