// Resampling of pictures and label maps.
//
// resizeLanczos is a port of python-pillow/Pillow src/libImaging/Resample.c (8-bit path, LANCZOS), number for number,
// so that a picture prepared here equals one prepared by diffusers; only the RGB case with the whole picture as the
// box is kept.

import { ShapeError } from '../../tensor/errors.js'
import { maxPixels, type LabelMap, type Picture } from './picture.js'

const lanczosSupport = 3

// Pixels of the picture between the two passes. It suffices to bring every picture that can be decoded (maxSide) to
// every size that a video can have (4096).
const maxBetween = 2 ** 28

// Coefficients are fixed-point numbers: 8 bits for the pixel, 2 for over- and undershoot, the rest of 32 for these.
const precisionBits = 32 - 8 - 2

/**
 * The picture at another size, by a Lanczos window of three lobes, widened when shrinking so that nothing aliases.
 * Equal to Pillow's `Image.resize((width, height), LANCZOS)`, bit for bit.
 *
 * @throws ShapeError when the size is no whole number above zero, or the work too large
 */
export function resizeLanczos(picture: Picture, width: number, height: number): Picture {
  checkTarget('resizeLanczos', width, height)
  if (width * picture.height > maxBetween)
    throw new ShapeError({
      where: 'resizeLanczos',
      what: 'the picture is too high to become so wide',
      expected: `at most ${maxBetween} pixels of its height and the new width`,
      got: `${width} x ${picture.height}`,
    })
  const horizontal = width === picture.width ? picture : resampleRows(picture, width)
  return height === picture.height ? horizontal : resampleColumns(horizontal, height)
}

/**
 * A label map at another size: each pixel takes the label under its centre, floor((i + 0.5) * in / out), which is
 * torch's `nearest-exact` and Pillow's NEAREST (torch's `nearest` takes the upper left corner instead).
 *
 * @throws ShapeError when the size is no whole number above zero, or too large
 */
export function resizeNearest(labels: LabelMap, width: number, height: number): LabelMap {
  checkTarget('resizeNearest', width, height)
  const data = new Uint8Array(width * height)
  for (let y = 0, to = 0; y < height; y++) {
    const row = centre(y, labels.height, height) * labels.width
    for (let x = 0; x < width; x++, to++) data[to] = labels.data[row + centre(x, labels.width, width)]
  }
  return { width, height, data }
}

// Whole numbers all the way, so no rounding can pick a neighbour.
function centre(index: number, size: number, target: number): number {
  return Math.floor(((2 * index + 1) * size) / (2 * target))
}

function checkTarget(where: string, width: number, height: number): void {
  if (Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0 && width * height <= maxPixels)
    return
  throw new ShapeError({
    where,
    what: 'not a size that a picture can have',
    expected: `whole numbers above zero, at most ${maxPixels} pixels`,
    got: `${width} x ${height}`,
  })
}

interface Taps {
  /** Coefficients an output pixel; unused ones are zero. */
  count: number
  /** First input pixel of each output pixel. */
  first: Int32Array
  /** Input pixels of each output pixel. */
  used: Int32Array
  /** [target, count], fixed-point. */
  weights: Int32Array
}

function lanczosTaps(size: number, target: number): Taps {
  const scale = size / target
  const stretch = Math.max(scale, 1)
  const support = lanczosSupport * stretch
  const count = Math.ceil(support) * 2 + 1
  const first = new Int32Array(target)
  const used = new Int32Array(target)
  const weights = new Int32Array(target * count)
  const window = new Float64Array(count)
  for (let i = 0; i < target; i++) {
    const centre = (i + 0.5) * scale
    const start = Math.max(Math.trunc(centre - support + 0.5), 0)
    const taps = Math.min(Math.trunc(centre + support + 0.5), size) - start
    let sum = 0
    for (let k = 0; k < taps; k++) {
      window[k] = lanczos((k + start - centre + 0.5) * (1 / stretch))
      sum += window[k]
    }
    for (let k = 0; k < taps; k++) {
      const weight = (sum === 0 ? window[k] : window[k] / sum) * 2 ** precisionBits
      weights[i * count + k] = Math.trunc(weight + (weight < 0 ? -0.5 : 0.5))
    }
    first[i] = start
    used[i] = taps
  }
  return { count, first, used, weights }
}

function lanczos(x: number): number {
  return x >= -lanczosSupport && x < lanczosSupport ? sinc(x) * sinc(x / lanczosSupport) : 0
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI)
}

function resampleRows(picture: Picture, width: number): Picture {
  const { height } = picture
  const { count, first, used, weights } = lanczosTaps(picture.width, width)
  const data = new Uint8Array(width * height * 3)
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const start = (y * picture.width + first[x]) * 3
      for (let c = 0; c < 3; c++, to++) data[to] = weightedSum(picture.data, start + c, 3, weights, x * count, used[x])
    }
  }
  return { width, height, data } // [height, width, 3]
}

function resampleColumns(picture: Picture, height: number): Picture {
  const { width } = picture
  const { count, first, used, weights } = lanczosTaps(picture.height, height)
  const stride = width * 3
  const data = new Uint8Array(height * stride)
  for (let y = 0, to = 0; y < height; y++) {
    for (let i = 0; i < stride; i++, to++)
      data[to] = weightedSum(picture.data, first[y] * stride + i, stride, weights, y * count, used[y])
  }
  return { width, height, data } // [height, width, 3]
}

// Sum of taps bytes, step apart, by their weights, rounded and clipped to a byte.
function weightedSum(
  bytes: Uint8Array,
  start: number,
  step: number,
  weights: Int32Array,
  offset: number,
  taps: number,
): number {
  let sum = 1 << (precisionBits - 1)
  for (let k = 0; k < taps; k++) sum += bytes[start + k * step] * weights[offset + k]
  const value = sum >> precisionBits
  return value < 0 ? 0 : value > 255 ? 255 : value
}
