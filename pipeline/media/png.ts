// Decoding of PNG files (W3C Portable Network Graphics, third edition), down to their samples.
//
// Written here, and not left to pngjs (which writes our files), for three reasons: label maps need the palette indices
// themselves, colours under transparent pixels must survive as they do in Pillow's convert('RGB'), and the inflated
// size must be bounded for interlaced pictures too.

import { crc32, inflateSync } from 'node:zlib'
import { FileError } from '../../tensor/errors.js'
import { checkSize, type Picture } from './picture.js'
import { pngSignature } from './png-chunks.js'

/** A decoded PNG, its samples still as they are stored. */
export interface PngSamples {
  width: number
  height: number
  /** Samples a pixel: 1 grey or palette index, 2 grey and alpha, 3 RGB, 4 RGB and alpha. */
  channels: number
  /** Bits a sample. */
  depth: number
  /** [height, width, channels]. */
  samples: Uint8Array | Uint16Array
  /** RGB triples; present when the samples are indices into it. */
  palette?: Uint8Array
}

interface Header {
  width: number
  height: number
  depth: number
  channels: number
  indexed: boolean
  interlaced: boolean
}

// By colour type: samples a pixel and the bit depths that the standard allows.
const colourTypes: Record<number, { channels: number; depths: number[] }> = {
  0: { channels: 1, depths: [1, 2, 4, 8, 16] },
  2: { channels: 3, depths: [8, 16] },
  3: { channels: 1, depths: [1, 2, 4, 8] },
  4: { channels: 2, depths: [8, 16] },
  6: { channels: 4, depths: [8, 16] },
}

// Adam7: the seven passes as first column, first row, column step, row step.
const adam7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
]

/** Whether a file begins as a PNG does. */
export function isPng(bytes: Uint8Array): boolean {
  return pngSignature.every((byte, i) => bytes[i] === byte)
}

/**
 * Decodes a PNG of any colour type, bit depth and interlacing. Nothing is allocated before the header's size has been
 * found to be within bounds, and the inflated data may not be longer than the header implies.
 *
 * @param where the file's name, for errors
 * @throws FileError when the file is damaged, truncated, or too large
 */
export function decodePng(bytes: Uint8Array, where: string): PngSamples {
  const fail: (what: string) => never = what => {
    throw new FileError({ where, what })
  }
  const { header, palette, compressed } = readChunks(bytes, where)
  const { width, height, channels, depth } = header
  const passes = passesOf(header)
  const length = passes.reduce((sum, pass) => sum + pass.height * (1 + rowBytes(header, pass.width)), 0)

  let filtered: Uint8Array
  try {
    filtered = inflateSync(compressed, { maxOutputLength: length })
  } catch (cause) {
    throw new FileError({ where, what: 'the PNG holds damaged or too much image data' }, { cause })
  }
  if (filtered.length !== length) fail('the PNG holds too little image data')

  const count = width * height * channels
  const samples = depth === 16 ? new Uint16Array(count) : new Uint8Array(count)
  let offset = 0
  for (const pass of passes) {
    const stride = rowBytes(header, pass.width)
    const rows = filtered.subarray(offset, offset + pass.height * (1 + stride))
    unfilter(rows, stride, Math.max(1, (channels * depth) >> 3), fail)
    scatter(rows, stride, pass, header, samples)
    offset += rows.length
  }
  return { width, height, channels, depth, samples, palette }
}

/**
 * The RGB picture of a decoded PNG, by the rules of Pillow's convert('RGB'): alpha is dropped, grey is repeated, and of
 * 16 bits the upper 8 stay (in grey pictures too, where Pillow clips to 255 instead).
 *
 * @throws FileError when an index is outside the palette
 */
export function pngToPicture(png: PngSamples, where: string): Picture {
  const { width, height, channels, depth, samples, palette } = png
  const data = new Uint8Array(width * height * 3)
  const second = channels > 2 ? 1 : 0
  const scale = depth < 8 ? 255 / (2 ** depth - 1) : 1
  const shift = depth === 16 ? 8 : 0
  for (let pixel = 0, from = 0, to = 0; pixel < width * height; pixel++, from += channels, to += 3) {
    if (palette) {
      const index = samples[pixel] * 3
      if (index >= palette.length)
        throw new FileError({ where, what: `pixel ${pixel} has a colour index outside the palette` })
      for (let c = 0; c < 3; c++) data[to + c] = palette[index + c]
    } else {
      for (let c = 0; c < 3; c++) data[to + c] = (samples[from + c * second] * scale) >> shift
    }
  }
  return { width, height, data }
}

