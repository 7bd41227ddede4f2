// A Stable Video Diffusion model on disk, as diffusers lays it out: model_index.json, and a sub-folder for each part.

import type { TensorFile } from '../../tensor/files/index.js'
import { FileError } from '../../tensor/index.js'
import { openConfig, openWeights, readConfigText, type WeightsBase } from '../checkpoint.js'
import { parseCLIPVisionConfig, type CLIPVisionConfig } from '../clip/config.js'
import { parseUNetConfig, type UNetConfig } from './config.js'
import { parseVaeConfig, type VaeConfig } from './vae-config.js'

/** One network of the model: its configuration, and its weights when they are asked for. */
export interface ModelPart<C> {
  readonly config: C
  openWeights(): Promise<TensorFile>
}

/** A checked model folder. */
export interface ModelFolder {
  readonly path: string
  readonly unet: ModelPart<UNetConfig>
  readonly vae: ModelPart<VaeConfig>
  readonly imageEncoder: ModelPart<CLIPVisionConfig>
  /** The folder of the scheduler's configuration. */
  readonly scheduler: string
  /** Height and width of the latents that the model was made for, as if it were square. */
  readonly sampleSize: number
}

// Sub-folders and the classes that model_index.json names for them.
const classes = {
  unet: 'UNetSpatioTemporalConditionModel',
  vae: 'AutoencoderKLTemporalDecoder',
  image_encoder: 'CLIPVisionModelWithProjection',
  scheduler: 'EulerDiscreteScheduler',
}

const hint =
  'the folder of a diffusers model such as stable-video-diffusion-img2vid-xt, with model_index.json, unet/, vae/, image_encoder/ and scheduler/'

/**
 * Checks a model folder: all parts are there, of the classes that are built here, with configurations that make sense and
 * weights that are whole. Throws a FileError that says what is wrong. Loads nothing.
 */
export async function openModelFolder(path: string): Promise<ModelFolder> {
  const { stat } = await import('node:fs/promises')
  const { join } = await import('node:path')
  const isFolder = (name: string) =>
    stat(join(path, name)).then(
      found => found.isDirectory(),
      () => false,
    )
  if (path === '' || !(await isFolder('.')))
    throw new FileError({ where: path || 'model', what: 'no such folder', hint })
  for (const name of Object.keys(classes))
    if (!(await isFolder(name))) throw new FileError({ where: path, what: `no whole model: ${name}/ is missing`, hint })
  await checkIndex(path)

  const part = async <C>(name: string, base: WeightsBase, parse: (where: string, text: string) => C) => {
    const folder = join(path, name)
    const config = parse(join(folder, 'config.json'), await readConfigText(folder))
    await (await openWeights(folder, base)).close()
    return { config, openWeights: () => openWeights(folder, base) }
  }
  const unetFields = await openConfig(join(path, 'unet'))
  const sampleSize = unetFields.integer('sample_size', { max: 1024, default: 96 })
  unetFields.finish()
  const model: ModelFolder = {
    path,
    unet: await part('unet', 'diffusion_pytorch_model', parseUNetConfig),
    vae: await part('vae', 'diffusion_pytorch_model', parseVaeConfig),
    imageEncoder: await part('image_encoder', 'model', parseCLIPVisionConfig),
    scheduler: join(path, 'scheduler'),
    sampleSize,
  }
  checkFit(model)
  return model
}

/** The parts have to fit each other, and pictures of three colours. */
function checkFit({ path, unet, vae, imageEncoder }: ModelFolder): void {
  const { inChannels, outChannels, levels, additionTimeIds } = unet.config
  const { latentChannels, blockOutChannels } = vae.config
  const facts: [boolean, string][] = [
    [latentChannels === 4 && outChannels === 4, 'latents of 4 channels'],
    [inChannels === 8 || inChannels === 10, 'a UNet of 8 input channels, or 10 with the motion condition'],
    [additionTimeIds === 3, 'a UNet with 3 added time ids'],
    [vae.config.inChannels === 3 && vae.config.outChannels === 3, 'a VAE for pictures of 3 channels'],
    [blockOutChannels.length === 4, 'a VAE of 4 levels'],
    [imageEncoder.config.channels === 3, 'an image encoder for pictures of 3 channels'],
    [
      levels.every(level => level.contextChannels === imageEncoder.config.projectionDim),
      `a UNet whose cross_attention_dim is the image encoder's projection_dim, ${imageEncoder.config.projectionDim}`,
    ],
  ]
  for (const [holds, expected] of facts)
    if (!holds) throw new FileError({ where: path, what: 'not a model that makes videos from pictures', expected })
}

/** model_index.json names a class for each part: `"unet": ["diffusers", "UNetSpatioTemporalConditionModel"]`. */
async function checkIndex(path: string): Promise<void> {
  const index = await openConfig(path, 'model_index.json')
  for (const [name, className] of Object.entries(classes)) {
    const entry = index.words(name, 2, ['diffusers', 'transformers', className])
    index.check(entry.at(-1) === className, name, `the class ${className}`, entry.at(-1))
  }
  index.finish()
}
