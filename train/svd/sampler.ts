// What the UNet is shown of a clip: noise, a picture or none, a motion condition or none.

import { baseChannels, conditionChannels, latentChannels } from '../../models/svd/latents.js'
import { motionCondition, type PartMask } from '../../models/svd/motion-condition.js'
import type { LabelMap } from '../../models/svd/picture.js'
import type { Generator } from '../../tensor/index.js'
import { drawLevel, noised, toldLevel } from './edm.js'
import type { EncodedClip } from './encode.js'
import { randomPolygons } from './polygons.js'

// Shares as ReVision has them; of the rest of the clips nothing is said.
const odds = { fullMasks: 0.4, polygons: 0.3, noPicture: 0.1 }
const confidence = { fullMasks: 1, polygons: 0.5 }

/** Sizes of a clip's latents. */
export interface VideoSize {
  readonly frames: number
  readonly width: number
  readonly height: number
}

/** A video to learn from. */
export interface Sample {
  /** [F,10,h,w]: noisy latents times c_in, the picture's, the motion condition. */
  readonly input: Float32Array
  /** [F,4,h,w]: what is to be predicted. */
  readonly target: Float32Array
  /** [D] */
  readonly embedding: Float32Array
  /** What the UNet is told of the noise level. */
  readonly timestep: number
  /** Of the noise in the picture. */
  readonly strength: number
}

/** Draws a sample of a clip; the same random numbers give the same. */
export function drawSample(clip: EncodedClip, { frames, width, height }: VideoSize, random: Generator): Sample {
  const area = width * height
  const size = latentChannels * area
  const sigma = drawLevel(random)
  const { input: noisy, target } = noised(clip.latents, random.randn(clip.latents.length), sigma)
  const version = random.randint(0, clip.strengths.length, 1)[0]
  const [blank, said] = random.rand(2)
  // Without its picture a video is made as guidance makes it: zeros everywhere.
  const shown = blank >= odds.noPicture
  const picture = clip.pictures.subarray(version * size, (version + 1) * size)
  const condition = motionCondition(drawMasks(clip, { frames, width, height }, said, random), frames, width, height)
  const channels = baseChannels + conditionChannels
  const input = new Float32Array(frames * channels * area)
  for (let frame = 0; frame < frames; frame++) {
    const at = frame * channels * area
    input.set(noisy.subarray(frame * size, (frame + 1) * size), at)
    if (shown) input.set(picture, at + size)
    const motion = conditionChannels * area
    input.set(condition.subarray(frame * motion, (frame + 1) * motion), at + baseChannels * area)
  }
  return {
    input,
    target,
    embedding: shown ? clip.embedding : new Float32Array(clip.embedding.length),
    timestep: toldLevel(sigma),
    strength: clip.strengths[version],
  }
}

/** The whole motion, a target pose or nothing, by a number in 0..1. */
function drawMasks(
  { labels }: EncodedClip,
  { frames, width, height }: VideoSize,
  said: number,
  random: Generator,
): (PartMask | undefined)[] {
  const none = new Array<PartMask | undefined>(frames).fill(undefined)
  if (!labels || said >= odds.fullMasks + odds.polygons) return none
  const mapOf = (frame: number): LabelMap => {
    const area = width * height
    return { width, height, data: labels.subarray(frame * area, (frame + 1) * area) }
  }
  if (said < odds.fullMasks) return none.map((_, frame) => ({ labels: mapOf(frame), confidence: confidence.fullMasks }))
  const pose = randomPolygons(mapOf(frames - 1), random)
  return none.with(-1, { labels: pose, region: pose, confidence: confidence.polygons })
}
