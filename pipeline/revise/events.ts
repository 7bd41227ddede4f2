// What a run of the three stages is asked, what it tells while it works, and what comes of it.

import type { ModelFolder } from '../../models/svd/folder.js'
import type { Runtime } from '../../tensor/index.js'
import type { Sketch } from '../control/sketch.js'
import type { Extractor, ExtractOptions } from '../extract/extractor.js'
import type { GenerateEvent, GenerateOptions } from '../generate.js'
import type { LabelMap, Picture } from '../media/picture.js'
import type { Scene, SceneEntity } from '../scene/scene.js'
import type { GenerateSettings } from '../settings.js'
import type { GivenMotion } from './given.js'
import type { ReviseStage } from './settings.js'
import type { StageCost } from './stage-store.js'

/** The parts that a frame shows. */
export interface DrawnMask {
  readonly labels: LabelMap
  /** 0..1: how far they are where the motion is trusted to have them. */
  readonly confidence: number
}

/** What the second stage works with. */
export interface ReviseTools {
  /** Which tools these are, with all that decides what they see: runs go on only with the same. */
  readonly name: string
  /** Finds out what frames show. */
  openExtractor(runtime: Runtime): Promise<Extractor & Disposable>
  /** Draws the part labels of a scene, frame by frame. */
  drawMasks(runtime: Runtime, scene: Scene): AsyncIterable<DrawnMask>
  /** Draws labels over a picture of their size, for people to see. */
  drawOverlay(picture: Picture, labels: LabelMap): Picture
}

/** A text for the motion prior. */
export interface Prompt {
  readonly text: string
  /** The folder of CLIP's text tower; see `PromptEncoder`. */
  readonly encoder: string
}

/** What a video is made of in three stages, and where everything goes. */
export interface ReviseOptions
  extends
    Partial<GenerateSettings>,
    Pick<GenerateOptions, 'maxMemory' | 'lowMemory' | 'runtime' | 'signal' | 'onLoad'> {
  /** A diffusers folder of Stable Video Diffusion: its path, or the folder that `openModelFolder` has checked. */
  model: string | ModelFolder
  image: Picture
  /** The run's folder: each stage leaves what it made in a folder of its own there, and is not done again. */
  out: string
  tools: ReviseTools
  /** Weights of a motion prior, a file. Without them motions stay as they were seen. */
  pppm?: string
  /** A pose that the video is to come to. */
  sketch?: Sketch
  /** Takes the place of what would be seen in the first stage's video, which is not made. */
  motion?: GivenMotion
  /** Motion strength for the prior, 0..1; left to it when absent. */
  strength?: number
  prompt?: Prompt
  /** The first stage makes a video of full size, frames and steps. */
  fullCoarse?: boolean
  /** Stages to run; what they need of earlier ones must be there. Default: all. */
  stages?: readonly ReviseStage[]
  /** Frames that clips of a long video share at least. Default: a quarter of a clip. */
  overlap?: number
  onExtract?: ExtractOptions['onProgress']
}

/** What a stage took, and whether that was in an earlier run. */
export interface StageReport extends StageCost {
  readonly stage: ReviseStage
  readonly reused: boolean
}

/** What a run tells while it works. Between `part` and `part-end` are the events of the video that is made. */
export type ReviseEvent =
  | {
      type: 'revise'
      settings: GenerateSettings
      coarse: GenerateSettings
      stages: readonly ReviseStage[]
      runtime: string
    }
  | { type: 'part'; part: ReviseStage }
  | Exclude<GenerateEvent, { type: 'done' }>
  /** Something that whoever waits for the video should know. */
  | { type: 'notice'; message: string }
  /** Who and what was found, and in how many of the frames each. */
  | { type: 'seen'; frames: number; entities: readonly SeenEntity[]; depth: Scene['depth'] }
  /** So many parts of bodies and objects were brought to the target pose, and are so many pixels off on the average. */
  | { type: 'target'; parts: number; error: number }
  | ({ type: 'part-end'; folder: string } & StageReport)
  | { type: 'done'; result: ReviseResult }

export type SeenEntity = Pick<SceneEntity, 'id' | 'kind' | 'name'> & { readonly seen: number }

/** What came of it, as far as the stages went. */
export interface ReviseResult {
  /** The last video that was made. */
  readonly frames: readonly Picture[]
  /** Who and what moves in it. */
  readonly scene?: Scene
  readonly settings: GenerateSettings
  readonly stages: readonly StageReport[]
}
