// A depth model's folder as transformers lays it out, made of the golden checkpoint: the real architecture, tiny, random
// weights.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fromOriginal } from '../../models/depth/original.js'
import { openSafetensors, writeSafetensors } from '../../tensor/files/index.js'
import { golden } from './paths.js'

/** config.json of the golden network in transformers' words. */
export const smallDepthConfig = {
  architectures: ['DepthAnythingForDepthEstimation'],
  model_type: 'depth_anything',
  backbone: null,
  backbone_config: {
    model_type: 'dinov2',
    hidden_size: 32,
    num_hidden_layers: 5,
    num_attention_heads: 4,
    image_size: 518,
    patch_size: 14,
    out_features: ['stage2', 'stage3', 'stage4', 'stage5'],
    out_indices: [2, 3, 4, 5],
    reshape_hidden_states: false,
  },
  neck_hidden_sizes: [8, 12, 16, 24],
  fusion_hidden_size: 16,
  head_hidden_size: 32,
  head_in_index: -1,
  patch_size: 14,
  reassemble_factors: [4, 2, 1, 0.5],
  reassemble_hidden_size: 32,
}

/** Makes the folder `path`. */
export async function makeTinyDepthModel(path: string): Promise<void> {
  await mkdir(path, { recursive: true })
  await writeFile(join(path, 'config.json'), JSON.stringify(smallDepthConfig))
  const file = await openSafetensors(golden('depth-anything-tiny', 'model.safetensors'))
  try {
    const view = fromOriginal(file)
    const entries = [...view.tensors.keys()].map(async name => ({ name, ...(await view.read(name)) }))
    await writeSafetensors(join(path, 'model.safetensors'), await Promise.all(entries))
  } finally {
    await file.close()
  }
}
