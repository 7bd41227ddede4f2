// The random numbers of a run, in the order in which diffusers draws them from one generator on the CPU.

import { latentChannels } from '../models/svd/latents.js'
import { Generator, UsageError, type GeneratorState } from '../tensor/index.js'
import type { GenerateSettings } from './settings.js'

/** Standard normal numbers in the place of those that the seed gives. */
export interface InjectedNoise {
  /** [3, height, width], put on the picture with strength noiseAug. */
  augmentation: Float32Array
  /** [frames, 4, h, w], which the video grows out of. */
  latents: Float32Array
}

/** The numbers that a seed gives, and the state of its generator after them. `scale`: pixels of a latent. */
export function drawNoise(settings: GenerateSettings, scale: number): InjectedNoise & { random: GeneratorState } {
  const generator = new Generator(settings.seed)
  const [augmentation, latents] = noiseLengths(settings, scale).map(length => generator.randn(length))
  return { augmentation, latents, random: generator.state() }
}

/** Throws a UsageError unless there is a number for every place. */
export function checkNoise({ augmentation, latents }: InjectedNoise, settings: GenerateSettings, scale: number): void {
  const lengths = noiseLengths(settings, scale)
  if (augmentation.length === lengths[0] && latents.length === lengths[1]) return
  throw new UsageError({
    where: 'noise',
    what: 'does not fit the video',
    expected: `${lengths[0]} and ${lengths[1]} numbers`,
    got: `${augmentation.length} and ${latents.length}`,
  })
}

function noiseLengths(
  { frames, height, width }: GenerateSettings,
  scale: number,
): [augmentation: number, latents: number] {
  const area = height * width
  return [3 * area, (frames * latentChannels * area) / scale ** 2]
}
