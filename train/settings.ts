// The settings that all training has in common, out of a JSON file.

import type { ConfigReader } from '../models/config-reader.js'
import { UsageError } from '../tensor/index.js'
import type { TrainSettings } from './trainer.js'

/** What a model takes where the file says nothing; of fewer steps than those of `warmup` a tenth is warm-up. */
export type TrainDefaults = Pick<TrainSettings, 'steps' | 'rate' | 'warmup' | 'emaDecay'>

/** Reads the common fields; what is wrong with them is told by the reader's `finish`. */
export function readTrainSettings(reader: ConfigReader, defaults: TrainDefaults): TrainSettings {
  const steps = reader.integer('steps', { max: 10_000_000, default: defaults.steps })
  // A try of a few steps needs no other settings.
  const warmup = defaults.warmup < steps ? defaults.warmup : Math.floor(steps / 10)
  const settings: TrainSettings = {
    steps,
    rate: reader.number('rate', { min: 1e-8, max: 1, default: defaults.rate }),
    warmup: reader.integer('warmup', { min: 0, max: 1_000_000, default: warmup }),
    weightDecay: reader.number('weight_decay', { min: 0, max: 1, default: 0.01 }),
    clip: reader.number('clip', { min: 1e-6, max: 1e6, default: 1 }),
    emaDecay: reader.number('ema_decay', { min: 0, max: 0.999999, default: defaults.emaDecay }),
    seed: reader.integer('seed', { min: 0, max: 2 ** 31 - 1, default: 0 }),
  }
  reader.check(settings.warmup < steps, 'warmup', `less than steps, which are ${steps}`, settings.warmup)
  return settings
}

/** Throws a UsageError unless pictures of this size come out even as latents, of so many pixels each. */
export function checkSides({ width, height }: { width: number; height: number }, scale: number): void {
  for (const [where, side] of Object.entries({ width, height }))
    if (side % scale !== 0)
      throw new UsageError({
        where,
        what: 'does not fit the VAE',
        expected: `a multiple of ${scale}`,
        got: String(side),
      })
}