// Walks the chunks up to IEND. Ancillary chunks are skipped; checksums of the rest are verified.
function readChunks(bytes: Uint8Array, where: string) {
  const fail: (what: string) => never = what => {
    throw new FileError({ where, what })
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const compressed: Uint8Array[] = []
  let header: Header | undefined
  let palette: Uint8Array | undefined
  for (let offset = pngSignature.length; ;) {
    if (offset + 12 > bytes.length) fail('the PNG is truncated')
    const length = view.getUint32(offset)
    const end = offset + 12 + length
    const name = String.fromCharCode(...bytes.subarray(offset + 4, offset + 8))
    if (end > bytes.length) fail('the PNG is truncated')
    const critical = (bytes[offset + 4] & 0x20) === 0
    if (critical && crc32(bytes.subarray(offset + 4, end - 4)) !== view.getUint32(end - 4))
      fail(`the PNG's ${name.replace(/[^A-Z]/gi, '?')} chunk is damaged (wrong checksum)`)
    const body = bytes.subarray(offset + 8, end - 4)
    if (header === undefined) {
      if (name !== 'IHDR') fail('the PNG does not begin with its header')
      header = readHeader(body, where)
    } else if (name === 'PLTE') {
      if (length % 3 !== 0 || length > 768) fail('the PNG has a malformed palette')
      palette = body
    } else if (name === 'IDAT') compressed.push(body)
    else if (name === 'IEND') break
    else if (critical) fail('the PNG has a critical chunk of an unknown kind')
    offset = end
  }
  if (header.indexed && palette === undefined) fail('the PNG has no palette but needs one')
  return { header, palette: header.indexed ? palette : undefined, compressed: Buffer.concat(compressed) }
}

function readHeader(body: Uint8Array, where: string): Header {
  if (body.length !== 13) throw new FileError({ where, what: 'the PNG has a malformed header' })
  const view = new DataView(body.buffer, body.byteOffset, body.length)
  const [width, height] = [view.getUint32(0), view.getUint32(4)]
  const [depth, colourType, compression, filter, interlace] = body.subarray(8)
  checkSize(width, height, where)
  const type = colourTypes[colourType]
  if (!type?.depths.includes(depth) || compression !== 0 || filter !== 0 || interlace > 1)
    throw new FileError({
      where,
      what: 'the PNG has a malformed header',
      got: `colour type ${colourType}, ${depth} bits, methods ${compression}, ${filter}, ${interlace}`,
    })
  return { width, height, depth, channels: type.channels, indexed: colourType === 3, interlaced: interlace === 1 }
}

interface Pass {
  left: number
  top: number
  stepX: number
  stepY: number
  width: number
  height: number
}

function passesOf({ width, height, interlaced }: Header): Pass[] {
  const layout = interlaced ? adam7 : [[0, 0, 1, 1]]
  return layout
    .map(([left, top, stepX, stepY]) => ({
      left,
      top,
      stepX,
      stepY,
      width: Math.ceil((width - left) / stepX),
      height: Math.ceil((height - top) / stepY),
    }))
    .filter(pass => pass.width > 0 && pass.height > 0)
}

function rowBytes({ channels, depth }: Header, width: number): number {
  return Math.ceil((width * channels * depth) / 8)
}

// Undoes the row filters in place; each row is preceded by its filter's number.
function unfilter(rows: Uint8Array, stride: number, step: number, fail: (what: string) => never): void {
  for (let row = 1; row < rows.length; row += stride + 1) {
    const filter = rows[row - 1]
    const above = row - stride - 1
    const first = above < 0
    if (filter > 4) fail('the PNG has an unknown row filter')
    for (let i = 0; i < stride && filter > 0; i++) {
      const left = i < step ? 0 : rows[row + i - step]
      const up = first ? 0 : rows[above + i]
      const corner = first || i < step ? 0 : rows[above + i - step]
      // The bytes wrap around at 256.
      if (filter === 1) rows[row + i] += left
      else if (filter === 2) rows[row + i] += up
      else if (filter === 3) rows[row + i] += (left + up) >> 1
      else rows[row + i] += paeth(left, up, corner)
    }
  }
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner
  const toLeft = Math.abs(guess - left)
  const toUp = Math.abs(guess - up)
  const toCorner = Math.abs(guess - corner)
  if (toLeft <= toUp && toLeft <= toCorner) return left
  return toUp <= toCorner ? up : corner
}

// Unpacks the samples of one pass and puts them where they belong.
function scatter(
  rows: Uint8Array,
  stride: number,
  pass: Pass,
  header: Header,
  samples: Uint8Array | Uint16Array,
): void {
  const { channels, depth } = header
  const mask = 2 ** Math.min(depth, 8) - 1
  for (let y = 0; y < pass.height; y++) {
    const row = y * (stride + 1) + 1
    const line = (pass.top + y * pass.stepY) * header.width
    for (let x = 0; x < pass.width; x++) {
      const to = (line + pass.left + x * pass.stepX) * channels
      for (let c = 0; c < channels; c++) {
        const bit = (x * channels + c) * depth
        const byte = row + (bit >> 3)
        samples[to + c] =
          depth === 16 ? rows[byte] * 256 + rows[byte + 1] : (rows[byte] >> (8 - depth - (bit & 7))) & mask
      }
    }
  }
}
