// The motion prior on motions of any length: in windows of the length that it was trained on, which overlap and go over
// into each other; and further windows for what is to come after.

import { numbersOf, type EntityMotion } from '../../models/pppm/encoding.js'
import { bringToStrength } from '../../models/pppm/exaggerate.js'
import { spreadFrames } from '../../models/pppm/extend.js'
import type { EntityKind } from '../../models/pppm/kinds.js'
import type { PPPM } from '../../models/pppm/pppm.js'
import { refineScene, type RefineOptions } from '../../models/pppm/refine.js'
import { joinFloats, type Runtime } from '../../tensor/index.js'
import { hideMasked } from '../../train/pppm/perturb.js'
import { planClips } from '../long/clips.js'
import { between } from './retime.js'

/** The prior, and what it is told of every motion. */
export interface Prior extends Pick<RefineOptions, 'strength' | 'text'> {
  readonly runtime: Runtime
  readonly model: PPPM
}

/** What is known of the frames of a scene. */
export interface Evidence {
  /** [T]: 1 where a frame is known for certain and stays as it is. */
  readonly known: Float32Array
  /** [T] for each entity, 0..1: how much its frames are trusted. */
  readonly confidence: readonly Float32Array[]
}

// As `revision train pppm` has it by default, and how many frames two windows share.
const windowFrames = 64
const sharedFrames = 16
// A frame that is trusted less counts as missing, for the prior has learnt from frames that are there or are not.
const least = 0.2

/** Mends the motion of all entities of a scene over the same T frames. */
export async function mendMotion(
  prior: Prior,
  entities: readonly EntityMotion[],
  { known, confidence }: Evidence,
): Promise<EntityMotion[]> {
  const given = entities.map(({ kind, numbers }, i): EntityMotion => {
    const shown = numbers.slice()
    if (confidence[i].some(isTrusted)) hideMasked(shown, numbersOf(kind), trusted(confidence[i]))
    return { kind, numbers: shown }
  })
  const mended = entities.map(({ kind, numbers }): EntityMotion => ({ kind, numbers: numbers.slice() }))
  let made = 0
  for (const { first, end } of planClips(known.length, { frames: windowFrames, overlap: sharedFrames })) {
    const part = await refineAll(prior, cutAll(given, first, end), {
      known: known.subarray(first, end),
      confidence: confidence.map(values => trusted(values.subarray(first, end))),
    })
    mended.forEach((entity, i) => merge(entity, part[i], first, made))
    made = end
  }
  const { strength } = prior
  return strength === undefined ? mended : mended.map(motion => bringToStrength(motion, strength, known))
}

/** Carries motions on to so many frames: what was is known, and half a window comes behind it at a time. */
export async function carryOn(
  prior: Prior,
  entities: readonly EntityMotion[],
  frames: number,
): Promise<EntityMotion[]> {
  let made = [...entities]
  for (let count = framesOf(made[0]); count < frames;) {
    const before = Math.min(count, windowFrames / 2)
    const more = Math.min(windowFrames / 2, frames - count)
    const { entities: room, known } = spreadFrames(cutAll(made, count - before, count), before + more, false)
    const part = await refineAll(prior, room, { known, confidence: made.map(() => known) })
    made = made.map(({ kind, numbers }, i) => ({
      kind,
      numbers: joinFloats([numbers, part[i].numbers.subarray(before * numbersOf(kind))]),
    }))
    count += more
  }
  return made
}

/** Scenes of more entities of a kind than the prior can tell apart are mended in parts. */
async function refineAll(
  { runtime, model, strength, text }: Prior,
  entities: readonly EntityMotion[],
  { known, confidence }: Evidence,
): Promise<EntityMotion[]> {
  const counts: Record<EntityKind, number> = { human: 0, animal: 0, object: 0 }
  const parts = entities.map(({ kind }) => Math.floor(counts[kind]++ / model.config.maxEntities))
  const mended: EntityMotion[] = []
  for (let part = 0; part <= Math.max(0, ...parts); part++) {
    const places = parts.flatMap((own, i) => (own === part ? [i] : []))
    const made = await refineScene(
      runtime,
      model,
      places.map(i => entities[i]),
      { known, confidence: places.map(i => confidence[i]), strength, text },
    )
    places.forEach((place, i) => (mended[place] = made[i]))
  }
  return mended
}

/** Puts a window into its place from `first` on; over the frames that are `made` already it goes evenly in. */
function merge({ kind, numbers }: EntityMotion, window: EntityMotion, first: number, made: number): void {
  const width = numbersOf(kind)
  for (let i = 0; i < framesOf(window); i++) {
    const old = numbers.subarray((first + i) * width, (first + i + 1) * width)
    const fresh = window.numbers.subarray(i * width, (i + 1) * width)
    const share = first + i < made ? (i + 1) / (made - first + 1) : 1
    old.set(between(kind, old, fresh, share))
  }
}

function framesOf({ kind, numbers }: EntityMotion): number {
  return numbers.length / numbersOf(kind)
}

function cutAll(entities: readonly EntityMotion[], first: number, end: number): EntityMotion[] {
  return entities.map(({ kind, numbers }) => {
    const width = numbersOf(kind)
    return { kind, numbers: numbers.subarray(first * width, end * width) }
  })
}

const isTrusted = (confidence: number) => confidence >= least

function trusted(confidence: Float32Array): Float32Array {
  return confidence.map(value => Number(isTrusted(value)))
}
