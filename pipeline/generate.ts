// A video from one picture: Stable Video Diffusion from the picture file's pixels to frames.
// Ported from huggingface/diffusers: pipelines/stable_video_diffusion/pipeline_stable_video_diffusion.py. What differs:
// an asynchronous generator of events; one network in memory at a time; optional motion masks; one video at a time.

import { openRuntime } from '../kernels/index.js'
import { openModelFolder, type ModelFolder } from '../models/svd/folder.js'
import { latentChannels } from '../models/svd/latents.js'
import { latentPixels } from '../models/svd/vae-config.js'
import type { Observer } from '../nn/index.js'
import { Tensor, UsageError, type Runtime } from '../tensor/index.js'
import type { RunParts } from './configuration.js'
import { startOf, type DenoiseInputs, type DenoisePoint } from './denoise.js'
import type { Picture } from './media/picture.js'
import { motionCondition, type PartMask } from '../models/svd/motion-condition.js'
import { planClips, type ClipOptions } from './long/clips.js'
import { checkNoise, drawNoise, type InjectedNoise } from './noise.js'
import { StageMemory, type FallbackEvent, type MemoryOptions } from './plan/memory.js'
import { previewSheet } from './preview.js'
import type { Checkpoint } from './resume.js'
import { readEulerConfig } from './schedulers/euler.js'
import { checkSettings, completeSettings, type GenerateSettings, videoModelOf } from './settings.js'
import { decodeFrames, denoiseVideo, encodeForContext, encodeForLatents, type StageContext } from './stages.js'

/** The parts of a run, in order; each has one network in memory. */
export type StageName = 'image encoder' | 'vae encoder' | 'unet' | 'vae decoder'

/** Where a run keeps what it has come to, so that another goes on from there. */
export interface CheckpointOptions {
  /** The file. One that is there must be of a run of the same configuration; that run is gone on with. */
  path: string
  /** It is written after each so many steps, after the last, and when the signal stops the run. Default: 1. */
  every?: number
}

