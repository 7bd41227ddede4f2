// Resizing pictures, with torch's coordinates (F.interpolate) and filters.

import { execute, ShapeError, showShape, sizeOf, type Op, type Tensor } from '../../tensor/index.js'
import { assertFloat } from '../common/operand.js'

export interface ResizeOperands {
  /** [B, H, W, C] */
  x: unknown
}

export interface ResizeParams {
  /** Height and width of the result. */
  readonly size: readonly [number, number]
  /** `nearest` takes the pixel at floor(i * in / out); `bicubic` has a = -0.75, with antialias -0.5. */
  readonly mode: 'nearest' | 'bilinear' | 'bicubic'
  /** The corner pixels' centres keep their places, not the picture's edges. */
  readonly alignCorners: boolean
  /** Widen the filter where the picture shrinks, and leave out what lies beyond the edge. */
  readonly antialias: boolean
  /** Enters the map of coordinates in the place of out / in, as when torch is given scale factors and not sizes. */
  readonly scaleFactor?: readonly [number, number]
}

/** How one axis is sampled: result i lies at scale * i + shift of the input, in pixels from the first one's centre. */
export interface Sampling {
  readonly scale: number
  readonly shift: number
  /** Pixels farther than this have no weight. */
  readonly support: number
  /** The filter is this many times as wide as its own unit. */
  readonly stretch: number
}

const supports = { nearest: 0, bilinear: 1, bicubic: 2 }

/** The sampling of the vertical (0) or horizontal (1) axis. */
export function samplingOf(params: ResizeParams, input: number, axis: 0 | 1): Sampling {
  const { size, mode, alignCorners, antialias, scaleFactor } = params
  const output = size[axis]
  const ratio = scaleFactor ? 1 / scaleFactor[axis] : input / output
  const scale = alignCorners ? (output > 1 ? (input - 1) / (output - 1) : 0) : ratio
  const stretch = antialias ? Math.max(1, scale) : 1
  // torch's nearest counts from the pixel's edge, and its antialiased filters from the picture's edge in any case.
  const shift = mode === 'nearest' || (alignCorners && !antialias) ? 0 : 0.5 * scale - 0.5
  return { scale, shift, support: supports[mode] * stretch, stretch }
}

/** The a of the cubic filter. */
export function cubicOf({ antialias }: ResizeParams): number {
  return antialias ? -0.5 : -0.75
}

/**
 * The pixel that `nearest` takes, in f32 as torch and WGSL reckon: where i * scale is an integer, rounding decides.
 */
export function nearestOf(i: number, { scale }: Sampling, input: number): number {
  return Math.min(Math.floor(Math.fround(i * Math.fround(scale))), input - 1)
}

// Larger pictures than this have coordinates that f32 does not tell apart.
const mostPixels = 2 ** 20

export const resizeOp: Op<ResizeOperands, ResizeParams> = {
  name: 'resize',

  infer({ x }, { size, mode, alignCorners, antialias, scaleFactor }) {
    const fail = (what: string, expected: string, got: string): never => {
      throw new ShapeError({ where: 'resize', what, expected, got })
    }
    assertFloat('resize', 'x', x)
    if (x.shape.length !== 4) fail('x has the wrong axes', '[B, H, W, C]', showShape(x.shape))
    const [batch, height, width, channels] = x.shape
    if (size.length !== 2 || ![...size, height, width].every(n => Number.isInteger(n) && n >= 1 && n <= mostPixels))
      fail(
        'sizes are not usable',
        `heights and widths of 1 to ${mostPixels}`,
        `${showShape(x.shape)} to ${showShape(size)}`,
      )
    // So the sampled places stay within the picture.
    if (scaleFactor && !size.every((n, axis) => Math.abs(scaleFactor[axis] * x.shape[1 + axis] - n) < 1))
      fail(
        'scale factors do not lead to the size',
        `about ${showShape(size)}`,
        `${showShape(scaleFactor)} times the input`,
      )
    if (mode === 'nearest' && (alignCorners || antialias))
      fail('nearest has no alignCorners and no antialias', 'bilinear or bicubic', mode)
    return [{ shape: [batch, size[0], size[1], channels], dtype: 'f32' }]
  },

  flops({ x }, [out], params) {
    const taps = ([0, 1] as const).map(axis => 2 * samplingOf(params, x.shape[1 + axis], axis).support)
    return 2 * Math.ceil(taps[0]) * Math.ceil(taps[1]) * sizeOf(out.shape)
  },
}

export interface ResizeOptions {
  size: readonly [number, number]
  mode: ResizeParams['mode']
  alignCorners?: boolean
  antialias?: boolean
  scaleFactor?: readonly [number, number]
}

/**
 * x [B, H, W, C] at another height and width, f32 [B, h, w, C], as torch's F.interpolate does it in the same mode (see
 * ResizeParams). Throws a ShapeError for sizes and options that do not fit.
 */
export function resize(x: Tensor, options: ResizeOptions): Tensor {
  const { size, mode, alignCorners = false, antialias = false, scaleFactor } = options
  return execute(resizeOp, { x }, { size, mode, alignCorners, antialias, scaleFactor })[0]
}
