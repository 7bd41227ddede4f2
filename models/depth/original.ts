// Depth Anything V2's own checkpoints (`pretrained.*`, `depth_head.*`) under transformers' names, and their configuration.
// Names as in huggingface/transformers: models/depth_anything/convert_depth_anything_to_hf.py (create_rename_keys,
// read_in_q_k_v).

import type { LoadedTensor, TensorChunk, TensorFile, TensorInfo } from '../../tensor/files/index.js'
import { FileError } from '../../tensor/index.js'
import { ConfigReader } from '../config-reader.js'
import { parseDepthAnythingConfig, type DepthAnythingConfig } from './config.js'

/** The configuration of DepthAnythingV2's constructor, as a JSON object, its `encoder` that of DinoVisionTransformer. */
export function parseOriginalConfig(where: string, text: string): DepthAnythingConfig {
  const reader = new ConfigReader(where, text)
  const encoder = reader.object('encoder')
  const size = { max: 8192 }
  const config = {
    model_type: 'depth_anything',
    backbone_config: {
      model_type: 'dinov2',
      hidden_size: encoder.integer('embed_dim', size),
      num_hidden_layers: encoder.integer('depth', { max: 128 }),
      num_attention_heads: encoder.integer('num_heads', size),
      mlp_ratio: encoder.integer('mlp_ratio', { max: 16, default: 4 }),
      image_size: encoder.integer('img_size', size),
      patch_size: encoder.integer('patch_size', size),
      layer_norm_eps: encoder.number('layer_norm_eps', { min: 1e-12, max: 1e-2, default: 1e-6 }),
      out_indices: reader.integers('intermediate_layers', 4, { min: 0, max: 127 }).map(i => i + 1),
    },
    neck_hidden_sizes: reader.integers('out_channels', 4, size),
    fusion_hidden_size: reader.integer('features', size),
  }
  reader.oneOf('use_bn', [undefined, false])
  reader.oneOf('use_clstoken', [undefined, false])
  reader.finish()
  return parseDepthAnythingConfig(where, JSON.stringify(config))
}

// Beginnings of names and what they become; the first that fits counts.
const renames: readonly [RegExp, string | ((...parts: string[]) => string)][] = [
  [/^pretrained\.(cls_token|mask_token)$/, 'backbone.embeddings.$1'],
  [/^pretrained\.pos_embed$/, 'backbone.embeddings.position_embeddings'],
  [/^pretrained\.patch_embed\.proj\b/, 'backbone.embeddings.patch_embeddings.projection'],
  [/^pretrained\.patch_embed\b/, 'backbone.embeddings.patch_embeddings.projection'],
  [/^pretrained\.norm\b/, 'backbone.layernorm'],
  [/^pretrained\.blocks\.(\d+)\.attn\.proj\b/, 'backbone.encoder.layer.$1.attention.output.dense'],
  [/^pretrained\.blocks\.(\d+)\.attn\.(query|key|value)\b/, 'backbone.encoder.layer.$1.attention.attention.$2'],
  [/^pretrained\.blocks\.(\d+)\.attn$/, 'backbone.encoder.layer.$1.attention.output.dense'],
  [/^pretrained\.blocks\.(\d+)\.ls([12])\.gamma$/, 'backbone.encoder.layer.$1.layer_scale$2.lambda1'],
  [/^pretrained\.blocks\.(\d+)\b/, 'backbone.encoder.layer.$1'],
  [/^depth_head\.projects\.(\d)\b/, 'neck.reassemble_stage.layers.$1.projection'],
  [/^depth_head\.resize_layers\.(\d)\b/, 'neck.reassemble_stage.layers.$1.resize'],
  [/^depth_head\.scratch\.layer([1-4])_rn\b/, (_, level) => `neck.convs.${Number(level) - 1}`],
  [/^depth_head\.scratch\.refinenet([1-4])\b/, (_, level) => `neck.fusion_stage.layers.${4 - Number(level)}`],
  [/^depth_head\.scratch\.output_conv1\b/, 'head.conv1'],
  [/^depth_head\.scratch\.output_conv2\.0\b/, 'head.conv2'],
  [/^depth_head\.scratch\.output_conv2\.2\b/, 'head.conv3'],
]

const inside: readonly [RegExp, string][] = [
  [/\.out_conv\b/, '.projection'],
  [/\.resConfUnit([12])\b/, '.residual_layer$1'],
  [/(\.residual_layer[12])\.conv([12])\b/, '$1.convolution$2'],
]

/** What transformers calls a weight or a module; an unknown name stays as it is. */
export function transformersName(name: string): string {
  const rename = renames.find(([pattern]) => pattern.test(name))
  if (!rename) return name
  const renamed = name.replace(rename[0], rename[1] as string)
  return inside.reduce((name, [pattern, target]) => name.replace(pattern, target), renamed)
}

/** Where in the file a tensor is: a third of the rows of a joint projection, or the whole. */
interface Origin {
  readonly name: string
  readonly third?: 0 | 1 | 2
}

/** The file under transformers' names: queries, keys and values, which it holds as one tensor, become three. */
export function fromOriginal(file: TensorFile): TensorFile {
  const origins = new Map<string, Origin>()
  const tensors = new Map<string, TensorInfo>()
  for (const [name, info] of file.tensors) {
    const [rows = 1, ...rest] = info.shape
    if (!/\.attn\.qkv\.(weight|bias)$/.test(name) || rows % 3 !== 0) {
      origins.set(transformersName(name), { name })
      tensors.set(transformersName(name), info)
      continue
    }
    const part = { ...info, shape: [rows / 3, ...rest], byteSize: info.byteSize / 3 }
    for (const [third, kind] of (['query', 'key', 'value'] as const).entries()) {
      const renamed = transformersName(name.replace('qkv', kind))
      origins.set(renamed, { name, third: third as 0 | 1 | 2 })
      tensors.set(renamed, part)
    }
  }
  const read = async (renamed: string): Promise<LoadedTensor> => {
    const origin = origins.get(renamed)
    if (!origin) throw new FileError({ where: file.name, what: `no tensor ${renamed}` })
    const { dtype, data } = await file.read(origin.name)
    const { shape } = tensors.get(renamed)!
    if (origin.third === undefined) return { dtype, data, shape }
    const size = data.length / 3
    return { dtype, data: data.slice(origin.third * size, (origin.third + 1) * size), shape }
  }
  return {
    name: file.name,
    metadata: file.metadata,
    tensors,
    read,
    async *chunks(renamed): AsyncGenerator<TensorChunk, void, undefined> {
      yield { start: 0, data: (await read(renamed)).data }
    },
    close: () => file.close(),
  }
}
