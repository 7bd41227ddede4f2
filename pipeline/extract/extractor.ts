// Extraction: frames in, a scene out. The steps are interfaces, so that networks of any make can do them.

import type { EntityMotion } from '../../models/pppm/encoding.js'
import type { Picture } from '../../models/svd/picture.js'
import type { Camera } from '../render/camera.js'
import type { Scene } from '../scene/scene.js'
import type { Track } from './detection.js'

export interface ExtractOptions {
  /** Frames a second. Default: 7. */
  readonly fps?: number
  /** Where the frames were taken from, if that is known; else it is estimated. */
  readonly camera?: Camera
  readonly signal?: AbortSignal
  /** Told as the work goes on: the step, and how much of it is done, 0..1. */
  readonly onProgress?: (step: ExtractStep, done: number) => void
  /** Told of what was found and is not in the scene, and why. */
  readonly onLeftOut?: (track: Track, why: string) => void
}

export type ExtractStep = 'detect' | 'track' | 'depth' | 'fit'

/** Makes scenes out of videos. */
export interface Extractor {
  /**
   * The scene that frames of one size show; one without entities if nothing is found.
   * @throws UsageError for no frames or too many, or frames of different sizes
   */
  extract(frames: readonly Picture[], options?: ExtractOptions): Promise<Scene>
}

/** The depth of each pixel of a picture, row by row from the top. */
export interface DepthMap {
  readonly width: number
  readonly height: number
  /** [height x width] */
  readonly data: Float32Array
}

/** A network that sees depth. */
export interface DepthEstimator {
  /** Relative inverse depth at the picture's size: larger is nearer, up to an unknown scale and shift. */
  estimate(frame: Picture): Promise<DepthMap>
}

/** What is known of a video when bodies and objects are placed in it. */
export interface SceneView {
  readonly width: number
  readonly height: number
  readonly frames: number
  readonly fps: number
  readonly camera: Camera
  /** Metres along the camera's view, one map a frame, where a network told depth. */
  readonly depth?: readonly DepthMap[]
}

/** A body in the world, as `SceneEntity` holds it. */
export interface FittedBody {
  readonly motion: EntityMotion
  readonly shape: Float32Array
  readonly confidence: Float32Array
}

/** Turns the track of a person or an animal into a body that moves. */
export interface BodyFitter {
  /** A body over all frames, also those where it was not seen; undefined if too little was seen. */
  fit(track: Track, view: SceneView): Promise<FittedBody | undefined>
}
