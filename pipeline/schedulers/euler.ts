// EulerDiscreteScheduler as Stable Video Diffusion configures it: Karras sigmas, continuous time, v-prediction.
// Ported from huggingface/diffusers: schedulers/scheduling_euler_discrete.py. What differs: pure functions instead of
// an object with state; the step's two linear formulas are one; options that this model does not use are refused.
// Sigmas: Karras et al., "Elucidating the Design Space of Diffusion-Based Generative Models", equation 5.

import { add, affine, mul } from '../../kernels/index.js'
import type { ConfigReader } from '../../models/config-reader.js'
import { scope, Tensor, UsageError } from '../../tensor/index.js'

/** The range of noise levels; everything else is fixed. */
export interface EulerConfig {
  /** Least noise that is not none. */
  readonly sigmaMin: number
  /** Noise of the first step. */
  readonly sigmaMax: number
}

const rho = 7
const maxSteps = 1000

// Options that choose between formulas: what each may be. `undefined` stands where diffusers' default
// is the wanted value as well.
const supported: Readonly<Record<string, readonly (string | boolean | null | undefined)[]>> = {
  _class_name: ['EulerDiscreteScheduler', undefined],
  prediction_type: ['v_prediction'],
  timestep_type: ['continuous'],
  timestep_spacing: ['leading'],
  use_karras_sigmas: [true],
  use_exponential_sigmas: [false, null, undefined],
  use_beta_sigmas: [false, null, undefined],
  interpolation_type: ['linear', undefined],
  final_sigmas_type: ['zero', undefined],
  rescale_betas_zero_snr: [false, undefined],
}

/**
 * Asks scheduler_config.json for what a model's scheduler needs. Throws a FileError that names every option whose value
 * is not that of Stable Video Diffusion.
 */
export function readEulerConfig(config: ConfigReader): EulerConfig {
  for (const [name, values] of Object.entries(supported)) config.oneOf(name, values)
  const sigmaMin = config.number('sigma_min', { min: 1e-6, max: 1e6 })
  const sigmaMax = config.number('sigma_max', { min: 1e-6, max: 1e6 })
  config.check(sigmaMin < sigmaMax, 'sigma_min', `less than sigma_max, ${sigmaMax}`, sigmaMin)
  config.finish()
  return { sigmaMin, sigmaMax }
}

/** The noise levels of a run, falling from sigmaMax to sigmaMin, and 0 at the end: steps + 1 numbers in f32. */
export function karrasSigmas(steps: number, { sigmaMin, sigmaMax }: EulerConfig): Float32Array {
  if (!Number.isInteger(steps) || steps < 1 || steps > maxSteps)
    throw new UsageError({
      where: 'karrasSigmas',
      what: 'bad number of steps',
      expected: `an integer in 1..${maxSteps}`,
      got: String(steps),
    })
  const [first, last] = [sigmaMax ** (1 / rho), sigmaMin ** (1 / rho)]
  const sigmas = new Float32Array(steps + 1)
  for (let i = 0; i < steps; i++) sigmas[i] = (first + (steps > 1 ? i / (steps - 1) : 0) * (last - first)) ** rho
  return sigmas
}

/** What the UNet is told of a noise level: 0.25 ln sigma, in f32. */
export function timestepOf(sigma: number): number {
  return Math.fround(0.25 * Math.log(sigma))
}

/** Standard deviation of the latents that a run begins with: sqrt(sigma^2 + 1) of its first sigma. */
export function initNoiseSigma(sigmas: Float32Array): number {
  return Math.sqrt(sigmas[0] ** 2 + 1)
}

/** What the UNet sees of a noisy sample: x / sqrt(sigma^2 + 1). */
export function scaleModelInput(sample: Tensor, sigma: number): Tensor {
  return affine(sample, 1 / Math.sqrt(sigma ** 2 + 1), 0)
}

/** The clean sample that the model's output v implies: x / (sigma^2 + 1) - v sigma / sqrt(sigma^2 + 1). */
export function predOriginal(sample: Tensor, output: Tensor, sigma: number): Tensor {
  return combine(sample, 1 / (sigma ** 2 + 1), output, -sigma / Math.sqrt(sigma ** 2 + 1))
}

/**
 * The sample at the next noise level: x + (x - x0) / sigma (next - sigma), with x0 of predOriginal put in. At next = 0
 * it is x0.
 */
export function eulerStep(sample: Tensor, output: Tensor, sigma: number, next: number): Tensor {
  const d = next - sigma
  return combine(sample, (sigma * next + 1) / (sigma ** 2 + 1), output, d / Math.sqrt(sigma ** 2 + 1))
}

/** original [B,...] + noise * sigma, one sigma for each of the B samples. */
export function addNoise(original: Tensor, noise: Tensor, sigmas: readonly number[]): Tensor {
  const shape = original.shape.map((_, axis) => (axis === 0 ? sigmas.length : 1))
  return scope(() => add(original, mul(noise, Tensor.from(original.runtime, sigmas, shape, 'f32', 'sigmas'))))
}

function combine(a: Tensor, scaleA: number, b: Tensor, scaleB: number): Tensor {
  return scope(() => add(affine(a, scaleA, 0), affine(b, scaleB, 0)))
}
