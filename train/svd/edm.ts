// The loss of diffusion by noise levels (EDM, Karras et al., arXiv:2206.00364), with the preconditioning of
// v-prediction as Stable Video Diffusion is trained (Stability-AI/generative-models: sgm/modules/diffusionmodules,
// VScalingWithEDMcNoise, EDMSampling, EDMWeighting).
//
// Of x = x0 + s n the denoiser makes D = c_skip x + c_out F(c_in x, c_noise) with c_skip = 1 / (s^2 + 1),
// c_in = 1 / sqrt(s^2 + 1) and c_noise = ln(s) / 4; the loss is (s^2 + 1) / s^2 |D - x0|^2.
// With c_out = -s / sqrt(s^2 + 1) the weight and c_out^2 make 1, so that loss is |F - v|^2 where
// v = (x0 - c_skip x) / c_out = (n - s x0) / sqrt(s^2 + 1).

import type { Generator } from '../../tensor/index.js'

/** Of the logarithm of a noise level, which is normal. */
const trainingLevels = { mean: 0.7, deviation: 1.6 }
/** Of the noise on the picture that a video begins with. */
const pictureLevels = { mean: -3, deviation: 0.5 }

const logNormal = ({ mean, deviation }: typeof trainingLevels, random: Generator) =>
  Math.exp(mean + deviation * random.randn(1)[0])

/** A noise level to learn at. */
export const drawLevel = (random: Generator) => logNormal(trainingLevels, random)

/** How much noise a picture is given: the strength that the UNet is told. */
export const drawPictureLevel = (random: Generator) => logNormal(pictureLevels, random)

/** What the UNet is told of a noise level. */
export const toldLevel = (sigma: number) => 0.25 * Math.log(sigma)

/** c_in x, and the v that the UNet is to predict of it. */
export function noised(
  clean: Float32Array,
  noise: Float32Array,
  sigma: number,
): { input: Float32Array; target: Float32Array } {
  const scale = 1 / Math.sqrt(sigma * sigma + 1)
  return {
    input: clean.map((x, i) => (x + sigma * noise[i]) * scale),
    target: clean.map((x, i) => (noise[i] - sigma * x) * scale),
  }
}
