// Whether a model does what ReVision promises, on rendered clips of motions that nothing was trained on: each is made
// again from its first picture alone, with a target pose, along its true motion, and along a motion that was seen in the
// first try and refined.

import type { ModelFolder } from '../../models/svd/folder.js'
import type { PartMask } from '../../models/svd/motion-condition.js'
import type { Picture } from '../../models/svd/picture.js'
import { UsageError, type Runtime } from '../../tensor/index.js'
import { targetPolygons } from '../../train/svd/polygons.js'
import { generate } from '../generate.js'
import { completeSettings, videoModelOf, type GenerateSettings } from '../settings.js'
import { meanMeasures, measure, type Measures, type Sight } from './measures.js'
import { readTruth, type Truth } from './truth.js'

/** What is made of each clip; `truth` is the clip itself, which tells how well the network sees. */
export const pocketCases = ['truth', 'image only', 'target pose', 'full motion', 'refined motion'] as const
export type PocketCase = (typeof pocketCases)[number]

export interface PocketOptions {
  readonly model: ModelFolder
  readonly runtime: Runtime
  /** Files of rendered clips. */
  readonly clips: readonly string[]
  /** Every so many-th picture of a clip is taken, as in training. Default: 1. */
  readonly stride?: number
  /** Settings of the videos; sizes are those of the clips. */
  readonly settings?: Partial<Omit<GenerateSettings, 'width' | 'height'>>
  /** Sees parts and joints in a picture. */
  readonly see: (picture: Picture) => Promise<Sight>
  /** Makes a video in three stages; without it that case is left out. */
  readonly refine?: (image: Picture, settings: GenerateSettings) => Promise<readonly Picture[]>
  readonly signal?: AbortSignal
}

/** A case over all clips. */
export interface PocketRow extends Measures {
  readonly case: PocketCase
}

export type PocketEvent =
  | { readonly type: 'start'; readonly settings: GenerateSettings; readonly clips: number }
  /** What was made of a clip, case by case. */
  | {
      readonly type: 'clip'
      readonly clip: number
      readonly clips: number
      readonly name: string
      readonly videos: PocketVideos
    }
  | { readonly type: 'done'; readonly rows: readonly PocketRow[]; readonly claims: PocketClaims }

export type PocketVideos = Readonly<Partial<Record<PocketCase, { frames: readonly Picture[]; measures: Measures }>>>

/** What ReVision promises, each held or not; undefined where that was not tried, or cannot be told. */
export interface PocketClaims {
  /** Parts are more where they are to be with the true motion than from the picture alone. */
  readonly followsMasks?: boolean
  /** Of seen and refined motion, compared with the picture alone: joints are nearer, pictures more alike. */
  readonly refinedJointsNearer?: boolean
  readonly refinedPicturesCloser?: boolean
  /** Picture alone, target pose, full motion: each better than the one before. */
  readonly orderOfSsim?: boolean
  readonly orderOfPsnr?: boolean
}

const confidence = { targetPose: 0.5, fullMotion: 1 }

/** Compares the cases, clip by clip. Throws a UsageError for videos of one frame; and as `generate`, `readTruth`. */
export async function* evaluatePocket(options: PocketOptions): AsyncGenerator<PocketEvent, void, undefined> {
  const { clips, model, stride = 1, signal } = options
  const frames = options.settings?.frames ?? model.unet.config.numFrames
  if (frames < 2)
    throw new UsageError({ where: 'frames', what: 'nothing to compare', expected: '2 or more', got: `${frames}` })
  const all = new Map<PocketCase, Measures[]>()
  for (const [i, path] of clips.entries()) {
    signal?.throwIfAborted()
    const truth = await readTruth(path, { frames, stride })
    const { width, height } = truth.frames[0]
    const settings = completeSettings({ ...options.settings, frames, width, height }, videoModelOf(model))
    if (i === 0) yield { type: 'start', settings, clips: clips.length }
    const videos: Partial<Record<PocketCase, { frames: readonly Picture[]; measures: Measures }>> = {}
    for (const name of pocketCases) {
      const made = await makeCase(name, truth, settings, options)
      if (!made) continue
      const sights: Sight[] = []
      for (const frame of made) sights.push(await options.see(frame))
      const measures = measure(made, sights, truth)
      videos[name] = { frames: made, measures }
      all.set(name, [...(all.get(name) ?? []), measures])
    }
    yield { type: 'clip', clip: i + 1, clips: clips.length, name: path, videos }
  }
  const rows = [...all].map(([name, list]): PocketRow => ({ case: name, ...meanMeasures(list) }))
  yield { type: 'done', rows, claims: claimsOf(rows) }
}

async function makeCase(
  name: PocketCase,
  truth: Truth,
  settings: GenerateSettings,
  { model, runtime, refine, signal }: PocketOptions,
): Promise<readonly Picture[] | undefined> {
  const [image] = truth.frames
  if (name === 'truth') return truth.frames
  if (name === 'refined motion') return refine?.(image, settings)
  const masks = masksOf(name, truth)
  for await (const event of generate({ ...settings, model, image, masks, runtime, signal }))
    if (event.type === 'done') return event.result.frames
  return undefined
}

function masksOf(name: PocketCase, { labels }: Truth): (PartMask | undefined)[] | undefined {
  if (name === 'full motion') return labels.map(map => ({ labels: map, confidence: confidence.fullMotion }))
  if (name !== 'target pose') return undefined
  const pose = targetPolygons(labels.at(-1)!)
  const mask = { labels: pose, region: pose, confidence: confidence.targetPose }
  return labels.map((_, frame) => (frame === labels.length - 1 ? mask : undefined))
}

function claimsOf(rows: readonly PocketRow[]): PocketClaims {
  const of = (name: PocketCase) => rows.find(row => row.case === name)
  const [alone, target, full] = [of('image only')!, of('target pose')!, of('full motion')!]
  const refined = of('refined motion')
  return {
    followsMasks: rising(alone.iou, full.iou),
    refinedJointsNearer: refined && rising(refined.joints, alone.joints),
    refinedPicturesCloser: refined && rising(alone.psnr, refined.psnr),
    orderOfSsim: rising(alone.ssim, target.ssim, full.ssim),
    orderOfPsnr: rising(alone.psnr, target.psnr, full.psnr),
  }
}

/** Whether each number is larger than the one before; undefined if one of them could not be told. */
function rising(...values: readonly number[]): boolean | undefined {
  if (values.some(Number.isNaN)) return undefined
  return values.every((value, i) => i === 0 || value > values[i - 1])
}
