// The random numbers of a run, in the order in which diffusers draws them from one generator on the CPU.

import { latentChannels, latentPixels } from '../models/svd/latents.js'
import { Generator, UsageError, type GeneratorState } from '../tensor/index.js'
import type { GenerateSettings } from './settings.js'

/** Standard normal numbers in the place of those that the seed gives. */
export interface InjectedNoise {
  /** [3, height, width], put on the picture with strength noiseAug. */
  augmentation: Float32Array
  /** [frames, 4, height / 8, width / 8], which the video grows out of. */
  latents: Float32Array
}

/** The numbers that a seed gives, and the state of its generator after them. */
export function drawNoise(settings: GenerateSettings): InjectedNoise & { random: GeneratorState } {
  const generator = new Generator(settings.seed)
  const [augmentation, latents] = noiseLengths(settings).map(length => generator.randn(length))
  return { augmentation, latents, random: generator.state() }
}

/** Throws a UsageError unless there is a number for every place. */
export function checkNoise({ augmentation, latents }: InjectedNoise, settings: GenerateSettings): void {
  const lengths = noiseLengths(settings)
  if (augmentation.length === lengths[0] && latents.length === lengths[1]) return
  throw new UsageError({
    where: 'noise',
    what: 'does not fit the video',
    expected: `${lengths[0]} and ${lengths[1]} numbers`,
    got: `${augmentation.length} and ${latents.length}`,
  })
}

function noiseLengths({ frames, height, width }: GenerateSettings): [augmentation: number, latents: number] {
  const area = height * width
  return [3 * area, (frames * latentChannels * area) / latentPixels ** 2]
}
