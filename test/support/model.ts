// A model folder as diffusers lays it out, made of the golden checkpoints: the real architecture, tiny, random weights.

import { cp, mkdir, writeFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { golden } from './paths.js'

/** Makes the folder `path`. */
export async function makeTinyModel(path: string): Promise<void> {
  const parts = [
    ['unet', 'svd-unet-tiny', 'diffusion_pytorch_model.safetensors', 'UNetSpatioTemporalConditionModel', 'diffusers'],
    ['vae', 'svd-vae-tiny', 'diffusion_pytorch_model.safetensors', 'AutoencoderKLTemporalDecoder', 'diffusers'],
    ['image_encoder', 'clip-vision-tiny', 'model.safetensors', 'CLIPVisionModelWithProjection', 'transformers'],
  ]
  for (const [name, from, weights] of parts) {
    await mkdir(join(path, name), { recursive: true })
    for (const file of ['config.json', weights]) await cp(golden(from, file), join(path, name, file))
  }
  const { config } = JSON.parse(readFileSync(golden('scheduler.json'), 'utf8')) as { config: object }
  await mkdir(join(path, 'scheduler'))
  const schedulerConfig = { _class_name: 'EulerDiscreteScheduler', ...config }
  await writeFile(join(path, 'scheduler/scheduler_config.json'), JSON.stringify(schedulerConfig))
  const index = {
    _class_name: 'StableVideoDiffusionPipeline',
    scheduler: ['diffusers', 'EulerDiscreteScheduler'],
    ...Object.fromEntries(parts.map(([name, , , className, library]) => [name, [library, className]])),
  }
  await writeFile(join(path, 'model_index.json'), JSON.stringify(index))
}
