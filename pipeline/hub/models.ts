// Models that are known by a short name, and which of their files are read here.

import { weightNames, type WeightsBase } from '../../models/checkpoint.js'

/** A model on the hub. */
export interface HubModel {
  /** `owner/name` on the Hugging Face hub. */
  readonly repository: string
  readonly about: string
  /** What kind of model it is, which decides what is read of it. */
  readonly kind: 'video' | 'depth'
}

const stableVideo = (name: string, about: string): HubModel => ({
  repository: `stabilityai/stable-video-diffusion-${name}`,
  about,
  kind: 'video',
})

/** By the names that the command line knows. */
export const hubModels = {
  svd: stableVideo('img2vid', '14 frames of 1024 x 576'),
  'svd-xt': stableVideo('img2vid-xt', '25 frames of 1024 x 576'),
  'svd-xt-1.1': stableVideo('img2vid-xt-1-1', '25 frames of 1024 x 576, at 6 frames a second'),
  'depth-anything-v2-small': {
    repository: 'depth-anything/Depth-Anything-V2-Small-hf',
    about: 'depth of pictures',
    kind: 'depth',
  },
} as const satisfies Record<string, HubModel>

/** A model that the command line knows. */
export type HubModelName = keyof typeof hubModels

/** All of them. */
export const hubModelNames = Object.keys(hubModels) as HubModelName[]

/** Which files of a repository are read. */
export interface HubFiles {
  readonly configs: readonly string[]
  /** For each network the paths that its weights may have, the preferred first; an index stands for its shards. */
  readonly weights: readonly (readonly string[])[]
}

const videoWeights: readonly [string, WeightsBase][] = [
  ['unet', 'diffusion_pytorch_model'],
  ['vae', 'diffusion_pytorch_model'],
  ['image_encoder', 'model'],
]

/** Those of a Stable Video Diffusion model: what openModelFolder and the scheduler read. */
export const videoFiles = (variant: string | undefined): HubFiles => ({
  configs: [
    'model_index.json',
    'scheduler/scheduler_config.json',
    'unet/config.json',
    'vae/config.json',
    'image_encoder/config.json',
  ],
  weights: videoWeights.map(([folder, base]) => weightNames(base, variant).map(name => `${folder}/${name}`)),
})

/** Those of a depth model: what DepthNetwork.open reads. */
export const depthFiles = (variant: string | undefined): HubFiles => ({
  configs: ['config.json'],
  weights: [weightNames('model', variant)],
})
