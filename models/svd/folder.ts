// A Stable Video Diffusion model on disk, as diffusers lays it out: model_index.json, and a sub-folder for each part.

import { checkWeights, type Weights } from '../../nn/index.js'
import type { TensorFile } from '../../tensor/files/index.js'
import { FileError } from '../../tensor/index.js'
import { openConfig, openWeights, readConfigText, type WeightsBase } from '../checkpoint.js'
import type { ConfigReader } from '../config-reader.js'
import { parseCLIPVisionConfig, type CLIPVisionConfig } from '../clip/config.js'
import { CLIPVisionModelWithProjection } from '../clip/vision.js'
import { parseUNetConfig, type UNetConfig } from './config.js'
import { addedTimeIdCount, baseChannels, conditionChannels, latentChannels } from './latents.js'
import { UNetSpatioTemporalConditionModel } from './unet.js'
import { parseVaeConfig, type VaeConfig } from './vae-config.js'
import { AutoencoderKLTemporalDecoder } from './vae.js'

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
  /** How strictly the last frame is to follow the picture where nobody says; a field of our own in model_index.json. */
  readonly maxGuidance?: number
  /** The scheduler's configuration, its fields not asked for yet. Throws a FileError if it is no JSON object. */
  openScheduler(): Promise<ConfigReader>
}

// Sub-folders and the classes that model_index.json names for them.
const classes = {
  unet: 'UNetSpatioTemporalConditionModel',
  vae: 'AutoencoderKLTemporalDecoder',
  image_encoder: 'CLIPVisionModelWithProjection',
  scheduler: 'EulerDiscreteScheduler',
}

const hint =
  'the folder of a diffusers model such as stable-video-diffusion-img2vid-xt, ' +
  'with model_index.json, unet/, vae/, image_encoder/ and scheduler/'

/**
 * Checks a model folder: all parts are there, of the classes that are built here, with configurations that make sense
 * and weights that are whole and fit them. Throws a FileError that says what is wrong, for the weights of all networks
 * at once. Loads nothing.
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
  const maxGuidance = await readIndex(path)

  const model: ModelFolder = {
    path,
    unet: await openModelPart(join(path, 'unet'), 'diffusion_pytorch_model', parseUNetConfig),
    vae: await openModelPart(join(path, 'vae'), 'diffusion_pytorch_model', parseVaeConfig),
    imageEncoder: await openModelPart(join(path, 'image_encoder'), 'model', parseCLIPVisionConfig),
    maxGuidance,
    openScheduler: () => openConfig(join(path, 'scheduler'), 'scheduler_config.json'),
  }
  checkFit(model)
  await checkAllWeights(model)
  return model
}

/** Reads the configuration in a network's sub-folder; throws a FileError if there is none, or what `parse` throws. */
export async function openModelPart<C>(
  folder: string,
  base: WeightsBase,
  parse: (where: string, text: string) => C,
): Promise<ModelPart<C>> {
  const { join } = await import('node:path')
  const config = parse(join(folder, 'config.json'), await readConfigText(folder))
  return { config, openWeights: () => openWeights(folder, base) }
}

/** Opens a network's weights for as long as `use` takes. Errors: of opening them, and of `use`. */
export async function withWeights<T>(
  { openWeights }: Pick<ModelPart<unknown>, 'openWeights'>,
  use: (file: TensorFile) => Promise<T>,
): Promise<T> {
  const file = await openWeights()
  try {
    return await use(file)
  } finally {
    await file.close()
  }
}

/** Compares what is in the files with what the networks need, before anyone waits for one that others cannot follow. */
async function checkAllWeights({ path, unet, vae, imageEncoder }: ModelFolder): Promise<void> {
  const { unusedWeights } = CLIPVisionModelWithProjection
  const networks: [ModelPart<unknown>, { readonly weights: Weights }, (readonly string[])?][] = [
    [unet, new UNetSpatioTemporalConditionModel(unet.config)],
    [vae, new AutoencoderKLTemporalDecoder(vae.config)],
    [imageEncoder, new CLIPVisionModelWithProjection(imageEncoder.config), unusedWeights],
  ]
  const errors: FileError[] = []
  for (const [part, { weights }, ignore] of networks) {
    try {
      const file = await part.openWeights()
      try {
        checkWeights(weights, file, ignore)
      } finally {
        await file.close()
      }
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      errors.push(error)
    }
  }
  if (errors.length === 1) throw errors[0]
  if (errors.length > 1)
    throw new FileError(
      { where: path, what: errors.map(({ message }) => message).join('; ') },
      { cause: new AggregateError(errors) },
    )
}

/** The configurations of a model's networks. */
export interface NetworkConfigs {
  readonly path: string
  readonly unet: Pick<ModelPart<UNetConfig>, 'config'>
  readonly vae: Pick<ModelPart<VaeConfig>, 'config'>
  readonly imageEncoder: Pick<ModelPart<CLIPVisionConfig>, 'config'>
}

/** The parts have to fit each other, and pictures of three colours; throws a FileError if they do not. */
export function checkFit({ path, unet, vae, imageEncoder }: NetworkConfigs): void {
  const { inChannels, outChannels, levels, additionTimeIds } = unet.config
  const motionChannels = baseChannels + conditionChannels
  const facts: [boolean, string][] = [
    [
      vae.config.latentChannels === latentChannels && outChannels === latentChannels,
      `latents of ${latentChannels} channels`,
    ],
    [
      inChannels === baseChannels || inChannels === motionChannels,
      `a UNet of ${baseChannels} input channels, or ${motionChannels} with the motion condition`,
    ],
    [additionTimeIds === addedTimeIdCount, `a UNet with ${addedTimeIdCount} added time ids`],
    [vae.config.inChannels === 3 && vae.config.outChannels === 3, 'a VAE for pictures of 3 channels'],
    [imageEncoder.config.channels === 3, 'an image encoder for pictures of 3 channels'],
    [
      levels.every(level => level.contextChannels === imageEncoder.config.projectionDim),
      `a UNet whose cross_attention_dim is the image encoder's projection_dim, ${imageEncoder.config.projectionDim}`,
    ],
  ]
  for (const [holds, expected] of facts)
    if (!holds) throw new FileError({ where: path, what: 'not a model that makes videos from pictures', expected })
}

/**
 * model_index.json names the class of the whole, and one for each part:
 * `"unet": ["diffusers", "UNetSpatioTemporalConditionModel"]`. It may say `max_guidance_scale` too, which is given back.
 */
async function readIndex(path: string): Promise<number | undefined> {
  const index = await openConfig(path, 'model_index.json')
  index.word('_class_name', ['StableVideoDiffusionPipeline'], 'StableVideoDiffusionPipeline')
  for (const [name, className] of Object.entries(classes)) {
    const entry = index.words(name, 2, ['diffusers', 'transformers', className])
    index.check(entry.at(-1) === className, name, `the class ${className}`, entry.at(-1))
  }
  const guidance = 'max_guidance_scale'
  const maxGuidance = index.has(guidance) ? index.number(guidance, { min: 0, max: 100 }) : undefined
  index.finish()
  return maxGuidance
}
