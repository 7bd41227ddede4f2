// What happens in a clip, before it is drawn: plain data, so that it can be handed to another thread.

import type { EntityMotion } from '../../models/pppm/encoding.js'
import type { Camera } from '../render/camera.js'
import type { AnimalLook, ObjectLook, PersonLook } from './looks.js'
import type { Scenery } from './scenery.js'
import type { SolidKind } from './solids.js'

/** Who or what acts. */
export type Actor =
  | { readonly kind: 'human'; readonly motion: EntityMotion; readonly shape: Float32Array; readonly look: PersonLook }
  | { readonly kind: 'animal'; readonly motion: EntityMotion; readonly shape: Float32Array; readonly look: AnimalLook }
  | {
      readonly kind: 'object'
      readonly motion: EntityMotion
      readonly solid: SolidKind
      /** The third side over the second. */
      readonly breadth: number
      readonly look: ObjectLook
      /** The part label of its pixels. */
      readonly label: number
    }

/** Sizes that all clips of a data set share. */
export interface ClipFormat {
  /** Pictures of a clip. */
  readonly frames: number
  /** Pixels, of both sides. */
  readonly size: number
}

export interface ClipScript extends ClipFormat {
  readonly index: number
  readonly seed: number
  /** Motions have `motionFps` frames a second; every so many-th is shown. They have (frames - 1) stride + 1. */
  readonly stride: number
  readonly camera: Camera
  readonly scenery: Scenery
  readonly actors: readonly Actor[]
  readonly caption: string
  /** Names of the captured motions, and of the kinds of made-up ones. */
  readonly sources: readonly string[]
}
