// The settings of the three stages: the first makes a small video with few frames in few steps, the last the whole one.

import type { GenerateSettings } from '../settings.js'

/** The stages, in order: the coarse video, its motion, the video again. */
export const stageNames = ['s1', 's2', 's3'] as const
export type ReviseStage = (typeof stageNames)[number]

/** Seconds that the paper tells of each stage, for 32 frames on an A100 (ReVision, supplement). */
export const paperSeconds: Readonly<Record<ReviseStage, number>> = { s1: 8, s2: 5, s3: 36 }

// 32 steps instead of 50 (ReVision, supplement).
const stepsShare = 0.64
// Pixels: of a smaller side nothing could be seen.
const smallestSide = 64

export interface CoarseOptions {
  /** Frames of the final video that the coarse one shows: as many as the model can see at once. */
  readonly shown: number
  /** Size, frames and steps of the final video. */
  readonly full: boolean
  /** Pixels along a side for each latent, which sides are multiples of. */
  readonly step: number
}

/**
 * Settings of the coarse video: half of each side, but no side below 64 pixels; half of the frames, over the same
 * time; 0.64 of the steps.
 */
export function coarseSettings(final: GenerateSettings, { shown, full, step }: CoarseOptions): GenerateSettings {
  if (full) return { ...final, frames: shown }
  const { width, height, fps } = final
  const scale = Math.min(1, Math.max(0.5, smallestSide / Math.min(width, height)))
  const side = (length: number) => step * Math.round((length * scale) / step)
  const frames = Math.ceil(shown / 2)
  return {
    ...final,
    width: side(width),
    height: side(height),
    frames,
    steps: Math.max(1, Math.round(final.steps * stepsShare)),
    fps: Math.max(1, Math.round(shown > 1 ? (fps * (frames - 1)) / (shown - 1) : fps)),
  }
}
