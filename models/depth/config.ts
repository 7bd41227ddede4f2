// Configuration of Depth Anything: config.json as Hugging Face transformers writes it for DepthAnythingForDepthEstimation
// on a DINOv2 backbone; fields that it leaves out are those of its Dinov2Config and DepthAnythingConfig.

import { ConfigReader } from '../config-reader.js'

/** The vision transformer that looks at the picture. */
export interface Dinov2Config {
  /** Width of a token. */
  hiddenSize: number
  /** Width between the two layers of the feed-forward part. */
  intermediateSize: number
  layers: number
  heads: number
  /** Height and width that the position embeddings were made for, in pixels. */
  imageSize: number
  patchSize: number
  layerNormEps: number
  /** After how many layers features are taken, ascending. */
  outIndices: readonly number[]
}

/** Depth Anything, version 1 or 2, of relative depth. */
export interface DepthAnythingConfig {
  backbone: Dinov2Config
  /** Channels of the feature maps, finest first; one for each of the backbone's features. */
  neckHiddenSizes: readonly number[]
  fusionHiddenSize: number
  headHiddenSize: number
}

/** How the feature maps are enlarged, finest first: four times, twice, not, and halved. */
export const reassembleFactors = [4, 2, 1, 0.5] as const

/** Reads and checks config.json; throws one FileError that tells everything that is wrong. `where` names the file. */
export function parseDepthAnythingConfig(where: string, text: string): DepthAnythingConfig {
  const reader = new ConfigReader(where, text)
  reader.word('model_type', ['depth_anything'])
  reader.word('depth_estimation_type', ['relative'], 'relative')
  reader.fixedNumbers('reassemble_factors', reassembleFactors)
  const features = reassembleFactors.length
  const sizes = { max: 8192 }
  const config: DepthAnythingConfig = {
    backbone: parseBackbone(reader.object('backbone_config'), features),
    neckHiddenSizes: reader.integers('neck_hidden_sizes', features, sizes),
    fusionHiddenSize: reader.integer('fusion_hidden_size', { ...sizes, default: 64 }),
    headHiddenSize: reader.integer('head_hidden_size', { ...sizes, default: 32 }),
  }
  const { neckHiddenSizes, fusionHiddenSize } = config
  reader.check(neckHiddenSizes.length === features, 'neck_hidden_sizes', `${features} integers`, neckHiddenSizes)
  reader.check(fusionHiddenSize % 2 === 0, 'fusion_hidden_size', 'an even number', fusionHiddenSize)
  reader.finish()
  return config
}

function parseBackbone(reader: ConfigReader, features: number): Dinov2Config {
  reader.word('model_type', ['dinov2'])
  reader.word('hidden_act', ['gelu'], 'gelu')
  reader.oneOf('use_swiglu_ffn', [undefined, false])
  reader.oneOf('apply_layernorm', [undefined, true])
  reader.oneOf('num_channels', [undefined, 3])
  const hiddenSize = reader.integer('hidden_size', { max: 8192, default: 768 })
  const config: Dinov2Config = {
    hiddenSize,
    intermediateSize: hiddenSize * reader.integer('mlp_ratio', { max: 16, default: 4 }),
    layers: reader.integer('num_hidden_layers', { max: 128, default: 12 }),
    heads: reader.integer('num_attention_heads', { max: 128, default: 12 }),
    imageSize: reader.integer('image_size', { max: 4096, default: 224 }),
    patchSize: reader.integer('patch_size', { max: 256, default: 14 }),
    layerNormEps: reader.number('layer_norm_eps', { min: 1e-12, max: 1e-2, default: 1e-6 }),
    outIndices: reader.integers('out_indices', features, { max: 128 }),
  }
  const { heads, layers, imageSize, patchSize, outIndices } = config
  reader.check(hiddenSize % heads === 0, 'hidden_size', `a multiple of the ${heads} attention heads`, hiddenSize)
  reader.check(imageSize % patchSize === 0, 'image_size', `a multiple of patch_size, ${patchSize}`, imageSize)
  const ascend = outIndices.every((index, i) => index <= layers && (i === 0 || index > outIndices[i - 1]))
  reader.check(
    outIndices.length === features && ascend,
    'out_indices',
    `${features} ascending integers up to num_hidden_layers, ${layers}`,
    outIndices,
  )
  return config
}
