// What detectors see in the frames of a video, and whose it is over time.

import type { Vector } from '../../models/body/quaternion.js'
import type { EntityKind } from '../../models/pppm/kinds.js'
import type { LabelMap, Picture } from '../../models/svd/picture.js'
import type { KeypointName } from './keypoints.js'

/** A rectangle, in pixels from the top-left pixel's centre. */
export interface Box {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

/** A point of a body in a frame. */
export interface Keypoint {
  readonly name: KeypointName
  /** Pixels of the frame; may be outside of it. */
  readonly x: number
  readonly y: number
  /** 0..1: how sure it is. */
  readonly score: number
  /**
   * Where it is in space if the detector tells: metres from a point that is the same for all of the frame's keypoints,
   * x to the right of the picture, y down, z away from the camera.
   */
  readonly place?: Vector
}

/** A pose that a network guessed at once, for a fit to begin with. */
export interface PoseGuess {
  /** [24 x 3]: rotation vectors of SMPL's joints; the first is the root's, in camera axes (x right, y down, z forward). */
  readonly rotations: Float32Array
  /** [10]: SMPL's coefficients of shape. */
  readonly shape: Float32Array
}

/** Somebody or something in one frame. */
export interface Detection {
  readonly kind: EntityKind
  /** The class: `person`, `dog`, `sports ball`. */
  readonly name: string
  readonly box: Box
  /** 0..1 */
  readonly score: number
  /** Its pixels, those that are not 0, at the frame's size. */
  readonly mask?: LabelMap
  /** Empty for objects, and where no points were looked for. */
  readonly keypoints: readonly Keypoint[]
  readonly pose?: PoseGuess
}

/** Finds who and what is in a picture. */
export interface Detector {
  /** Told before the first frame of a video: for detectors that look where somebody was in the frame before. */
  begin?(): void
  /** Those found, in any order. Throws a FileError or UsageError if its network does not fit. */
  detect(frame: Picture): Promise<Detection[]>
}

/** The detections of one person, animal or object over time. */
export interface Track {
  /** As `SceneEntity.id`. */
  readonly id: string
  readonly kind: EntityKind
  readonly name: string
  /** One a frame; undefined where it was not seen. At least one is there. */
  readonly detections: readonly (Detection | undefined)[]
}
