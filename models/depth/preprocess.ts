// Pictures to what Depth Anything sees.
// Ported from DepthAnything/Depth-Anything-V2: depth_anything_v2/util/transform.py (Resize with keep_aspect_ratio and
// lower_bound, NormalizeImage), dpt.py (image2tensor). What differs: cubic interpolation is this house's, in f32.

import { add, mul, permute, resize } from '../../kernels/index.js'
import { scope as release, Tensor, UsageError, type Runtime } from '../../tensor/index.js'
import type { Picture } from '../svd/picture.js'
import type { Size } from './dpt.js'

// Mean and standard deviation of each channel in ImageNet's pictures.
const mean = [0.485, 0.456, 0.406]
const deviation = [0.229, 0.224, 0.225]

// Attention's work grows with the square of this: a picture of 518 x 518 has 1,369 patches, one of 16:9 2,442.
const mostPatches = 16_384

/**
 * The size at which the network looks at a picture: its shorter side becomes `shortSide`, both are rounded to multiples
 * of the patch size, upwards where a side would fall below `shortSide`. Throws a UsageError if `shortSide` is no whole
 * number of 1 to 4096.
 */
export function depthSize(picture: Pick<Picture, 'width' | 'height'>, shortSide: number, patchSize = 14): Size {
  const { width, height } = picture
  if (!Number.isInteger(shortSide) || shortSide < 1 || shortSide > 4096)
    throw new UsageError({
      where: 'depth size',
      what: 'cannot be used',
      expected: 'a whole number of 1 to 4096',
      got: String(shortSide),
    })
  const scale = Math.max(shortSide / height, shortSide / width)
  const fit = (side: number) => {
    const patches = roundToEven((scale * side) / patchSize)
    return patchSize * (patches * patchSize < shortSide ? Math.ceil((scale * side) / patchSize) : patches)
  }
  return [fit(height), fit(width)]
}

/** To the nearest whole number, halves to the even one, as numpy rounds. */
function roundToEven(x: number): number {
  const whole = Math.round(x)
  return Math.abs(x - Math.trunc(x)) === 0.5 && whole % 2 !== 0 ? whole - 1 : whole
}

/** Throws a UsageError for a size at which a picture would have too many patches, as a long and narrow one may. */
export function checkPatches([height, width]: Size, patchSize = 14): void {
  const patches = (height / patchSize) * (width / patchSize)
  if (patches > mostPatches)
    throw new UsageError({
      where: 'depth',
      what: 'the picture would have too many patches',
      expected: `at most ${mostPatches}`,
      got: `${patches} at ${width} x ${height}`,
      hint: 'a smaller size, or cutting the picture',
    })
}

/** The picture as `DepthAnythingForDepthEstimation` takes it: [1,3,H,W], normalised. Errors: as checkPatches. */
export function depthPixels(runtime: Runtime, picture: Picture, [height, width]: Size, patchSize = 14): Tensor {
  checkPatches([height, width], patchSize)
  return release(() => {
    const { data } = picture
    const pixels = Tensor.from(runtime, Float32Array.from(data), [1, picture.height, picture.width, 3])
    const resized = resize(pixels, { size: [height, width], mode: 'bicubic' }) // [1,H,W,3]
    pixels.dispose()
    const factors = Tensor.from(runtime, deviation.map(d => 1 / (255 * d)), [3]) // prettier-ignore
    const shifts = Tensor.from(runtime, mean.map((m, c) => -m / deviation[c]), [3]) // prettier-ignore
    return permute(add(mul(resized, factors), shifts), [0, 3, 1, 2]) // [1,3,H,W]
  })
}
