// What all stages of a run share, and of which run each of them is.

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { openModelFolder, type ModelFolder } from '../../models/svd/folder.js'
import { latentPixels } from '../../models/svd/vae-config.js'
import { UsageError, type Runtime } from '../../tensor/index.js'
import { systemError } from '../../tensor/files/system-error.js'
import { clipsText, digest, modelDigest, pictureDigest, type Configuration } from '../configuration.js'
import { planClips, type Clip, type ClipOptions } from '../long/clips.js'
import { readEulerConfig } from '../schedulers/euler.js'
import { checkSettings, completeSettings, type GenerateSettings, videoModelOf } from '../settings.js'
import type { ReviseOptions } from './events.js'
import { framesShown, type GivenMotion } from './given.js'
import { coarseSettings, stageNames, type ReviseStage } from './settings.js'
import { StageStore } from './stage-store.js'

/** A run that nothing is wrong with, as far as can be told before its first stage. */
export interface ReviseRun {
  readonly options: ReviseOptions
  readonly model: ModelFolder
  readonly runtime: Runtime
  readonly store: StageStore
  /** Of the final video, and of the coarse one. */
  readonly settings: GenerateSettings
  readonly coarse: GenerateSettings
  /** Frames of the final video that the coarse one shows, or the given motion lasts for. */
  readonly shown: number
  readonly clips: ClipOptions | undefined
  readonly stages: readonly ReviseStage[]
  readonly configurations: Readonly<Record<ReviseStage, Configuration>>
}

/**
 * Checks what a run is asked and makes its folder.
 *
 * @throws UsageError for what cannot be, FileError for a model or prior that cannot be read
 */
export async function planRun(options: ReviseOptions, runtime: Runtime): Promise<ReviseRun> {
  const { motion, strength, overlap, fullCoarse: full = false } = options
  checkSettings(options)
  if (strength !== undefined && !(strength >= 0 && strength <= 1))
    throw new UsageError({ where: 'strength', what: 'out of range', expected: '0..1', got: String(strength) })
  const model = typeof options.model === 'string' ? await openModelFolder(options.model) : options.model
  const settings = completeSettings(options, videoModelOf(model))
  const { frames } = settings
  const most = model.unet.config.numFrames
  const clips = frames > most ? { frames: most, overlap } : undefined
  const cuts = planClips(frames, clips) // refuses those that cannot be
  const shown = motion ? framesShown(motion, settings) : Math.min(frames, most)
  if (shown < frames && !options.pppm)
    throw new UsageError({
      where: 'frames',
      what: motion ? 'the motion is shorter than the video' : 'more than the model makes at once',
      expected: `at most ${shown}, or a motion prior to carry the motion on`,
      got: String(frames),
    })
  const coarse = coarseSettings(settings, { shown, full, step: latentPixels(model.vae.config) })
  checkSettings(coarse)
  const configurations = await configurationsOf(options, { model, settings, coarse, cuts })
  const store = await StageStore.open(options.out)
  return { options, model, runtime, store, settings, coarse, shown, clips, stages: stagesOf(options), configurations }
}

/** The stages to run, in order. */
function stagesOf({ stages, motion }: ReviseOptions): ReviseStage[] {
  if (motion && stages?.includes('s1'))
    throw new UsageError({ where: 'stages', what: 'a given motion takes the place of s1', hint: 's2,s3' })
  const wanted = stages ?? (motion ? ['s2', 's3'] : stageNames)
  if (wanted.length === 0) throw new UsageError({ where: 'stages', what: 'none', expected: stageNames.join(', ') })
  return stageNames.filter(name => wanted.includes(name))
}

async function configurationsOf(
  { image, tools, pppm, sketch, motion, strength, prompt, signal }: ReviseOptions,
  {
    model,
    settings,
    coarse,
    cuts,
  }: Pick<ReviseRun, 'model' | 'settings' | 'coarse'> & { readonly cuts: readonly Clip[] },
): Promise<Record<ReviseStage, Configuration>> {
  const scheduler = readEulerConfig(await model.openScheduler())
  const of = {
    model: await modelDigest(model, scheduler, signal),
    image: pictureDigest(image),
    sketch: sketch ? digest(hash => hash.update(JSON.stringify(sketch.shapes))) : 'none',
  }
  // Of the picture a sketch may need to know what it shows.
  const s1 = { ...textsOf(coarse), ...of, tools: sketch ? tools.name : 'none' }
  const { frames, fps, width, height } = settings
  const s2 = {
    ...textsOf({ frames, fps, width, height }),
    ...of,
    tools: tools.name,
    motion: motion ? motionDigest(motion) : `of s1: ${digest(hash => hash.update(JSON.stringify(s1)))}`,
    prior: pppm === undefined ? 'none' : await fileDigest(pppm),
    strength: String(strength ?? 'of the prior'),
    prompt: prompt?.text ?? 'none',
    'text encoder': prompt?.encoder ?? 'none',
  }
  return { s1, s2, s3: { ...s2, ...textsOf(settings), clips: clipsText(cuts) } }
}

function textsOf(settings: Partial<GenerateSettings>): Configuration {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]))
}

/** The SHA-256 of all that moves. */
export function motionDigest(motion: GivenMotion): string {
  const isScene = 'camera' in motion
  return digest(hash => {
    if (isScene) hash.update(JSON.stringify([motion.fps, motion.width, motion.height, motion.camera]))
    for (const entity of isScene ? motion.entities : motion) {
      const { kind, numbers } = 'motion' in entity ? entity.motion : entity
      hash.update(kind).update(numbers)
      if ('motion' in entity) hash.update(`label ${entity.label}`).update(entity.shape).update(entity.confidence)
    }
  })
}

async function fileDigest(path: string): Promise<string> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array)
  } catch (cause) {
    throw systemError(path, 'the weights of the motion prior cannot be read', cause)
  }
  return hash.digest('hex')
}
