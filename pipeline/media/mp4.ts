// Pictures to an MP4 file, with h264-mp4-encoder: minih264 and libmp4v2 in WebAssembly. The result is H.264 baseline,
// 8 bits, 4:2:0, which every player knows.
//
// Three things are done here and not left to the library: colours are averaged over the four pixels that share them (it
// takes one of the four); frame rates need not be whole numbers; dates are left out, so that equal frames give equal
// files.

import { setImmediate } from 'node:timers/promises'
import type H264 from 'h264-mp4-encoder'
import { ShapeError, UsageError } from '../../tensor/errors.js'
import { writeFileAtomically } from './atomic.js'
import { commonSize } from './sheet.js'
import { withNote } from './mp4-note.js'
import type { Picture } from './picture.js'

// H.264's quantiser, 10 (best) to 51. At 20 a frame is told from its original only when enlarged.
const quantiser = 20

// A key frame at least this often lets a player seek in short clips.
const keyFrameEvery = 12

/** Frames a second that can be asked for. */
const maxFps = 240

/** The longest side in pixels; H.264's largest level ends near it. */
const maxSide = 4096

/**
 * Writes frames as an MP4 video, whole or not at all. An odd width or height is made even by repeating the last column
 * or row, since colours are stored for pairs of pixels. `note` becomes the video's comment.
 *
 * @param frames all of one size
 * @param fps frames a second, whole or not
 * @throws ShapeError when there are no frames, their sizes differ, or are too large; UsageError for an impossible fps;
 *   FileError when the file cannot be written
 */
export async function writeMp4(path: string, frames: readonly Picture[], fps: number, note?: string): Promise<void> {
  await writeFileAtomically(path, await encodeMp4(frames, fps, note))
}

/** The bytes of writeMp4's file. */
export async function encodeMp4(frames: readonly Picture[], fps: number, note?: string): Promise<Uint8Array> {
  const where = 'writeMp4'
  const size = commonSize(frames, where)
  if (Math.max(size.width, size.height) > maxSide)
    throw new ShapeError({
      where,
      what: 'the frames are too large for a video',
      expected: `at most ${maxSide} pixels a side`,
      got: `${size.width} x ${size.height}`,
    })
  if (!(fps > 0.01 && fps <= maxFps))
    throw new UsageError({ where, what: 'not a frame rate', expected: `above 0.01, at most ${maxFps}`, got: `${fps}` })
  const encoder = await createEncoder()
  try {
    encoder.width = size.width + (size.width % 2)
    encoder.height = size.height + (size.height % 2)
    encoder.frameRate = 1
    encoder.quantizationParameter = quantiser
    encoder.groupOfPictures = keyFrameEvery
    encoder.initialize()
    for (const frame of frames) {
      encoder.addFrameYuv(toYuv420(frame))
      // Everybody else gets a turn: a long video takes minutes.
      await setImmediate()
    }
    encoder.finalize()
    const bytes = encoder.FS.readFile(encoder.outputFilename)
    encoder.FS.unlink(encoder.outputFilename)
    retime(bytes, fps)
    return note === undefined ? bytes : withNote(bytes, note)
  } finally {
    encoder.delete()
  }
}

// Importing the library hangs handlers on the whole process that turn every stray error into an abort of its own.
async function createEncoder() {
  const events = ['uncaughtException', 'unhandledRejection'] as const
  const before = events.map(event => process.listeners(event as 'uncaughtException'))
  try {
    // Node puts a CommonJS module under `default`; other loaders spread its exports.
    const module: typeof H264 & { default?: typeof H264 } = await import('h264-mp4-encoder')
    return await (module.default ?? module).createH264MP4Encoder()
  } finally {
    events.forEach((event, i) => {
      for (const listener of process.listeners(event as 'uncaughtException')) {
        if (!before[i].includes(listener)) process.removeListener(event, listener)
      }
    })
  }
}

/**
 * A picture as BT.601 luminance and colour differences in video range, [height, width] followed by twice
 * [height / 2, width / 2], sizes rounded up to even. Players assume this where a file says nothing.
 */
export function toYuv420({ width, height, data }: Picture): Uint8Array {
  const halfWidth = Math.ceil(width / 2)
  const halfHeight = Math.ceil(height / 2)
  const stride = halfWidth * 2
  const luma = stride * halfHeight * 2
  const chroma = halfWidth * halfHeight
  const yuv = new Uint8Array(luma + 2 * chroma)
  for (let j = 0; j < halfHeight; j++) {
    for (let i = 0; i < halfWidth; i++) {
      let [red, green, blue] = [0, 0, 0]
      for (let corner = 0; corner < 4; corner++) {
        const x = i * 2 + (corner & 1)
        const y = j * 2 + (corner >> 1)
        const from = (Math.min(y, height - 1) * width + Math.min(x, width - 1)) * 3
        const [r, g, b] = [data[from], data[from + 1], data[from + 2]]
        yuv[y * stride + x] = Math.round(16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255)
        red += r
        green += g
        blue += b
      }
      const at = luma + j * halfWidth + i
      yuv[at] = Math.round(128 + (-37.797 * red - 74.203 * green + 112 * blue) / 1020)
      yuv[at + chroma] = Math.round(128 + (112 * red - 93.786 * green - 18.214 * blue) / 1020)
    }
  }
  return yuv
}

// The file was made at one frame a second, with equal time scales for the film and its track. Scaling both scales
// time, exactly for any frame rate of up to five or so decimals.
function retime(bytes: Uint8Array, fps: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (const { name, body } of headerBoxes(view, 0, bytes.length)) {
    view.setUint32(body + 4, 0) // creation and modification times
    view.setUint32(body + 8, 0)
    if (name !== 'tkhd') view.setUint32(body + 12, Math.round(view.getUint32(body + 12) * fps))
  }
}

// The boxes that hold times: film, track and media header (ISO/IEC 14496-12, version 0).
function* headerBoxes(view: DataView, start: number, end: number): Generator<{ name: string; body: number }> {
  for (let offset = start; offset + 8 <= end;) {
    const length = view.getUint32(offset)
    const name = String.fromCharCode(...[4, 5, 6, 7].map(i => view.getUint8(offset + i)))
    if (['moov', 'trak', 'mdia'].includes(name)) yield* headerBoxes(view, offset + 8, offset + length)
    if (['mvhd', 'tkhd', 'mdhd'].includes(name)) yield { name, body: offset + 8 }
    offset += Math.max(length, 8)
  }
}
