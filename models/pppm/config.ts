// Configurations of the PPPM: two sizes, and config.json beside the weights.

import { ConfigReader } from '../config-reader.js'

/** The sizes of a PPPM. */
export interface PPPMConfig {
  /** Width of a token. */
  width: number
  layers: number
  heads: number
  /** Width of the text tokens that it may be conditioned on. */
  textChannels: number
  /** Tokens of a text; without one, as many stand for none. Default: 1, and no texts. */
  textTokens?: number
  /** How many entities of one kind a scene may have. */
  maxEntities: number
}

/** The sizes that are trained: `pppm-small` is shipped (2.1 M weights), `pppm-base` has 32 M. */
export const pppmConfigs = {
  'pppm-small': { width: 128, layers: 6, heads: 4, textChannels: 768, maxEntities: 8 },
  'pppm-base': { width: 512, layers: 7, heads: 8, textChannels: 768, maxEntities: 8 },
} as const satisfies Record<string, PPPMConfig>

/** Reads and checks config.json; throws one FileError that tells everything that is wrong. `where` names the file. */
export function parsePPPMConfig(where: string, text: string): PPPMConfig {
  const reader = new ConfigReader(where, text)
  reader.word('model_type', ['pppm'], 'pppm')
  const config: PPPMConfig = {
    width: reader.integer('width', { max: 4096 }),
    layers: reader.integer('layers', { max: 64 }),
    heads: reader.integer('heads', { max: 64 }),
    textChannels: reader.integer('text_channels', { max: 8192 }),
    maxEntities: reader.integer('max_entities', { max: 64 }),
  }
  const textTokens = reader.optionalInteger('text_tokens', { min: 2, max: 1024 })
  if (textTokens !== undefined) config.textTokens = textTokens
  const { width, heads } = config
  reader.check(width % (2 * heads) === 0, 'width', `a multiple of twice the ${heads} heads`, width)
  reader.finish()
  return config
}

/** config.json's text for a configuration. */
export function formatPPPMConfig(config: PPPMConfig): string {
  const { width, layers, heads, textChannels, textTokens, maxEntities } = config
  const fields = {
    model_type: 'pppm',
    width,
    layers,
    heads,
    text_channels: textChannels,
    text_tokens: textTokens,
    max_entities: maxEntities,
  }
  return `${JSON.stringify(fields, undefined, 2)}\n`
}
