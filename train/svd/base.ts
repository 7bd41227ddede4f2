// What a UNet in training begins with: its configuration, its weights, and the networks that make its inputs.

import { basename, dirname, join } from 'node:path'
import { readConfigText } from '../../models/checkpoint.js'
import { parseCLIPVisionConfig, type CLIPVisionConfig } from '../../models/clip/config.js'
import { parseObject } from '../../models/config-reader.js'
import { parseUNetConfig, type UNetConfig } from '../../models/svd/config.js'
import { checkFit, openModelFolder, openModelPart, type ModelPart } from '../../models/svd/folder.js'
import { baseChannels, conditionChannels } from '../../models/svd/latents.js'
import { parseVaeConfig, type VaeConfig } from '../../models/svd/vae-config.js'
import type { TensorFile } from '../../tensor/files/index.js'
import type { Origin } from './config.js'

/** Input channels of every UNet that is trained: those of a base, and the motion condition. */
const inChannels = baseChannels + conditionChannels

/** What training begins with, nothing of it loaded yet. */
export interface Base {
  readonly unet: {
    readonly config: UNetConfig
    /** The same as config.json has it. */
    readonly json: Readonly<Record<string, unknown>>
    /** None for a UNet from scratch. */
    readonly openWeights?: () => Promise<TensorFile>
  }
  readonly vae: ModelPart<VaeConfig>
  readonly imageEncoder: ModelPart<CLIPVisionConfig>
}

/**
 * Opens and checks what training begins with; loads nothing. The UNet is given the channels of the motion condition,
 * whether it had them or not. Throws a FileError if something is missing or does not fit.
 */
export async function openBase({ base, from, unetConfig }: Origin): Promise<Base> {
  const path = unetConfig ?? join(base, 'unet/config.json')
  const json = { ...parseObject(path, await readConfigText(dirname(path), basename(path))), in_channels: inChannels }
  const config = parseUNetConfig(path, JSON.stringify(json))
  if (from === 'base') {
    const { unet, vae, imageEncoder } = await openModelFolder(base)
    return { unet: { config, json, openWeights: unet.openWeights }, vae, imageEncoder }
  }
  const vae = await openModelPart(join(base, 'vae'), 'diffusion_pytorch_model', parseVaeConfig)
  const imageEncoder = await openModelPart(join(base, 'image_encoder'), 'model', parseCLIPVisionConfig)
  const unet = { config, json }
  checkFit({ path: base, unet, vae, imageEncoder })
  return { unet, vae, imageEncoder }
}
