// How a PPPM is trained: a JSON file.

import { ConfigReader } from '../../models/config-reader.js'
import { pppmConfigs } from '../../models/pppm/config.js'
import { readTrainSettings } from '../settings.js'
import type { TrainSettings } from '../trainer.js'

/** What a PPPM is trained on, and how. */
export interface PPPMTrainConfig {
  readonly model: keyof typeof pppmConfigs
  /** Takes whose name holds one of these words are never trained on. */
  readonly holdOut: readonly string[]
  /** Folder of a text encoder, for which motions come with their texts. Default: none. */
  readonly textEncoder?: string
  /** Frames of a clip. */
  readonly frames: number
  /** Scenes of a batch. */
  readonly batch: number
  readonly settings: TrainSettings
  readonly saveEvery: number
}

/** Reads and checks such a file's text; throws one FileError that tells everything that is wrong. */
export function parsePPPMTrainConfig(where: string, text: string): PPPMTrainConfig {
  const reader = new ConfigReader(where, text)
  const config: PPPMTrainConfig = {
    model: reader.word('model', Object.keys(pppmConfigs) as (keyof typeof pppmConfigs)[], 'pppm-small'),
    holdOut: reader.texts('hold_out', { maxItems: 64, maxLength: 100 }),
    textEncoder: reader.optionalText('text_encoder', 4096),
    frames: reader.integer('frames', { min: 8, max: 512, default: 64 }),
    batch: reader.integer('batch', { max: 1024, default: 8 }),
    settings: readTrainSettings(reader, { steps: 18000, rate: 1e-3, warmup: 200, emaDecay: 0.999 }),
    saveEvery: reader.integer('save_every', { max: 1_000_000, default: 200 }),
  }
  reader.finishClosed()
  return config
}
