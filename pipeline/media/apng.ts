// Pictures to an animated PNG (W3C Portable Network Graphics, third edition, 11.3.6): without loss, for browsers and
// chats. Viewers that know only still pictures show the first frame.

import { setImmediate } from 'node:timers/promises'
import { UsageError } from '../../tensor/errors.js'
import { writeFileAtomically } from './atomic.js'
import { encodePng, noteChunks } from './encode.js'
import type { Picture } from './picture.js'
import { chunksOf, pngOf, type Chunk } from './png-chunks.js'
import { commonSize } from './sheet.js'

// A frame's time is a fraction of two 16-bit numbers.
const timeUnits = 100
const maxFps = 240

/**
 * Writes frames as an animated PNG that plays forever, whole or not at all; `note` becomes its comment.
 *
 * @param frames all of one size
 * @param fps frames a second, to two decimals
 * @throws ShapeError when there are no frames or their sizes differ; UsageError for an impossible fps; FileError when
 *   the file cannot be written
 */
export async function writeApng(path: string, frames: readonly Picture[], fps: number, note?: string): Promise<void> {
  await writeFileAtomically(path, await encodeApng(frames, fps, note))
}

/** The bytes of writeApng's file. */
export async function encodeApng(frames: readonly Picture[], fps: number, note?: string): Promise<Uint8Array> {
  const where = 'writeApng'
  const { width, height } = commonSize(frames, where)
  if (!(fps >= 1 / timeUnits && fps <= maxFps))
    throw new UsageError({ where, what: 'not a frame rate', expected: `${1 / timeUnits}..${maxFps}`, got: `${fps}` })
  const chunks: Chunk[] = []
  let sequence = 0
  for (const [index, frame] of frames.entries()) {
    const still = [...chunksOf(encodePng(frame))]
    // The header is that of all frames.
    if (index === 0) chunks.push(still[0], ...(note === undefined ? [] : noteChunks(note)), control(frames.length))
    chunks.push(frameControl(sequence++, width, height, fps))
    for (const { name, body } of still) {
      if (name !== 'IDAT') continue
      chunks.push(index === 0 ? { name, body } : { name: 'fdAT', body: Buffer.concat([u32(sequence++), body]) })
    }
    // Everybody else gets a turn.
    await setImmediate()
  }
  return pngOf([...chunks, { name: 'IEND', body: new Uint8Array() }])
}

/** How many frames there are, and that they play forever. */
function control(frames: number): Chunk {
  return { name: 'acTL', body: Buffer.concat([u32(frames), u32(0)]) }
}

/** A frame that replaces the whole picture for its time. */
function frameControl(sequence: number, width: number, height: number, fps: number): Chunk {
  const body = new Uint8Array(26)
  const view = new DataView(body.buffer)
  ;[sequence, width, height].forEach((value, i) => view.setUint32(4 * i, value))
  view.setUint16(20, timeUnits)
  view.setUint16(22, Math.round(fps * timeUnits))
  return { name: 'fcTL', body }
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}
