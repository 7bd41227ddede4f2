// How a video autoencoder is trained: a JSON file.

import { ConfigReader } from '../../models/config-reader.js'
import { readTrainSettings } from '../settings.js'
import type { TrainSettings } from '../trainer.js'

const maxPath = 4096

/** What the parts of the loss count, beside the difference of pixels. */
export interface VaeLossWeights {
  /** Of a pixel that shows a part of a body or an object, where one of the background counts 1. */
  readonly figure: number
  /** Of the difference between neighbouring pixels. */
  readonly edge: number
  /** Of how far latents are from standard normal numbers, per number. */
  readonly kl: number
}

export interface VaeTrainConfig {
  /** Path of the VAE's config.json; its scaling_factor is measured, whatever it says. */
  readonly vaeConfig: string
  /** Folder of a VAE of this configuration that learns on; without one weights are fresh. */
  readonly base?: string
  /** `decoder`: the encoder is frozen, so that latents stay what they are. */
  readonly train: 'all' | 'decoder'
  /** Frames of a video, of how many neighbours one, and videos of a batch. */
  readonly frames: number
  readonly stride: number
  readonly batch: number
  /** Pixels: frames are brought to this size. */
  readonly width: number
  readonly height: number
  readonly lossWeights: VaeLossWeights
  readonly settings: TrainSettings
  readonly saveEvery: number
}

/** Reads and checks such a file's text; throws one FileError that tells everything that is wrong. */
export function parseVaeTrainConfig(where: string, text: string): VaeTrainConfig {
  const reader = new ConfigReader(where, text)
  const weight = (name: string, given: number) => reader.number(name, { min: 0, max: 1000, default: given })
  const config: VaeTrainConfig = {
    vaeConfig: reader.text('vae_config', maxPath),
    base: reader.optionalText('base', maxPath),
    train: reader.word('train', ['all', 'decoder'], 'all'),
    frames: reader.integer('frames', { max: 256, default: 4 }),
    stride: reader.integer('stride', { max: 256, default: 1 }),
    batch: reader.integer('batch', { max: 64, default: 4 }),
    width: reader.integer('width', { min: 8, max: 4096, default: 64 }),
    height: reader.integer('height', { min: 8, max: 4096, default: 64 }),
    lossWeights: {
      figure: weight('figure_weight', 3),
      edge: weight('edge_weight', 0.5),
      kl: weight('kl_weight', 1e-3),
    },
    settings: readTrainSettings(reader, { steps: 10_000, rate: 1e-3, warmup: 100, emaDecay: 0.99 }),
    saveEvery: reader.integer('save_every', { max: 1_000_000, default: 100 }),
  }
  reader.check(
    config.train === 'all' || config.base !== undefined,
    'base',
    'a folder where only the decoder learns',
    config.base,
  )
  reader.finishClosed()
  return config
}
