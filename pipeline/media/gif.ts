// Pictures to an animated GIF, with gifenc: 256 colours a frame, for places that take nothing better.

import { setImmediate } from 'node:timers/promises'
import gifenc from 'gifenc'
import { ShapeError, UsageError } from '../../tensor/errors.js'
import { writeFileAtomically } from './atomic.js'
import { noteBytes } from './note.js'
import type { Picture } from './picture.js'
import { commonSize } from './sheet.js'

const colours = 256
const maxSide = 65535

// Frames are timed in hundredths of a second, and players slow down those shorter than two.
const ticks = 100
const maxFps = 50

/**
 * Writes frames as an animated GIF that plays forever, whole or not at all; `note` becomes its comment. Above 50 frames
 * a second it plays at 50.
 *
 * @param frames all of one size, at most 65,535 pixels a side
 * @param fps frames a second, whole or not
 * @throws ShapeError when there are no frames, their sizes differ, or are too large; UsageError for an impossible fps;
 *   FileError when the file cannot be written
 */
export async function writeGif(path: string, frames: readonly Picture[], fps: number, note?: string): Promise<void> {
  await writeFileAtomically(path, await encodeGif(frames, fps, note))
}

/** The bytes of writeGif's file. */
export async function encodeGif(frames: readonly Picture[], fps: number, note = ''): Promise<Uint8Array> {
  const where = 'writeGif'
  const { width, height } = commonSize(frames, where)
  if (Math.max(width, height) > maxSide)
    throw new ShapeError({
      where,
      what: 'the frames are too large',
      expected: `at most ${maxSide} a side`,
      got: `${width} x ${height}`,
    })
  if (!(fps >= 0.01)) throw new UsageError({ where, what: 'not a frame rate', expected: '0.01 or more', got: `${fps}` })
  const gif = gifenc.GIFEncoder()
  // Whole hundredths that add up: at 7 frames a second some frames stay for 14 and some for 15.
  const timeOf = (index: number) => Math.round((index * ticks) / Math.min(fps, maxFps))
  for (const [index, frame] of frames.entries()) {
    const pixels = rgba(frame)
    const palette = gifenc.quantize(pixels, colours)
    const delay = 10 * (timeOf(index + 1) - timeOf(index)) // milliseconds
    gif.writeFrame(gifenc.applyPalette(pixels, palette), width, height, { palette, delay })
    // Everybody else gets a turn.
    await setImmediate()
  }
  gif.finish()
  const bytes = gif.bytes()
  return Buffer.concat([bytes.subarray(0, -1), comment(note), bytes.subarray(-1)])
}

/** A comment extension: blocks of up to 255 bytes, before the trailer. */
function comment(note: string): Uint8Array {
  const text = noteBytes(note)
  if (text.length === 0) return text
  const parts: Uint8Array[] = [Uint8Array.of(0x21, 0xfe)]
  for (let start = 0; start < text.length; start += 255) {
    const block = text.subarray(start, start + 255)
    parts.push(Uint8Array.of(block.length), block)
  }
  return Buffer.concat([...parts, Uint8Array.of(0)])
}

function rgba({ width, height, data }: Picture): Uint8Array {
  const out = new Uint8Array(4 * width * height).fill(255)
  for (let pixel = 0; pixel < width * height; pixel++) out.set(data.subarray(3 * pixel, 3 * pixel + 3), 4 * pixel)
  return out
}
