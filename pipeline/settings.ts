// What a video is asked to be: settings, their bounds and defaults.

import type { UNetConfig } from '../models/svd/config.js'
import type { ModelFolder } from '../models/svd/folder.js'
import { latentPixels, type VaeConfig } from '../models/svd/vae-config.js'
import { UsageError } from '../tensor/index.js'

/** All numbers that, with the picture, the masks and the model, decide a video. */
export interface GenerateSettings {
  /** Frames of the video. Default: as many as the model was trained on. */
  frames: number
  /** Denoising steps: more take longer and give finer detail. Default: 25. */
  steps: number
  /** Pixels, multiples of what a latent covers: of 8 for Stable Video Diffusion. Default: see defaultSize. */
  width: number
  height: number
  /** Frames a second, of the video and told to the model. Default: 7. */
  fps: number
  /** How much is to move, 0..255. Default: 127. */
  motionBucket: number
  /** Noise put on the picture before it is encoded: more lets the video depart further from it. Default: 0.02. */
  noiseAug: number
  /** How strictly the first and the last frame follow the picture; frames between lie between. Default: 1, and the model's or 3. */
  minGuidance: number
  maxGuidance: number
  /** Frames decoded together: more flicker less and take more memory. Default: 4. */
  decodeChunk: number
  /** The same seed gives the same video. Default: 0. */
  seed: number
}

/** What decides which videos a model can make, and which it makes by default. */
export interface VideoModel {
  readonly unet: Pick<UNetConfig, 'numFrames' | 'sampleSize' | 'levels'>
  readonly vae: Pick<VaeConfig, 'blockOutChannels'>
  readonly maxGuidance?: number
}

/** That of a model in a folder. */
export const videoModelOf = (folder: Pick<ModelFolder, 'unet' | 'vae' | 'maxGuidance'>): VideoModel => ({
  unet: folder.unet.config,
  vae: folder.vae.config,
  maxGuidance: folder.maxGuidance,
})

interface Bounds {
  min: number
  max: number
  integer?: boolean
}

/** The bounds of every setting. */
export const settingBounds: Readonly<Record<keyof GenerateSettings, Readonly<Bounds>>> = {
  frames: { min: 1, max: 256, integer: true },
  steps: { min: 1, max: 1000, integer: true },
  width: { min: 8, max: 4096, integer: true },
  height: { min: 8, max: 4096, integer: true },
  fps: { min: 1, max: 120, integer: true },
  motionBucket: { min: 0, max: 255, integer: true },
  noiseAug: { min: 0, max: 10 },
  minGuidance: { min: 0, max: 100 },
  maxGuidance: { min: 0, max: 100 },
  decodeChunk: { min: 1, max: 256, integer: true },
  seed: { min: 0, max: Number.MAX_SAFE_INTEGER, integer: true },
}

/** The names of all settings. */
export const settingNames = Object.keys(settingBounds) as readonly (keyof GenerateSettings)[]

// Pixels of all frames together: what decoded frames may take in host memory.
const maxVideoPixels = 2 ** 28

/** Pixels that sizes are multiples of, and that they are by default: what the UNet's narrowest level can halve to. */
function sizeSteps({ unet, vae }: VideoModel): { step: number; unit: number } {
  const step = latentPixels(vae)
  return { step, unit: step * 2 ** (unet.levels.length - 1) }
}

/**
 * The size that a model makes by default. That of its latents if it says height and width; else the area of its square
 * training size in the proportions 16:9, as near as whole steps of its UNet allow: 1024 x 576 for
 * stable-video-diffusion-img2vid-xt, whose square is 768 x 768.
 */
export function defaultSize(model: VideoModel): { width: number; height: number } {
  const { step, unit } = sizeSteps(model)
  const { sampleSize } = model.unet
  const most = settingBounds.width.max
  if (typeof sampleSize !== 'number') {
    const [height, width] = sampleSize.map(n => Math.min(n * step, most - (most % step)))
    return { width, height }
  }
  const side = sampleSize * step
  const round = (n: number) => Math.min(Math.max(unit, unit * Math.round(n / unit)), most - (most % unit))
  return { width: round((side * 4) / 3), height: round((side * 3) / 4) }
}

/**
 * Checks what can be known of the settings that are given without a model. Throws a UsageError that names the first that cannot be.
 *
 * @param nameOf what whoever gave a setting calls it; default: its name here
 */
export function checkSettings(
  given: Partial<GenerateSettings>,
  nameOf: (setting: keyof GenerateSettings) => string = setting => setting,
): void {
  for (const name of settingNames) {
    const { min, max, integer = false } = settingBounds[name]
    const value = given[name]
    if (value === undefined) continue
    if (typeof value !== 'number' || !(value >= min && value <= max) || (integer && !Number.isInteger(value)))
      throw new UsageError({
        where: nameOf(name),
        what: integer ? 'not an integer in bounds' : 'not a number in bounds',
        expected: `${min}..${max}`,
        got: String(value),
      })
  }
  const { frames = 1, width = settingBounds.width.min, height = settingBounds.height.min } = given
  if (frames * width * height > maxVideoPixels)
    throw new UsageError({
      where: 'size',
      what: 'too many pixels in all frames together',
      expected: `at most ${maxVideoPixels}`,
      got: `${frames} x ${width} x ${height}`,
      hint: 'fewer frames or a smaller picture',
    })
}

/**
 * All settings, those not given by default. Throws a UsageError for a size that the model cannot make; else errors as
 * checkSettings.
 *
 * @param nameOf as in checkSettings
 */
export function completeSettings(
  given: Partial<GenerateSettings>,
  model: VideoModel,
  nameOf: (setting: keyof GenerateSettings) => string = setting => setting,
): GenerateSettings {
  const { step, unit } = sizeSteps(model)
  for (const name of ['width', 'height'] as const) checkSide(nameOf(name), given[name], step, unit)
  const size = defaultSize(model)
  const settings = {
    frames: given.frames ?? Math.min(model.unet.numFrames, settingBounds.frames.max),
    steps: given.steps ?? 25,
    width: given.width ?? size.width,
    height: given.height ?? size.height,
    fps: given.fps ?? 7,
    motionBucket: given.motionBucket ?? 127,
    noiseAug: given.noiseAug ?? 0.02,
    minGuidance: given.minGuidance ?? 1,
    maxGuidance: given.maxGuidance ?? model.maxGuidance ?? 3,
    decodeChunk: given.decodeChunk ?? 4,
    seed: given.seed ?? 0,
  }
  checkSettings(settings, nameOf)
  return settings
}

function checkSide(where: string, value: number | undefined, step: number, least: number): void {
  if (value === undefined || (value % step === 0 && value >= least)) return
  const below = value - (value % step)
  throw new UsageError({
    where,
    what: value < least ? `${value} is too small for the model` : `${value} is not a multiple of ${step}`,
    hint: value < least ? String(least) : `${below} or ${below + step}`,
  })
}
