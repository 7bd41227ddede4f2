// Rasterising: which triangle each pixel shows, where on it, and how far away.

import { execute, ShapeError, showShape, sizeOf, type Op, type Tensor, type TensorSpec } from '../../tensor/index.js'

export interface RasterOperands {
  /** [B, V, 3] f32: where vertices are seen, pixels from the first one's centre, and their depth, metres. */
  points: unknown
  /** [F, 3] i32: the three vertices of each triangle, either way around. */
  faces: unknown
}

export interface RasterParams {
  readonly height: number
  readonly width: number
}

/** No picture is longer on a side. */
export const maxRasterSide = 65535

/** Triangles with a corner nearer or farther than this, metres, are left out. */
export const depthRange = { nearest: 0.01, farthest: 1e6 } as const

/** So are those with a corner farther than this from the first pixel, along x or y. */
export const farthestPixel = 2 ** 17

/**
 * Steps of a pixel: corners are moved to the next one. From there on, whether a pixel lies inside is decided in whole
 * numbers, so that every device decides alike.
 */
export const pixelSteps = 256

export const rasterOp: Op<RasterOperands, RasterParams> = {
  name: 'raster',

  infer({ points, faces }, { height, width }) {
    const fail = (what: string, expected: string, { shape, dtype }: TensorSpec): never => {
      throw new ShapeError({ where: 'raster', what, expected, got: `${dtype} ${showShape(shape)}` })
    }
    if (points.dtype !== 'f32' || points.shape.length !== 3 || points.shape[2] !== 3)
      fail('points do not fit', 'f32 [B, V, 3]', points)
    if (faces.dtype !== 'i32' || faces.shape.length !== 2 || faces.shape[1] !== 3)
      fail('faces do not fit', 'i32 [F, 3]', faces)
    if (![height, width].every(side => Number.isInteger(side) && side >= 1 && side <= maxRasterSide))
      throw new ShapeError({
        where: 'raster',
        what: 'no such picture',
        expected: `sides of 1..${maxRasterSide} pixels`,
        got: `${width} x ${height}`,
      })
    const shape = [points.shape[0], height, width]
    return [
      { shape, dtype: 'i32' },
      { shape: [...shape, 3], dtype: 'f32' },
      { shape, dtype: 'f32' },
    ]
  },

  // Three edges of two products, as often as there are triangles or pixels.
  flops: ({ points, faces }, [{ shape }]) => 21 * (points.shape[0] * faces.shape[0] + sizeOf(shape)),
}

/** What each pixel shows. */
export interface Rastered {
  /** [B, H, W] i32: the nearest triangle, or -1. */
  readonly triangles: Tensor
  /** [B, H, W, 3]: how much of its three corners, right in perspective; they add up to 1. Zeros where nothing is. */
  readonly shares: Tensor
  /** [B, H, W]: metres; infinite where nothing is. */
  readonly depth: Tensor
}

/**
 * Pictures of `height` x `width` pixels of projected triangles: points [B,V,3] (x and y in pixels, depth in metres),
 * faces i32 [F,3]. Each pixel shows the nearest triangle over its centre, and of equally near ones the first; a centre
 * on an edge that two triangles share belongs to the one right of or below it. Triangles are seen from both sides. Left out are those
 * with a corner outside `depthRange`, beyond `farthestPixel` or without a vertex. No gradient goes through it. Throws a
 * ShapeError when operands or sizes do not fit.
 */
export function raster(points: Tensor, faces: Tensor, size: RasterParams): Rastered {
  const { height, width } = size
  const [triangles, shares, depth] = execute(rasterOp, { points, faces }, { height, width })
  return { triangles, shares, depth }
}
