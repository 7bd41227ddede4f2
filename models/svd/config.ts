// Configuration of the video UNet: config.json as diffusers writes it.

import { ConfigReader } from '../config-reader.js'

const downBlockTypes = ['CrossAttnDownBlockSpatioTemporal', 'DownBlockSpatioTemporal'] as const
const upBlockTypes = ['CrossAttnUpBlockSpatioTemporal', 'UpBlockSpatioTemporal'] as const

const maxLevels = 6
const maxChannels = 8192

/** One level of the UNet, from the widest picture (first) to the narrowest. */
export interface UNetLevel {
  channels: number
  /** GroupNorm groups of every layer. Diffusers' class always has 32; narrow networks want fewer. */
  groups: number
  /** Residual blocks on the way down; the way up has one more. */
  layers: number
  heads: number
  /** Channels of the context that cross-attention sees. */
  contextChannels: number
  /** Pairs of spatial and temporal transformer blocks in each transformer. */
  transformerLayers: number
  /** Whether there are transformers on the way down and on the way up. */
  downAttention: boolean
  upAttention: boolean
}

/** UNetSpatioTemporalConditionModel, its fields brought into one form. */
export interface UNetConfig {
  inChannels: number
  outChannels: number
  levels: readonly UNetLevel[]
  /** Sinusoids of each added time id. */
  additionTimeEmbedDim: number
  /** How many added time ids there are. */
  additionTimeIds: number
  /** Frames it was trained on. */
  numFrames: number
  /** Height and width of the latents it was made for; a single number stands for their area, as if they were square. */
  sampleSize: number | readonly [height: number, width: number]
}

/** Reads and checks config.json; throws one FileError that tells everything that is wrong. `where` names the file. */
export function parseUNetConfig(where: string, text: string): UNetConfig {
  const reader = new ConfigReader(where, text)
  reader.word('_class_name', ['UNetSpatioTemporalConditionModel'], 'UNetSpatioTemporalConditionModel')
  const inChannels = reader.integer('in_channels', { max: 64, default: 8 })
  const outChannels = reader.integer('out_channels', { max: 64, default: 4 })
  const channels = reader.integers('block_out_channels', maxLevels, { max: maxChannels })
  const places = channels.length
  const down = reader.words('down_block_types', maxLevels, downBlockTypes)
  const up = reader.words('up_block_types', maxLevels, upBlockTypes)
  reader.check(down.length === places, 'down_block_types', `${places} types, as block_out_channels`, down.length)
  reader.check(up.length === places, 'up_block_types', `${places} types, as block_out_channels`, up.length)
  const groups = reader.integer('norm_num_groups', { max: 1024, default: 32 })
  const layers = reader.integerPerPlace('layers_per_block', places, { max: 8, default: 2 })
  const heads = reader.integerPerPlace('num_attention_heads', places, { max: 128 })
  const context = reader.integerPerPlace('cross_attention_dim', places, { max: maxChannels, default: 1024 })
  const transformers = reader.integerPerPlace('transformer_layers_per_block', places, { max: 16, default: 1 })
  const additionTimeEmbedDim = reader.integer('addition_time_embed_dim', { min: 2, max: 4096, default: 256 })
  const projection = reader.integer('projection_class_embeddings_input_dim', { max: 16384, default: 768 })
  const numFrames = reader.integer('num_frames', { max: 4096, default: 25 })
  const sampleSize = reader.integerOrPair('sample_size', { max: 1024, default: 96 })
  channels.forEach((n, i) => {
    const name = `block_out_channels[${i}]`
    reader.check(n % groups === 0, name, `a multiple of ${groups}`, n)
    reader.check(n % heads[i] === 0, name, `a multiple of the ${heads[i]} attention heads`, n)
  })
  reader.check(
    projection % additionTimeEmbedDim === 0,
    'projection_class_embeddings_input_dim',
    `a multiple of addition_time_embed_dim, ${additionTimeEmbedDim}`,
    projection,
  )
  reader.finish()
  return {
    inChannels,
    outChannels,
    levels: channels.map((n, i) => ({
      channels: n,
      groups,
      layers: layers[i],
      heads: heads[i],
      contextChannels: context[i],
      transformerLayers: transformers[i],
      downAttention: down[i] === 'CrossAttnDownBlockSpatioTemporal',
      upAttention: up[places - 1 - i] === 'CrossAttnUpBlockSpatioTemporal',
    })),
    additionTimeEmbedDim,
    additionTimeIds: projection / additionTimeEmbedDim,
    numFrames,
    sampleSize,
  }
}
