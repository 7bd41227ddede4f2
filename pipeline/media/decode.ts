// Pictures and label maps from files. Whatever a file claims, sizes are checked before anything is allocated.

import { FileError } from '../../tensor/errors.js'
import { NodeFileSource } from '../../tensor/files/index.js'
import { decodeJpeg, isJpeg } from './jpeg.js'
import { labelCount, maxFileBytes, type LabelMap, type Picture } from './picture.js'
import { decodePng, isPng, pngToPicture } from './png.js'

/**
 * Reads a PNG or JPEG file, recognised by its content and not by its name, as 8-bit RGB. Alpha is dropped, 16 bits
 * become 8, palettes and grey become RGB, a JPEG's EXIF orientation is applied.
 *
 * @throws FileError when the file is missing, no picture, damaged, or too large
 */
export async function readPicture(path: string): Promise<Picture> {
  const bytes = await readBounded(path)
  if (isPng(bytes)) return pngToPicture(decodePng(bytes, path), path)
  if (isJpeg(bytes)) return decodeJpeg(bytes, path)
  throw new FileError({ where: path, what: 'not a picture that can be read', expected: 'a PNG or JPEG file' })
}

/**
 * Reads a PNG of part labels: grey values, palette indices, or RGB with three equal channels. The stored numbers count,
 * whatever colours a palette gives them; alpha is ignored.
 *
 * @throws FileError when the file is no such PNG, or a label is above 63
 */
export async function readLabels(path: string): Promise<LabelMap> {
  const bytes = await readBounded(path)
  if (!isPng(bytes)) throw new FileError({ where: path, what: 'not a label map', expected: 'a PNG file' })
  const { width, height, channels, samples } = decodePng(bytes, path)
  const data = new Uint8Array(width * height)
  for (let pixel = 0; pixel < data.length; pixel++) {
    const from = pixel * channels
    const label = samples[from]
    const grey = channels < 3 || (samples[from + 1] === label && samples[from + 2] === label)
    if (label >= labelCount || !grey)
      throw new FileError({
        where: path,
        what: `pixel (${pixel % width}, ${Math.floor(pixel / width)}) is not a part label`,
        expected: `a grey value or palette index from 0 to ${labelCount - 1}`,
        got: channels < 3 ? `${label}` : `RGB (${samples.subarray(from, from + 3).join(', ')})`,
      })
    data[pixel] = label
  }
  return { width, height, data }
}

// The whole file, once it is known to be a plain file of a reasonable size.
async function readBounded(path: string): Promise<Uint8Array> {
  const file = await NodeFileSource.open(path)
  try {
    if (file.size === 0) throw new FileError({ where: path, what: 'the file is empty' })
    if (file.size > maxFileBytes)
      throw new FileError({
        where: path,
        what: 'the file is too large for a picture',
        expected: `at most ${maxFileBytes} bytes`,
        got: `${file.size}`,
      })
    return await file.read(0, file.size)
  } finally {
    await file.close()
  }
}
