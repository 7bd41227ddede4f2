// A comment in an MP4 file, where players and ffprobe look for it: moov/udta/meta/ilst/©cmt, the list of Apple's
// players (QuickTime File Format Specification, "Metadata"), in boxes of ISO/IEC 14496-12.

import { noteBytes } from './note.js'

const textType = 1

/**
 * The file with a comment. Its moov box has to lie behind the frames, whose places in the file it tells: so their
 * places stay. Gives the bytes as they are if it does not.
 */
export function withNote(mp4: Uint8Array, note: string): Uint8Array {
  const view = new DataView(mp4.buffer, mp4.byteOffset, mp4.length)
  let frames = false
  for (let offset = 0; offset + 8 <= mp4.length;) {
    const length = view.getUint32(offset)
    const name = String.fromCharCode(...mp4.subarray(offset + 4, offset + 8))
    if (name === 'moov' && frames) {
      const moov = box('moov', mp4.subarray(offset + 8, offset + length), userData(note))
      return Buffer.concat([mp4.subarray(0, offset), moov, mp4.subarray(offset + length)])
    }
    frames ||= name === 'mdat'
    offset += Math.max(length, 8)
  }
  return mp4
}

function userData(note: string): Uint8Array {
  const handler = box('hdlr', u32(0, 0), noteBytes('mdirappl'), u32(0, 0), new Uint8Array(1))
  const item = box('\xa9cmt', box('data', u32(textType, 0), noteBytes(note)))
  return box('udta', box('meta', u32(0), handler, box('ilst', item)))
}

function box(name: string, ...contents: Uint8Array[]): Uint8Array {
  const body = Buffer.concat(contents)
  return Buffer.concat([u32(8 + body.length), Buffer.from(name, 'latin1'), body])
}

function u32(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length)
  const view = new DataView(bytes.buffer)
  values.forEach((value, i) => view.setUint32(4 * i, value))
  return bytes
}
