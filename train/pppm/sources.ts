// Where the PPPM's clips come from: people out of takes, animals and objects out of generators.

import { gaitKinds } from '../motion/gaits.js'
import { generateMotion } from '../motion/generate.js'
import type { Motion } from '../motion/motion.js'
import { objectKinds } from '../motion/objects.js'
import { drawPerson } from './clips.js'
import type { ClipSource } from './sampler.js'

/** Clips of every kind of entity. People: errors as `drawPerson`. */
export function clipSource(takes: readonly Motion[]): ClipSource {
  return (kind, frames, random) => {
    if (kind === 'human') return drawPerson(takes, frames, random)
    const kinds = kind === 'animal' ? gaitKinds : objectKinds
    return generateMotion(kinds[random.randint(0, kinds.length, 1)[0]], frames, random)
  }
}
