// Configurations of CLIP's towers: config.json as Hugging Face transformers writes it.

import { ConfigReader } from '../config-reader.js'

const activations = ['quick_gelu', 'gelu'] as const

/** CLIPVisionModelWithProjection. */
export interface CLIPVisionConfig {
  /** Width of a token. */
  hiddenSize: number
  /** Width between the two layers of the feed-forward part. */
  intermediateSize: number
  layers: number
  heads: number
  channels: number
  /** Height and width of the picture, in pixels. */
  imageSize: number
  patchSize: number
  /** Width of the embedding that comes out. */
  projectionDim: number
  hiddenAct: (typeof activations)[number]
  layerNormEps: number
}

/** Reads and checks config.json; throws one FileError that tells everything that is wrong. `where` names the file. */
export function parseCLIPVisionConfig(where: string, text: string): CLIPVisionConfig {
  const reader = new ConfigReader(where, text)
  reader.word('model_type', ['clip_vision_model'], 'clip_vision_model')
  const config: CLIPVisionConfig = {
    hiddenSize: reader.integer('hidden_size', { max: 8192, default: 768 }),
    intermediateSize: reader.integer('intermediate_size', { max: 32768, default: 3072 }),
    layers: reader.integer('num_hidden_layers', { max: 128, default: 12 }),
    heads: reader.integer('num_attention_heads', { max: 128, default: 12 }),
    channels: reader.integer('num_channels', { max: 64, default: 3 }),
    imageSize: reader.integer('image_size', { max: 2048, default: 224 }),
    patchSize: reader.integer('patch_size', { max: 256, default: 32 }),
    projectionDim: reader.integer('projection_dim', { max: 8192, default: 512 }),
    hiddenAct: reader.word('hidden_act', activations, 'quick_gelu'),
    layerNormEps: reader.number('layer_norm_eps', { min: 1e-12, max: 1e-2, default: 1e-5 }),
  }
  const { hiddenSize, heads, imageSize, patchSize } = config
  reader.check(hiddenSize % heads === 0, 'hidden_size', `a multiple of the ${heads} attention heads`, hiddenSize)
  reader.check(imageSize % patchSize === 0, 'image_size', `a multiple of patch_size, ${patchSize}`, imageSize)
  reader.finish()
  return config
}

/** CLIPTextModelWithProjection. */
export interface CLIPTextConfig {
  vocabSize: number
  /** Width of a token. */
  hiddenSize: number
  /** Width between the two layers of the feed-forward part. */
  intermediateSize: number
  layers: number
  heads: number
  /** The longest text, in tokens. */
  maxTokens: number
  /** Width of the embedding that comes out. */
  projectionDim: number
  hiddenAct: (typeof activations)[number]
  layerNormEps: number
  /** The token at whose first place a text is read out; 2 stands for the one of the highest id. */
  eosTokenId: number
}

/** Reads and checks config.json; throws one FileError that tells everything that is wrong. `where` names the file. */
export function parseCLIPTextConfig(where: string, text: string): CLIPTextConfig {
  const reader = new ConfigReader(where, text)
  reader.word('model_type', ['clip_text_model'], 'clip_text_model')
  const config: CLIPTextConfig = {
    vocabSize: reader.integer('vocab_size', { max: 2 ** 18, default: 49408 }),
    hiddenSize: reader.integer('hidden_size', { max: 8192, default: 512 }),
    intermediateSize: reader.integer('intermediate_size', { max: 32768, default: 2048 }),
    layers: reader.integer('num_hidden_layers', { max: 128, default: 12 }),
    heads: reader.integer('num_attention_heads', { max: 128, default: 8 }),
    maxTokens: reader.integer('max_position_embeddings', { max: 8192, default: 77 }),
    projectionDim: reader.integer('projection_dim', { max: 8192, default: 512 }),
    hiddenAct: reader.word('hidden_act', activations, 'quick_gelu'),
    layerNormEps: reader.number('layer_norm_eps', { min: 1e-12, max: 1e-2, default: 1e-5 }),
    eosTokenId: reader.integer('eos_token_id', { min: 0, max: 2 ** 18, default: 49407 }),
  }
  const { hiddenSize, heads, vocabSize, eosTokenId } = config
  reader.check(hiddenSize % heads === 0, 'hidden_size', `a multiple of the ${heads} attention heads`, hiddenSize)
  reader.check(eosTokenId < vocabSize, 'eos_token_id', `below vocab_size, ${vocabSize}`, eosTokenId)
  reader.finish()
  return config
}
