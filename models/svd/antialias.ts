// Shrinking with a blur first, as the picture for Stable Video Diffusion's image encoder is made.
// Ported from huggingface/diffusers: pipelines/stable_video_diffusion/pipeline_stable_video_diffusion.py
// (_resize_with_antialiasing: gaussian blur with reflected borders, then cubic interpolation with aligned corners).
// What differs: blur and interpolation are both linear and separable, so each output pixel's weights of both are joined
// and the blurred picture is never made; sums are taken in float64.

/** Pixels [height, width, channels] of any numbers. */
export interface Pixels {
  readonly data: ArrayLike<number>
  readonly width: number
  readonly height: number
  readonly channels: number
}

/** Which input pixels make an output pixel, on one axis. */
interface Taps {
  readonly first: number
  readonly weights: Float64Array
}

/** The pixels at another size, [height, width, channels] in f32. */
export function resizeAntialiased(pixels: Pixels, width: number, height: number): Float32Array {
  const { data, channels } = pixels
  const columns = tapsOf(pixels.width, width)
  const rows = tapsOf(pixels.height, height)
  const narrow = new Float32Array(pixels.height * width * channels) // [in height, width, channels]
  for (let y = 0, to = 0; y < pixels.height; y++)
    for (const { first, weights } of columns)
      for (let c = 0; c < channels; c++, to++)
        narrow[to] = weightedSum(data, (y * pixels.width + first) * channels + c, channels, weights)
  const stride = width * channels
  const out = new Float32Array(height * stride) // [height, width, channels]
  for (let y = 0, to = 0; y < height; y++) {
    const { first, weights } = rows[y]
    for (let i = 0; i < stride; i++, to++) out[to] = weightedSum(narrow, first * stride + i, stride, weights)
  }
  return out
}

function weightedSum(data: ArrayLike<number>, start: number, step: number, weights: Float64Array): number {
  let sum = 0
  for (let k = 0; k < weights.length; k++) sum += data[start + k * step] * weights[k]
  return sum
}

/** The joined weights of blur and interpolation. */
function tapsOf(size: number, target: number): Taps[] {
  const blur = gaussian(size / target)
  const radius = (blur.length - 1) / 2
  const step = target > 1 ? (size - 1) / (target - 1) : 0
  const line = new Float64Array(size)
  return Array.from({ length: target }, (_, i) => {
    const at = i * step
    const whole = Math.floor(at)
    const cubic = cubicWeights(at - whole)
    // At the borders the interpolation repeats the blurred picture's last pixel, and the blur reflects the picture.
    const used = cubic.map((_, k) => clamp(whole + k - 1, size))
    const touched = used.flatMap(center => blur.map((_, k) => reflect(center + k - radius, size)))
    // Not by spreading: a long picture touches more pixels than a call takes arguments.
    const first = touched.reduce((a, b) => Math.min(a, b))
    const last = touched.reduce((a, b) => Math.max(a, b))
    const weights = line.subarray(first, last + 1).fill(0)
    touched.forEach((index, n) => {
      const [tap, k] = [Math.floor(n / blur.length), n % blur.length]
      line[index] += cubic[tap] * blur[k]
    })
    return { first, weights: weights.slice() }
  })
}

/** The blur before shrinking by `factor`: a gaussian cut off at two standard deviations, odd in length, of sum 1. */
function gaussian(factor: number): number[] {
  const sigma = Math.max((factor - 1) / 2, 0.001)
  const length = Math.trunc(Math.max(4 * sigma, 3))
  const odd = length % 2 === 0 ? length + 1 : length
  const values = Array.from({ length: odd }, (_, k) => Math.exp(-((k - (odd - 1) / 2) ** 2) / (2 * sigma ** 2)))
  const sum = values.reduce((a, b) => a + b)
  return values.map(value => value / sum)
}

/** Weights of the pixels -1, 0, 1, 2 for a point `t` behind pixel 0: cubic convolution with A = -0.75 (as torch). */
function cubicWeights(t: number): number[] {
  const a = -0.75
  const near = (x: number) => ((a + 2) * x - (a + 3)) * x * x + 1
  const far = (x: number) => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
  return [far(t + 1), near(t), near(1 - t), far(2 - t)]
}

function clamp(index: number, size: number): number {
  return Math.min(Math.max(index, 0), size - 1)
}

/** Mirrors an index at the first and last pixel, which are not repeated. */
function reflect(index: number, size: number): number {
  if (size === 1) return 0
  const period = 2 * (size - 1)
  const folded = ((index % period) + period) % period
  return folded < size ? folded : period - folded
}
