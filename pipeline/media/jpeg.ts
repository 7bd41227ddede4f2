// Decoding of JPEG files (ITU-T T.81) with jpeg-js, behind a look at the markers: jpeg-js allocates all coefficients as
// soon as it meets a header and decodes as many scans as the file holds, so sizes and scans are bounded first.

import jpeg from 'jpeg-js'
import { FileError } from '../../tensor/errors.js'
import { applyOrientation, readOrientation } from './exif.js'
import { checkSize, type Picture } from './picture.js'

// A progressive picture needs about ten scans; each costs a walk over all pixels.
const maxScans = 100

// Enough for the largest picture without subsampled colours: coefficients, sample planes and output.
const maxMemoryMB = 2048

interface Markers {
  width: number
  height: number
  orientation: number
  /** Three components that are RGB as they stand, not luminance and colour differences. */
  rgb: boolean
}

/** Whether a file begins as a JPEG does. */
export function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff
}

/**
 * Decodes a baseline or progressive JPEG (grey, YCbCr, RGB, or Adobe's CMYK), upright by its EXIF orientation.
 *
 * Subsampled colours are repeated, not interpolated as libjpeg does: over a photograph the two differ by less than one
 * level on average, though by tens where colours meet sharply.
 *
 * @param where the file's name, for errors
 * @throws FileError when the file is damaged, truncated, too large, or of a rarer kind
 */
export function decodeJpeg(bytes: Uint8Array, where: string): Picture {
  const { orientation, rgb } = readMarkers(bytes, where)
  try {
    const { width, height, data } = jpeg.decode(bytes, {
      useTArray: true,
      formatAsRGBA: false,
      colorTransform: rgb ? false : undefined,
      // Not about damage: without it, grey pictures with restart intervals fail.
      tolerantDecoding: true,
      maxResolutionInMP: Infinity,
      maxMemoryUsageInMB: maxMemoryMB,
    })
    return applyOrientation({ width, height, data }, orientation)
  } catch (cause) {
    throw new FileError({ where, what: 'the JPEG is damaged, truncated, or of an unusual kind' }, { cause })
  }
}

// Walks the markers from the start to the end of the picture.
function readMarkers(bytes: Uint8Array, where: string): Markers {
  const fail: (what: string) => never = what => {
    throw new FileError({ where, what })
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let size: { width: number; height: number } | undefined
  let orientation = 1
  let adobeTransform: number | undefined
  let ids = ''
  let scans = 0
  for (let offset = 2; ;) {
    while (bytes[offset] === 0xff && bytes[offset + 1] === 0xff) offset++ // fill bytes
    if (offset + 4 > bytes.length && bytes[offset + 1] !== 0xd9) fail('the JPEG is truncated')
    if (bytes[offset] !== 0xff) fail('the JPEG is damaged (no marker where one is due)')
    const marker = bytes[offset + 1]
    if (marker === 0xd9) break
    const length = view.getUint16(offset + 2)
    const end = offset + 2 + length
    if (length < 2) fail('the JPEG is damaged (a segment of negative length)')
    if (end > bytes.length) fail('the JPEG is truncated')
    const body = bytes.subarray(offset + 4, end)
    offset = end

    if (marker >= 0xc0 && marker <= 0xc2) {
      if (size !== undefined) fail('the JPEG has more than one frame header')
      if (length < 8 || length !== 8 + 3 * body[5]) fail('the JPEG has a malformed frame header')
      size = { height: body[1] * 256 + body[2], width: body[3] * 256 + body[4] }
      checkSize(size.width, size.height, where)
      checkComponents(body, where)
      // Every block of 8 x 8 pixels takes at least one bit.
      if (Math.ceil(size.width / 8) * Math.ceil(size.height / 8) > bytes.length * 8) fail('the JPEG is truncated')
      ids = String.fromCharCode(...[0, 1, 2].map(i => body[6 + 3 * i] ?? 0))
    } else if (marker === 0xda) {
      if (size === undefined) fail('the JPEG has pixels before its frame header')
      if (length !== 6 + 2 * body[0]) fail('the JPEG has a malformed scan header')
      if (++scans > maxScans) fail(`the JPEG has more than ${maxScans} scans`)
      offset = skipEntropyCoded(bytes, end)
    } else if (marker === 0xdd) {
      if (length !== 4) fail('the JPEG has a malformed restart interval')
    } else if (marker === 0xe1) {
      if (orientation === 1) orientation = readOrientation(body)
    } else if (marker === 0xee) {
      if (length >= 14 && String.fromCharCode(...body.subarray(0, 5)) === 'Adobe') adobeTransform = body[11]
    } else if (![0xc4, 0xdb, 0xfe].includes(marker) && (marker & 0xf0) !== 0xe0) {
      fail('the JPEG is of a kind that is not supported (lossless, arithmetic-coded or hierarchical)')
    }
  }
  if (size === undefined || scans === 0) fail('the JPEG holds no picture')
  return { ...size, orientation, rgb: adobeTransform === 0 || (adobeTransform === undefined && ids === 'RGB') }
}

function checkComponents(frame: Uint8Array, where: string): void {
  const [precision, components] = [frame[0], frame[5]]
  const factors = Array.from({ length: components }, (_, i) => frame[7 + 3 * i])
  const fine = factors.every(f => f >> 4 >= 1 && f >> 4 <= 4 && (f & 15) >= 1 && (f & 15) <= 4)
  if (precision === 8 && [1, 3, 4].includes(components) && fine) return
  throw new FileError({
    where,
    what: 'the JPEG is of a kind that is not supported',
    expected: '8 bits in 1, 3 or 4 components, subsampled by at most 4',
    got: `${precision} bits in ${components} components`,
  })
}

// The place of the first marker after a scan's data, where FF 00 stands for a byte and FF D0..D7 are restarts.
function skipEntropyCoded(bytes: Uint8Array, start: number): number {
  let offset = bytes.indexOf(0xff, start)
  while (offset >= 0 && (bytes[offset + 1] === 0 || (bytes[offset + 1] & 0xf8) === 0xd0))
    offset = bytes.indexOf(0xff, offset + 2)
  return offset < 0 ? bytes.length : offset
}
