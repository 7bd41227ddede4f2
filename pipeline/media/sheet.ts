// Many pictures on one sheet.

import { ShapeError } from '../../tensor/errors.js'
import { maxPixels, type Picture } from './picture.js'
import { resizeLanczos } from '../../models/svd/resize.js'

/** What a contact sheet may be told. */
export interface SheetOptions {
  /** Frames a row; by default as many as bring the sheet nearest to a page. */
  columns?: number
  /** Pixels between the frames and around them. */
  gap?: number
  /** Frames are shrunk, never enlarged, until the sheet is no wider than this many pixels. */
  maxWidth?: number
}

// A dark grey that neither glares nor passes for part of a dark frame.
const background = 24

// Width over height of the page that the default layout aims at.
const pageAspect = 1.6

/**
 * All frames on one sheet, row by row, on a dark ground.
 *
 * @throws ShapeError when there are no frames, their sizes differ, or the layout is impossible
 */
export function contactSheet(frames: readonly Picture[], options: SheetOptions = {}): Picture {
  const where = 'contactSheet'
  const { width: frameWidth, height: frameHeight } = commonSize(frames, where)
  const { gap = 8, maxWidth = 1920 } = options
  const columns = options.columns ?? pageColumns(frames.length, frameWidth / frameHeight)
  const room = Math.floor((maxWidth - gap * (columns + 1)) / columns)
  const cellWidth = Math.min(frameWidth, room)
  const cellHeight = Math.max(1, Math.round((frameHeight * cellWidth) / frameWidth))
  const width = columns * (cellWidth + gap) + gap
  const height = Math.ceil(frames.length / columns) * (cellHeight + gap) + gap
  const whole = Number.isInteger(columns) && columns >= 1 && Number.isInteger(gap) && gap >= 0
  if (!whole || !(room >= 1) || width * height > maxPixels)
    throw new ShapeError({
      where,
      what: 'no such layout',
      expected: `whole numbers of columns and gap that leave room for the frames, at most ${maxPixels} pixels`,
      got: `${columns} columns, gap ${gap}, width ${maxWidth}`,
    })
  const data = new Uint8Array(width * height * 3).fill(background)
  frames.forEach((frame, i) => {
    const cell = resizeLanczos(frame, cellWidth, cellHeight)
    const left = gap + (i % columns) * (cellWidth + gap)
    const top = gap + Math.floor(i / columns) * (cellHeight + gap)
    for (let y = 0; y < cellHeight; y++) {
      const row = cell.data.subarray(y * cellWidth * 3, (y + 1) * cellWidth * 3)
      data.set(row, ((top + y) * width + left) * 3)
    }
  })
  return { width, height, data }
}

/**
 * The size that all frames share.
 *
 * @throws ShapeError when there are no frames, or two of different sizes
 */
export function commonSize(frames: readonly Picture[], where: string): { width: number; height: number } {
  if (frames.length === 0) throw new ShapeError({ where, what: 'there are no frames' })
  const { width, height } = frames[0]
  const odd = frames.findIndex(frame => frame.width !== width || frame.height !== height)
  if (odd >= 0)
    throw new ShapeError({
      where,
      what: 'the frames are of different sizes',
      expected: `${width} x ${height}`,
      got: `${frames[odd].width} x ${frames[odd].height} in frame ${odd}`,
    })
  return { width, height }
}

// The number of columns whose sheet is nearest to a page in its proportions and leaves few places empty.
function pageColumns(count: number, aspect: number): number {
  const cost = (columns: number) => {
    const rows = Math.ceil(count / columns)
    return Math.abs(Math.log((columns * aspect) / rows / pageAspect)) + (rows * columns - count) / count
  }
  let best = 1
  for (let columns = 2; columns <= count; columns++) if (cost(columns) < cost(best)) best = columns
  return best
}
