// The one thing that we want from a camera's EXIF data (CIPA DC-008): which way up the picture is.

import type { Picture } from './picture.js'

const orientationTag = 0x0112
const shortType = 3

/**
 * The orientation, 1 to 8, told by the body of a JPEG's APP1 segment; 1, upright, when it is not EXIF, says nothing,
 * or says nonsense: a picture is not refused for its notes.
 */
export function readOrientation(segment: Uint8Array): number {
  const view = new DataView(segment.buffer, segment.byteOffset, segment.length)
  if (segment.length < 14 || String.fromCharCode(...segment.subarray(0, 6)) !== 'Exif\0\0') return 1
  const tiff = 6
  const order = view.getUint16(tiff)
  if (order !== 0x4949 && order !== 0x4d4d) return 1
  const little = order === 0x4949
  const directory = tiff + view.getUint32(tiff + 4, little)
  if (directory + 2 > segment.length) return 1
  const count = view.getUint16(directory, little)
  for (let i = 0, entry = directory + 2; i < count && entry + 12 <= segment.length; i++, entry += 12) {
    if (view.getUint16(entry, little) !== orientationTag) continue
    const value = view.getUint16(entry + 8, little)
    return view.getUint16(entry + 2, little) === shortType && value >= 1 && value <= 8 ? value : 1
  }
  return 1
}

/** The picture turned and mirrored so that it stands upright. */
export function applyOrientation(picture: Picture, orientation: number): Picture {
  if (orientation === 1) return picture
  const swap = orientation >= 5
  const flipX = [2, 3, 7, 8].includes(orientation)
  const flipY = [3, 4, 6, 7].includes(orientation)
  const width = swap ? picture.height : picture.width
  const height = swap ? picture.width : picture.height
  const data = new Uint8Array(picture.data.length)
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += 3) {
      const column = swap ? y : x
      const row = swap ? x : y
      const fromX = flipX ? picture.width - 1 - column : column
      const fromY = flipY ? picture.height - 1 - row : row
      const from = (fromY * picture.width + fromX) * 3
      data[to] = picture.data[from]
      data[to + 1] = picture.data[from + 1]
      data[to + 2] = picture.data[from + 2]
    }
  }
  return { width, height, data }
}
