// The chunks that PNG files consist of (W3C Portable Network Graphics, third edition, 5.3), for those that are written.

import { crc32 } from 'node:zlib'
import { noteBytes } from './note.js'

/** The eight bytes that every PNG begins with. */
export const pngSignature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)

/** One chunk. */
export interface Chunk {
  readonly name: string
  readonly body: Uint8Array
}

/** The chunks of a well-formed file. */
export function* chunksOf(png: Uint8Array): Generator<Chunk, void, undefined> {
  const view = new DataView(png.buffer, png.byteOffset, png.length)
  for (let offset = pngSignature.length; offset < png.length;) {
    const end = offset + 8 + view.getUint32(offset)
    yield { name: String.fromCharCode(...png.subarray(offset + 4, offset + 8)), body: png.subarray(offset + 8, end) }
    offset = end + 4
  }
}

/** The file of these chunks. */
export function pngOf(chunks: Iterable<Chunk>): Uint8Array {
  const parts = [pngSignature]
  for (const { name, body } of chunks) {
    const bytes = new Uint8Array(12 + body.length)
    const view = new DataView(bytes.buffer)
    view.setUint32(0, body.length)
    bytes.set(noteBytes(name), 4)
    bytes.set(body, 8)
    view.setUint32(8 + body.length, crc32(bytes.subarray(4, 8 + body.length)))
    parts.push(bytes)
  }
  return Buffer.concat(parts)
}

/** A keyword of the standard, such as Comment, and its text. */
export function textChunk(keyword: string, text: string): Chunk {
  return { name: 'tEXt', body: Buffer.concat([noteBytes(keyword), Uint8Array.of(0), noteBytes(text)]) }
}
