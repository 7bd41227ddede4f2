// Configuration of the video autoencoder: config.json as diffusers writes it.

import { ConfigReader } from '../config-reader.js'

const maxLevels = 6

/** AutoencoderKLTemporalDecoder. */
export interface VaeConfig {
  /** Channels of a picture that is encoded, and of one that is decoded. */
  inChannels: number
  outChannels: number
  latentChannels: number
  /** Channels of each level, from the widest picture to the latent. Sizes halve between levels. */
  blockOutChannels: readonly number[]
  /** Residual blocks of a level of the encoder; the decoder has one more. */
  layersPerBlock: number
  /** GroupNorm groups of every layer. Diffusers' class always has 32; narrow networks want fewer. */
  groups: number
  /** Latents are multiplied by it for the UNet, and divided by it before they are decoded. */
  scalingFactor: number
}

/** Pixels of a picture for each latent, along height and along width: sizes halve between levels. */
export const latentPixels = ({ blockOutChannels }: Pick<VaeConfig, 'blockOutChannels'>): number =>
  2 ** (blockOutChannels.length - 1)

/** One level of the encoder or the decoder. */
export interface VaeLevel {
  inChannels: number
  outChannels: number
  /** Residual blocks. */
  layers: number
  groups: number
  /** Whether the size of the pictures changes at the end. */
  resample: boolean
}

/** Reads and checks config.json; throws one FileError that tells everything that is wrong. `where` names the file. */
export function parseVaeConfig(where: string, text: string): VaeConfig {
  const reader = new ConfigReader(where, text)
  reader.word('_class_name', ['AutoencoderKLTemporalDecoder'], 'AutoencoderKLTemporalDecoder')
  const blockOutChannels = reader.integers('block_out_channels', maxLevels, { max: 8192 })
  const down = reader.words('down_block_types', maxLevels, ['DownEncoderBlock2D'])
  const places = blockOutChannels.length
  const groups = reader.integer('norm_num_groups', { max: 1024, default: 32 })
  reader.check(down.length === places, 'down_block_types', `${places} types, as block_out_channels`, down.length)
  blockOutChannels.forEach((n, i) =>
    reader.check(n % groups === 0, `block_out_channels[${i}]`, `a multiple of ${groups}`, n),
  )
  const config: VaeConfig = {
    inChannels: reader.integer('in_channels', { max: 64, default: 3 }),
    outChannels: reader.integer('out_channels', { max: 64, default: 3 }),
    latentChannels: reader.integer('latent_channels', { max: 64, default: 4 }),
    blockOutChannels,
    layersPerBlock: reader.integer('layers_per_block', { max: 8, default: 1 }),
    groups,
    scalingFactor: reader.number('scaling_factor', { min: 1e-6, max: 1e6, default: 0.18215 }),
  }
  reader.finish()
  return config
}
