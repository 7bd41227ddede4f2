// What the media folder passes around, 8-bit pictures and label maps, and how large they may be in files.

import { maxPixels } from '../../models/svd/picture.js'
import { FileError } from '../../tensor/errors.js'

export { labelCount, maxPixels, type LabelMap, type Picture } from '../../models/svd/picture.js'

/** No file above this size (in bytes) is read. */
export const maxFileBytes = 256 * 2 ** 20

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