/** What a video is made of, and who hears of it. */
export interface GenerateOptions extends Partial<GenerateSettings>, MemoryOptions {
  /** A diffusers folder of Stable Video Diffusion: its path, or the folder that `openModelFolder` has checked. */
  model: string | ModelFolder
  image: Picture
  /** The motion condition, one entry a frame. */
  masks?: readonly (PartMask | undefined)[]
  /** Cuts a video that is longer than the model can see into clips that grow together. Default: it is one clip. */
  clips?: ClipOptions
  /** Where to run; it stays open. By default one is opened, and closed at the end. */
  runtime?: Runtime
  /** Stops the run at the next step. */
  signal?: AbortSignal
  noise?: InjectedNoise
  /** Makes the run one that can be resumed. The file is removed when the loop goes on after `done`. */
  checkpoint?: CheckpointOptions
  /** Shows what the video is going to look like after each so many steps. Default: never. */
  preview?: number
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
  | FallbackEvent
  /** The run goes on where a checkpoint was made: `step` of `steps` are done. */
  | { type: 'resume'; step: number; steps: number }
  /** `step` of `steps` is done; `secondsLeft` are what the rest takes at the pace of those before. */
  | { type: 'step'; step: number; steps: number; seconds: number; secondsLeft: number }
  /** The checkpoint holds `step`. */
  | { type: 'checkpoint'; step: number; steps: number; path: string }
  /** All frames on one sheet, at the latents' size and roughly in colour. */
  | { type: 'preview'; step: number; steps: number; picture: Picture }
  /** `frame` of `frames` are decoded. */
  | { type: 'frames'; frame: number; frames: number }
  | { type: 'stage-end'; stage: StageName; seconds: number; peakBytes: number }
  | { type: 'done'; result: GenerateResult }

/** A video. */
export interface GenerateResult {
  frames: Picture[]
  settings: GenerateSettings
  /** Largest device memory of each stage, weights included; 0 of one that a checkpoint spared. */
  peakBytes: Readonly<Record<StageName, number>>
}

/**
 * Makes a video. Iterating does the work; leaving the loop stops it and releases everything. The last event holds the
 * result, which is also the generator's return value.
 *
 * @throws UsageError for settings that cannot be, and a checkpoint of another run; FileError for a broken model or
 *   checkpoint; NotFiniteError for a model that computes nonsense; OutOfMemoryError where taking less memory does not
 *   help; the signal's reason
 */
export async function* generate(options: GenerateOptions): AsyncGenerator<GenerateEvent, GenerateResult, undefined> {
  const { image, masks, clips, signal, onLoad, observe } = options
  checkSettings(options)
  for (const [where, every] of Object.entries({ checkpoint: options.checkpoint?.every, preview: options.preview }))
    checkEvery(where, every)
  checkImage(image)
  const model = typeof options.model === 'string' ? await openModelFolder(options.model) : options.model
  const settings = completeSettings(options, videoModelOf(model))
  const { frames, steps } = settings
  planClips(frames, clips) // refuses those that cannot be
  const scheduler = readEulerConfig(await model.openScheduler())
  const scale = latentPixels(model.vae.config)
  const [width, height] = [settings.width / scale, settings.height / scale]
  const condition = masks && motionCondition(masks, frames, width, height)
  const drawn = drawNoise(settings, scale)
  const noise = options.noise ?? drawn
  checkNoise(noise, settings, scale)

  const runtime = options.runtime ?? (await openRuntime({ maxBytes: options.maxMemory }))
  const peakBytes: Record<StageName, number> = { 'image encoder': 0, 'vae encoder': 0, unet: 0, 'vae decoder': 0 }
  let stage: StageName = 'image encoder'
  let startOfStage = 0
  const progress = (bytes: number, total: number) => onLoad?.({ stage, bytes, total })
  const context = { runtime, model, settings, signal, progress, observe }
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
  let memory: StageMemory
  const inStage = async function* <T>(
    name: StageName,
    work: (context: StageContext) => Promise<T> | AsyncGenerator<GenerateEvent, T>,
  ) {
    yield begin(name)
    const result = yield* memory.run(name, policy => work({ ...context, memory: policy }))
    yield end()
    return result
  }

  try {
    memory = await StageMemory.plan(model, settings, runtime, { ...options, motion: masks !== undefined })
    yield { type: 'start', settings, runtime: `${runtime.name} (${runtime.description})` }

    const parts = { model, scheduler, settings, image, masks, clips, noise: options.noise, runtime, memory: options }
    const checkpoint = await openCheckpoint(options, parts)
    const saved = checkpoint?.saved
    if (saved?.thrifty) memory.economize()
    if (saved) yield { type: 'resume', step: saved.step, steps }

    const embeddings =
      saved?.embeddings ?? (yield* inStage('image encoder', context => hostOf(encodeForContext(context, image))))
    const pictureLatents =
      saved?.pictureLatents ??
      (yield* inStage('vae encoder', context => hostOf(encodeForLatents(context, image, noise.augmentation))))
    using hidden = Tensor.from(runtime, embeddings, [1, 1, embeddings.length], 'f32', 'image_embeddings')
    using still = Tensor.from(runtime, pictureLatents, [1, latentChannels, height, width], 'f32', 'image_latents')

    const inputs = {
      embeddings: hidden,
      pictureLatents: still,
      condition,
      clips,
      scheduler,
      noise: noise.latents,
      resume: saved,
    }
    const save = (point: DenoisePoint) =>
      checkpoint?.save({ ...point, embeddings, pictureLatents, random: drawn.random, thrifty: memory.thrifty })
    const latents =
      saved?.step === steps
        ? saved.latents
        : yield* inStage('unet', context => denoised(context, inputs, options, save))
    using clean = Tensor.from(runtime, latents, [1, frames, latentChannels, height, width], 'f32', 'latents')
    const pictures = yield* inStage('vae decoder', context => decodeFrames(context, clean))

    const result: GenerateResult = { frames: pictures, settings, peakBytes }
    yield { type: 'done', result }
    await checkpoint?.remove()
    return result
  } finally {
    if (!options.runtime) await runtime.close()
  }
}

/** Denoises; tells of each step, keeps checkpoints and shows previews where they are due. Gives the last latents. */
async function* denoised(
  context: StageContext,
  inputs: DenoiseInputs,
  { preview = Infinity, checkpoint }: Pick<GenerateOptions, 'preview' | 'checkpoint'>,
  save: (point: DenoisePoint) => Promise<void> | undefined,
): AsyncGenerator<GenerateEvent, Float32Array, undefined> {
  const { signal } = context
  const [, , height, width] = inputs.pictureLatents.shape
  const pace = new Pace()
  let latents = startOf(inputs, context.settings.steps)
  for await (const { step, steps, seconds, sigma, next, latents: after } of denoiseVideo(context, inputs)) {
    yield { type: 'step', step, steps, seconds, secondsLeft: pace.secondsFor(steps - step, seconds) }
    if (step % preview === 0 && step < steps) {
      const picture = previewSheet({ before: latents, after, sigma, next }, width, height)
      yield { type: 'preview', step, steps, picture }
    }
    latents = after
    if (checkpoint && (step % (checkpoint.every ?? 1) === 0 || step === steps || signal?.aborted)) {
      await save({ step, latents })
      yield { type: 'checkpoint', step, steps, path: checkpoint.path }
    }
    signal?.throwIfAborted()
  }
  return latents
}

/** How fast steps go: the first of a run is left out as soon as there is another, for it also compiles and records. */
class Pace {
  #steps = 0
  #seconds = 0

  /** Seconds for so many steps, after one that took `seconds`. */
  secondsFor(steps: number, seconds: number): number {
    if (this.#steps++ === 1) this.#seconds = 0
    this.#seconds += seconds
    return (steps * this.#seconds) / Math.max(this.#steps - 1, 1)
  }
}

// Files and digests need Node, and are loaded only where they are asked for.
async function openCheckpoint(
  { checkpoint, signal }: GenerateOptions,
  parts: RunParts,
): Promise<Checkpoint | undefined> {
  if (!checkpoint) return undefined
  const { Checkpoint } = await import('./resume.js')
  const { configurationOf } = await import('./configuration.js')
  const { settings, model } = parts
  const frame = { settings, width: model.imageEncoder.config.projectionDim, scale: latentPixels(model.vae.config) }
  return Checkpoint.open(checkpoint.path, () => configurationOf(parts, signal), frame)
}

/** The elements on the host; the tensor is released. */
async function hostOf(made: Promise<Tensor>): Promise<Float32Array> {
  using tensor = await made
  return tensor.floats()
}

function checkEvery(where: string, every: number | undefined): void {
  if (every === undefined || (Number.isInteger(every) && every >= 1)) return
  throw new UsageError({ where, what: 'not a number of steps', expected: 'an integer from 1', got: String(every) })
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
