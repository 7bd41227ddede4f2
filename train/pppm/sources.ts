// Where the PPPM's clips come from: people out of takes, animals and objects out of generators.

import { gaitKinds } from '../motion/gaits.js'
import { generatedKinds, generateMotion, type GeneratedKind } from '../motion/generate.js'
import type { Motion } from '../motion/motion.js'
import { objectKinds, type ObjectKind } from '../motion/objects.js'
import { drawPerson } from './clips.js'
import type { ClipSource } from './sampler.js'

// What objects go through; animals do what their gaits are called.
const objectTexts: Readonly<Record<ObjectKind, string>> = {
  throw: 'a thrown object',
  bounce: 'a bouncing object',
  roll: 'a rolling object',
  slide: 'a sliding object',
  carry: 'a carried object',
}

/** A generated motion in words. */
function generatedText(kind: GeneratedKind): string {
  return objectTexts[kind as ObjectKind] ?? `an animal at a ${kind}`
}

/** All texts that clips may have. */
export function textsOf(takes: readonly Motion[]): string[] {
  const told = takes.flatMap(({ text }) => (text === undefined ? [] : [text]))
  return [...told, ...generatedKinds.map(generatedText)]
}

/** Clips of every kind of entity. People: errors as `drawPerson`. */
export function clipSource(takes: readonly Motion[]): ClipSource {
  return (kind, frames, random) => {
    if (kind === 'human') return drawPerson(takes, frames, random)
    const kinds = kind === 'animal' ? gaitKinds : objectKinds
    const chosen = kinds[random.randint(0, kinds.length, 1)[0]]
    return { ...generateMotion(chosen, frames, random), text: generatedText(chosen) }
  }
}
