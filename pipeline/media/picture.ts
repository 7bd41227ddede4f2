// What the media folder passes around: 8-bit pictures and label maps in host memory.

import { FileError } from '../../tensor/errors.js'

/** An 8-bit RGB picture. */
export interface Picture {
  width: number
  height: number
  /** [height, width, 3], row by row from the top. */
  data: Uint8Array
}

/** One part label a pixel, as the motion condition wants it: 0 is background, 1 to 63 are parts. */
export interface LabelMap {
  width: number
  height: number
  /** [height, width], row by row from the top. */
  data: Uint8Array
}

/** Labels are below this number; the condition channel holds label / 64. */
export const labelCount = 64

/** No file above this size (in bytes) is read. */
export const maxFileBytes = 256 * 2 ** 20

/** No picture above this many pixels is decoded or made, whatever its header claims. */
export const maxPixels = 64 * 2 ** 20

/** No picture longer than this on a side is decoded: what a JPEG can say, and short enough to be resampled. */
export const maxSide = 65535

/**
 * Refuses a file header's claim of no pixels, or of more than may be decoded.
 *
 * @param where the file's name
 * @throws FileError
 */
export function checkSize(width: number, height: number, where: string): void {
  const small = width * height <= maxPixels && Math.max(width, height) <= maxSide
  if (width >= 1 && height >= 1 && small) return
  throw new FileError({
    where,
    what: 'the picture has a size that cannot be used',
    expected: `1 to ${maxPixels} pixels, at most ${maxSide} a side`,
    got: `${width} x ${height}`,
    hint: small ? undefined : 'shrinking it first',
  })
}
