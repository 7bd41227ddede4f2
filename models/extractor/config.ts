// Configuration of the part extractor: config.json beside its weights.

import { ConfigReader } from '../config-reader.js'

/** Pictures that it sees, and its widths. */
export interface PartExtractorConfig {
  /** Height and width of the pictures, a multiple of 8. */
  imageSize: number
  /** Channels at full size, at half, at a quarter and at an eighth. */
  channels: readonly number[]
  /** GroupNorm groups of every layer. */
  groups: number
  /** Joints of a person that are looked for, in the order of the body's skeleton. */
  joints: number
}

const levels = 4

/** Reads and checks config.json; throws one FileError that tells everything that is wrong. `where` names the file. */
export function parsePartExtractorConfig(where: string, text: string): PartExtractorConfig {
  const reader = new ConfigReader(where, text)
  reader.word('model_type', ['part_extractor'], 'part_extractor')
  const config: PartExtractorConfig = {
    imageSize: reader.integer('image_size', { min: 16, max: 1024 }),
    channels: reader.integers('channels', levels, { max: 1024 }),
    groups: reader.integer('norm_num_groups', { max: 1024, default: 8 }),
    joints: reader.integer('joints', { max: 64, default: 22 }),
  }
  const { imageSize, channels, groups } = config
  reader.check(imageSize % 2 ** (levels - 1) === 0, 'image_size', `a multiple of ${2 ** (levels - 1)}`, imageSize)
  reader.check(channels.length === levels, 'channels', `${levels} numbers`, channels.length)
  channels.forEach((n, i) => reader.check(n % groups === 0, `channels[${i}]`, `a multiple of ${groups}`, n))
  reader.finish()
  return config
}
