// Embeddings of numbers: sinusoids and the small network behind them.
// Ported from huggingface/diffusers: models/embeddings.py (get_timestep_embedding, TimestepEmbedding). What differs:
// the sinusoids are made on the host, since steps and frame numbers are known there.

import { Tensor, UsageError, type Runtime } from '../tensor/index.js'
import { Linear } from './layers.js'
import type { WeightScope } from './weights.js'

/** Which sinusoids; the defaults are Stable Video Diffusion's. */
export interface SinusoidOptions {
  /** Cosines first. Default: true, as Stable Video Diffusion has it. */
  flipSinToCos?: boolean
  /** Subtracted from dim / 2 where the frequencies are spread. Default: 0. */
  downscaleFreqShift?: number
  /** Longest wavelength, divided by 2 pi. Default: 10000. */
  maxPeriod?: number
}

/**
 * Sinusoidal embeddings of `values`, row by row: [values.length, dim], rounded to f32 at the same places as torch does;
 * an odd `dim` ends with a zero. Throws a UsageError on values that are not finite and on a `dim` without frequencies.
 */
export function timestepEmbedding(
  values: readonly number[],
  dim: number,
  { flipSinToCos = true, downscaleFreqShift = 0, maxPeriod = 10000 }: SinusoidOptions = {},
): Float32Array {
  const half = Math.floor(dim / 2)
  if (!Number.isInteger(dim) || half - downscaleFreqShift <= 0)
    throw new UsageError({
      where: 'timestepEmbedding',
      what: 'bad dim',
      expected: `an integer of at least ${2 * (Math.floor(downscaleFreqShift) + 1)}`,
      got: String(dim),
    })
  const bad = values.find(value => !Number.isFinite(value))
  if (bad !== undefined)
    throw new UsageError({
      where: 'timestepEmbedding',
      what: 'bad value',
      expected: 'finite numbers',
      got: String(bad),
    })
  const { fround } = Math
  const scale = fround(-Math.log(maxPeriod))
  const frequencies = Float32Array.from({ length: half }, (_, i) =>
    Math.exp(fround(fround(scale * i) / (half - downscaleFreqShift))),
  )
  const [sines, cosines] = flipSinToCos ? [half, 0] : [0, half]
  const out = new Float32Array(values.length * dim)
  values.forEach((value, row) =>
    frequencies.forEach((frequency, i) => {
      const angle = fround(fround(value) * frequency)
      out[row * dim + sines + i] = Math.sin(angle)
      out[row * dim + cosines + i] = Math.cos(angle)
    }),
  )
  return out
}

/** `timestepEmbedding` as a tensor [values.length, dim]. */
export function sinusoids(runtime: Runtime, values: readonly number[], dim: number, options?: SinusoidOptions): Tensor {
  return Tensor.from(runtime, timestepEmbedding(values, dim, options), [values.length, dim], 'f32', 'sinusoids')
}

/** Two linear layers with SiLU between them. */
export class TimestepEmbedding {
  readonly linear_1: Linear
  readonly linear_2: Linear

  constructor(
    private readonly scope: WeightScope,
    inChannels: number,
    timeEmbedDim: number,
    outDim = timeEmbedDim,
  ) {
    this.linear_1 = new Linear(scope.at('linear_1'), inChannels, timeEmbedDim)
    this.linear_2 = new Linear(scope.at('linear_2'), timeEmbedDim, outDim)
  }

  /** [..., in] to [..., out]. */
  forward(x: Tensor): Tensor {
    using hidden = this.linear_1.forward(x, { activation: 'silu' })
    return this.scope.observe(this.linear_2.forward(hidden))
  }
}
