// How an image encoder is trained: a JSON file.

import { ConfigReader } from '../../models/config-reader.js'
import { readTrainSettings } from '../settings.js'
import type { TrainSettings } from '../trainer.js'

export interface EncoderTrainConfig {
  /** Path of the image encoder's config.json. */
  readonly encoderConfig: string
  /** Clips of a batch, each told from all others. */
  readonly batch: number
  /** By what cosines are divided before the softmax. */
  readonly temperature: number
  readonly settings: TrainSettings
  readonly saveEvery: number
}

/** Reads and checks such a file's text; throws one FileError that tells everything that is wrong. */
export function parseEncoderTrainConfig(where: string, text: string): EncoderTrainConfig {
  const reader = new ConfigReader(where, text)
  const config: EncoderTrainConfig = {
    encoderConfig: reader.text('encoder_config', 4096),
    batch: reader.integer('batch', { min: 2, max: 1024, default: 32 }),
    temperature: reader.number('temperature', { min: 0.001, max: 10, default: 0.1 }),
    settings: readTrainSettings(reader, { steps: 1000, rate: 1e-3, warmup: 50, emaDecay: 0.99 }),
    saveEvery: reader.integer('save_every', { max: 1_000_000, default: 100 }),
  }
  reader.finishClosed()
  return config
}
