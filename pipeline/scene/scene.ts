// What a video shows, in 3D: who and what is in it, how it moves, and the camera that sees it. Made by extraction, mended
// by the motion prior, drawn as part masks.

import type { EntityMotion } from '../../models/pppm/encoding.js'
import type { EntityKind } from '../../models/pppm/kinds.js'
import { labelCount, type LabelMap } from '../../models/svd/picture.js'
import type { Camera } from '../render/camera.js'

/** A person, an animal or an object over all frames of a scene. */
export interface SceneEntity {
  /** Names it among those of the scene, the same over time: `human-1`, `object-2`. */
  readonly id: string
  readonly kind: EntityKind
  /** What it is, in a word: `person`, `dog`, `ball`. */
  readonly name: string
  /** Parameters in every frame; metres and radians in the world, y up, the floor at 0. */
  readonly motion: EntityMotion
  /** Coefficients of its body's shape; empty for objects and for the mean body. */
  readonly shape: Float32Array
  /** The part label of an object's pixels, 41 to 63; bodies have labels of their own. */
  readonly label?: number
  /** [T], 0..1: how much its parameters are trusted in each frame; 0 where it was not seen. */
  readonly confidence: Float32Array
}

/** Where depth came from: a network, or the place where things touch the ground. */
export const depthSources = ['network', 'ground contact'] as const
export type DepthSource = (typeof depthSources)[number]

/** The part label of the first object of a scene; the last one is 63. */
export const firstObjectLabel = 41

/** The same entities, objects without a label with the lowest that no other has, or the last one when all are taken. */
export function labelled<E extends Pick<SceneEntity, 'kind' | 'label'>>(entities: readonly E[]): E[] {
  const taken = new Set(entities.map(({ label }) => label))
  return entities.map(entity => {
    if (entity.kind !== 'object' || entity.label !== undefined) return entity
    let label = firstObjectLabel
    while (taken.has(label) && label < labelCount - 1) label++
    taken.add(label)
    return { ...entity, label }
  })
}

/** A video in 3D: T frames. */
export interface Scene {
  readonly width: number
  readonly height: number
  readonly frames: number
  readonly fps: number
  /** It stands still over all frames. */
  readonly camera: Camera
  readonly depth: DepthSource
  readonly entities: readonly SceneEntity[]
  /** What was seen, one label map a frame, at the video's size. */
  readonly masks?: readonly LabelMap[]
}
