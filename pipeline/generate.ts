// A video from one picture: Stable Video Diffusion from the picture file's pixels to frames.
// Ported from huggingface/diffusers: pipelines/stable_video_diffusion/pipeline_stable_video_diffusion.py. What differs:
// an asynchronous generator of events; one network in memory at a time; optional motion masks; one video at a time.

import { openRuntime } from '../kernels/index.js'
import { openModelFolder, type ModelFolder } from '../models/svd/folder.js'
import { LATENT_CHANNELS, LATENT_PIXELS } from '../models/svd/latents.js'
import type { Observer } from '../nn/index.js'
import { Generator, UsageError, type Runtime } from '../tensor/index.js'
import type { Picture } from './media/picture.js'
import { motionCondition, type PartMask } from './motion-condition.js'
import { readEulerConfig } from './schedulers/euler.js'
import { checkSettings, completeSettings, type GenerateSettings } from './settings.js'
import { decodeFrames, denoiseVideo, encodeForContext, encodeForLatents, type StageContext } from './stages.js'

/** The parts of a run, in order; each has one network in memory. */
export type StageName = 'image encoder' | 'vae encoder' | 'unet' | 'vae decoder'

/** Standard normal numbers in the place of those that the seed gives. */
export interface InjectedNoise {
  /** [3, height, width], put on the picture with strength noiseAug. */
  augmentation: Float32Array
  /** [frames, 4, height / 8, width / 8], which the video grows out of. */
  latents: Float32Array
}

export interface GenerateOptions extends Partial<GenerateSettings> {
  /** A diffusers folder of Stable Video Diffusion: its path, or the folder that `openModelFolder` has checked. */
  model: string | ModelFolder
  image: Picture
  /** The motion condition, one entry a frame. */
  masks?: readonly (PartMask | undefined)[]
  /** Where to run; it stays open. By default one is opened, and closed at the end. */
  runtime?: Runtime
  /** Stops the run at the next step. */
  signal?: AbortSignal
  noise?: InjectedNoise
  /** Hears how far the weights of a stage are loaded. */
  onLoad?: (load: LoadProgress) => void
  /** Sees the tensors that pass between the stages, under the names of diffusers' variables. */
  observe?: Observer
}

/** `bytes` of `total` are loaded. */
export interface LoadProgress {
  stage: StageName
  bytes: number
  total: number
}

/** What a run tells while it works. */
export type GenerateEvent =
  | { type: 'start'; settings: GenerateSettings; runtime: string }
  | { type: 'stage'; stage: StageName }
  /** `step` of `steps` is done. */
  | { type: 'step'; step: number; steps: number; seconds: number }
  /** `frame` of `frames` are decoded. */
  | { type: 'frames'; frame: number; frames: number }
  | { type: 'stage-end'; stage: StageName; seconds: number; peakBytes: number }
  | { type: 'done'; result: GenerateResult }

export interface GenerateResult {
  frames: Picture[]
  settings: GenerateSettings
  /** Largest device memory of each stage, weights included. */
  peakBytes: Readonly<Record<StageName, number>>
}

/**
 * Makes a video. Iterating does the work; leaving the loop stops it and releases everything. The last event holds the
 * result, which is also the generator's return value.
 *
 * @throws UsageError for settings that cannot be; FileError for a broken model; NotFiniteError for one that computes
 *   nonsense; OutOfMemoryError; the signal's reason
 */
export async function* generate(options: GenerateOptions): AsyncGenerator<GenerateEvent, GenerateResult, undefined> {
  const { image, masks, signal, onLoad, observe } = options
  checkSettings(options)
  checkImage(image)
  const model = typeof options.model === 'string' ? await openModelFolder(options.model) : options.model
  const settings = completeSettings(options, model.unet.config)
  const { frames, height, width } = settings
  const scheduler = await readEulerConfig(model.scheduler)
  const latentSize = { width: width / LATENT_PIXELS, height: height / LATENT_PIXELS }
  const condition = masks && motionCondition(masks, frames, latentSize.width, latentSize.height)
  const noise = options.noise ?? drawNoise(settings)
  checkNoise(noise, settings)

  const runtime = options.runtime ?? (await openRuntime())
  const peakBytes: Record<StageName, number> = { 'image encoder': 0, 'vae encoder': 0, unet: 0, 'vae decoder': 0 }
  let stage: StageName = 'image encoder'
  let startOfStage = 0
  const progress = (bytes: number, total: number) => onLoad?.({ stage, bytes, total })
  const context: StageContext = { runtime, model, settings, signal, progress, observe }
  const begin = (next: StageName): GenerateEvent => {
    signal?.throwIfAborted()
    runtime.resetPeak()
    startOfStage = performance.now()
    stage = next
    return { type: 'stage', stage }
  }
  const end = (): GenerateEvent => {
    peakBytes[stage] = runtime.statistics().peak
    // The weights are released, and the next network has use for other sizes.
    runtime.trim()
    return { type: 'stage-end', stage, seconds: (performance.now() - startOfStage) / 1000, peakBytes: peakBytes[stage] }
  }

  try {
    yield { type: 'start', settings, runtime: `${runtime.name} (${runtime.description})` }

    yield begin('image encoder')
    using embeddings = await encodeForContext(context, image)
    yield end()

    yield begin('vae encoder')
    using pictureLatents = await encodeForLatents(context, image, noise.augmentation)
    yield end()

    yield begin('unet')
    const inputs = { embeddings, pictureLatents, condition, scheduler, noise: noise.latents }
    using latents = yield* denoiseVideo(context, inputs)
    yield end()

    yield begin('vae decoder')
    const pictures = yield* decodeFrames(context, latents)
    yield end()

    const result: GenerateResult = { frames: pictures, settings, peakBytes }
    yield { type: 'done', result }
    return result
  } finally {
    if (!options.runtime) await runtime.close()
  }
}

function checkImage({ data, width, height }: Picture): void {
  if (!(width >= 1 && height >= 1 && data.length === width * height * 3))
    throw new UsageError({
      where: 'image',
      what: 'not a picture',
      expected: `${width} x ${height} x 3 bytes`,
      got: String(data.length),
    })
}

/** Numbers in the order in which diffusers draws them from one generator on the CPU. */
function drawNoise({ seed, frames, height, width }: GenerateSettings): InjectedNoise {
  const generator = new Generator(seed)
  const augmentation = generator.randn(3 * height * width)
  return { augmentation, latents: generator.randn((frames * LATENT_CHANNELS * height * width) / LATENT_PIXELS ** 2) }
}

function checkNoise({ augmentation, latents }: InjectedNoise, { frames, height, width }: GenerateSettings): void {
  const lengths = [3 * height * width, (frames * LATENT_CHANNELS * height * width) / LATENT_PIXELS ** 2]
  if (augmentation.length === lengths[0] && latents.length === lengths[1]) return
  throw new UsageError({
    where: 'noise',
    what: 'does not fit the video',
    expected: `${lengths[0]} and ${lengths[1]} numbers`,
    got: `${augmentation.length} and ${latents.length}`,
  })
}
