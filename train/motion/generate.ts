// Motions out of nothing but a seed.

import type { EntityMotion } from '../../models/pppm/encoding.js'
import type { Generator } from '../../tensor/index.js'
import { drawGait, gaitKinds, type GaitKind } from './gaits.js'
import { drawObject, objectKinds, type ObjectKind } from './objects.js'

/** All that is made up: objects first, then gaits of animals. */
export const generatedKinds = [...objectKinds, ...gaitKinds] as const
export type GeneratedKind = (typeof generatedKinds)[number]

/** An object or an animal in motion, `motionFps` frames a second; the same random numbers give the same motion. */
export function generateMotion(kind: GeneratedKind, frames: number, random: Generator): EntityMotion {
  return (gaitKinds as readonly string[]).includes(kind)
    ? drawGait(kind as GaitKind, frames, random)
    : drawObject(kind as ObjectKind, frames, random)
}
