// How a part extractor is trained: a JSON file.

import { ConfigReader } from '../../models/config-reader.js'
import { readTrainSettings } from '../settings.js'
import type { TrainSettings } from '../trainer.js'

export interface ExtractorTrainConfig {
  /** Path of the extractor's config.json. */
  readonly extractorConfig: string
  /** Pictures of a batch, each of another clip. */
  readonly batch: number
  /** What a pixel of the background counts, where one of a part counts 1. */
  readonly background: number
  /** What joints count beside parts: their places, and their depths. */
  readonly places: number
  readonly depths: number
  readonly settings: TrainSettings
  readonly saveEvery: number
}

/** Reads and checks such a file's text; throws one FileError that tells everything that is wrong. */
export function parseExtractorTrainConfig(where: string, text: string): ExtractorTrainConfig {
  const reader = new ConfigReader(where, text)
  const weight = (name: string, given: number) => reader.number(name, { min: 0, max: 1000, default: given })
  const config: ExtractorTrainConfig = {
    extractorConfig: reader.text('extractor_config', 4096),
    batch: reader.integer('batch', { max: 1024, default: 8 }),
    background: weight('background_weight', 0.2),
    places: weight('places_weight', 0.1),
    depths: weight('depths_weight', 1),
    settings: readTrainSettings(reader, { steps: 5000, rate: 2e-3, warmup: 50, emaDecay: 0.99 }),
    saveEvery: reader.integer('save_every', { max: 1_000_000, default: 100 }),
  }
  reader.finishClosed()
  return config
}
