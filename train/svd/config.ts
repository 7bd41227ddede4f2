// How the video UNet is trained: a JSON file.

import { ConfigReader } from '../../models/config-reader.js'
import { readTrainSettings } from '../settings.js'
import type { TrainSettings } from '../trainer.js'

const maxPath = 4096

/** How clips become what the UNet is shown. */
export interface ClipSettings {
  /** Frames of a clip that are taken, and of how many neighbours one. */
  readonly frames: number
  readonly stride: number
  /** Pixels, multiples of what a latent covers: frames are brought to this size. */
  readonly width: number
  readonly height: number
  /** Noisy versions of the first frame that are kept of each clip. */
  readonly pictures: number
}

/** Where weights come from. Paths are as in the file. */
export interface Origin {
  /** Folder of a model as diffusers lays it out: its VAE and image encoder are needed always. */
  readonly base: string
  /** `base`: its UNet learns on. `scratch`: a UNet of fresh weights. */
  readonly from: 'base' | 'scratch'
  /** The UNet's config.json, for one from scratch; default: the base's. */
  readonly unetConfig?: string
}

/** What a video UNet is trained on, and how. */
export interface SVDTrainConfig extends Origin, ClipSettings {
  /** `temporal`: conv_in and what looks at several frames; the rest is frozen. */
  readonly train: 'temporal' | 'all'
  /** Told to the UNet: frames a second, and how much moves, 0..255. */
  readonly fps: number
  readonly motionBucket: number
  /** Clips of a batch. */
  readonly batch: number
  /** Saves memory for time: each layer of a block is computed once more on the way back. */
  readonly checkpointing: boolean
  readonly settings: TrainSettings
  readonly saveEvery: number
}

/** Reads and checks such a file's text; throws one FileError that tells everything that is wrong. */
export function parseSVDTrainConfig(where: string, text: string): SVDTrainConfig {
  const reader = new ConfigReader(where, text)
  const config: SVDTrainConfig = {
    base: reader.text('base', maxPath),
    from: reader.word('from', ['base', 'scratch'], 'base'),
    unetConfig: reader.optionalText('unet_config', maxPath),
    train: reader.word('train', ['temporal', 'all'], 'temporal'),
    // ReVision's clips: 16 frames, every fourth, 1024 x 576.
    frames: reader.integer('frames', { max: 256, default: 16 }),
    stride: reader.integer('stride', { max: 256, default: 4 }),
    width: reader.integer('width', { min: 8, max: 4096, default: 1024 }),
    height: reader.integer('height', { min: 8, max: 4096, default: 576 }),
    pictures: reader.integer('pictures', { max: 64, default: 4 }),
    fps: reader.integer('fps', { max: 120, default: 7 }),
    motionBucket: reader.integer('motion_bucket', { min: 0, max: 255, default: 127 }),
    batch: reader.integer('batch', { max: 64, default: 1 }),
    checkpointing: reader.flag('checkpointing', true),
    settings: {
      ...readTrainSettings(reader, { steps: 30_000, rate: 1e-5, warmup: 500, emaDecay: 0.999 }),
      accumulate: reader.integer('accumulate', { max: 1024, default: 8 }),
    },
    saveEvery: reader.integer('save_every', { max: 1_000_000, default: 500 }),
  }
  const { from, unetConfig } = config
  reader.check(
    from === 'scratch' || unetConfig === undefined,
    'unet_config',
    'absent unless from is scratch',
    unetConfig,
  )
  reader.finishClosed()
  return config
}
