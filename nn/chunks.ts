// Working on a part of an activation at a time, where its parts do not depend on each other: spatial layers picture by
// picture, temporal layers position by position. Weights are small beside the activations of a video, so memory is
// decided by what lives between two layers; in chunks that is as small as one likes, for the price of copying input and
// output.

import { cat, slice } from '../kernels/index.js'
import { byteSize, scope as release, ShapeError, type Tensor } from '../tensor/index.js'
import { into } from './into.js'

/** How many parts may be worked on at once, when each makes intermediates of at most `width` floats; at least one. */
function partsIn(chunkBytes: number, width: number): number {
  return Math.max(1, Math.floor(chunkBytes / (width * byteSize('f32'))))
}

/** f(x) in pieces along an axis; each index of it makes intermediates of at most `width` floats. */
export function overAxis(
  x: Tensor,
  axis: number,
  width: number,
  chunkBytes: number,
  f: (piece: Tensor) => Tensor,
): Tensor {
  return pieceByPiece(x, axis, partsIn(chunkBytes, width), f)
}

/** The rows of a tensor that belong to a piece of pictures. */
export type Own = (shared: Tensor) => Tensor

/**
 * f(x, own) in pieces of pictures, x [N,...]. Of tensors with `rows` rows, of which row floor(n rows / N) belongs to
 * picture n, `own` gives f those of its piece. Each picture makes intermediates of at most `width` floats.
 */
export function overPictures(
  x: Tensor,
  rows: number,
  width: number,
  chunkBytes: number,
  f: (pictures: Tensor, own: Own) => Tensor,
): Tensor {
  const pictures = x.shape[0]
  const parts = partsIn(chunkBytes, width)
  if (rows === 1 || pictures <= parts) return pieceByPiece(x, 0, parts, piece => f(piece, shared => shared))
  // A piece has pictures of one row only.
  const perRow = pictures / rows
  if (!Number.isInteger(perRow))
    throw new ShapeError({
      where: 'overPictures',
      what: 'rows do not fit the pictures',
      expected: `a divisor of ${pictures}`,
      got: String(rows),
    })
  let step = Math.min(parts, perRow)
  while (perRow % step !== 0) step--
  return pieceByPiece(x, 0, step, (piece, start) => {
    const row = Math.floor(start / perRow)
    return release(() => f(piece, shared => slice(shared, 0, row, row + 1)))
  })
}

function pieceByPiece(x: Tensor, axis: number, step: number, f: (piece: Tensor, start: number) => Tensor): Tensor {
  const size = x.shape[axis]
  if (size <= step) return f(x, 0)
  return release(() => {
    const pieces: Tensor[] = []
    for (let start = 0; start < size; start += step) {
      const end = Math.min(start + step, size)
      pieces.push(into(slice(x, axis, start, end), piece => f(piece, start)))
    }
    return cat(pieces, axis)
  })
}
