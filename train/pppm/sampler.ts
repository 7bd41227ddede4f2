// Batches for training the PPPM: scenes of broken entities beside the true ones.

import type { Generator } from '../../tensor/index.js'
import { encodeEntity, entityFeatures, viewpointOf, type EntityMotion } from '../../models/pppm/encoding.js'
import { entityKinds, featuresOf, parametersOf, type EntityKind } from '../../models/pppm/kinds.js'
import type { ByKind } from '../../models/pppm/pppm.js'
import { motionStrength } from '../../models/pppm/strength.js'
import type { Clip } from './clips.js'
import { standingFeet } from './metrics.js'
import { perturb, randomWays, type Broken, type Perturbation } from './perturb.js'

/** How many entities of each kind a scene has, and over how many frames. */
export interface Composition {
  readonly counts: ByKind<number>
  readonly frames: number
}

/** Gives a clip of some frames of an entity of a kind. */
export type ClipSource = (kind: EntityKind, frames: number, random: Generator) => Clip

/** Entities of one kind in a batch. */
export interface KindBatch {
  /** [B,E,T,F]: what the network is given. */
  readonly features: Float32Array
  /** [B,E,T,R]: broken parameters, and the true ones. */
  readonly broken: Float32Array
  readonly truth: Float32Array
  /** [B,E,T,1]: 1 where a frame may be changed. */
  readonly free: Float32Array
  /** [B,E,T,2]: 1 where the left and the right foot of a person stand. */
  readonly standing: Float32Array
  /** [B,E,T]: the frame that each given frame belongs to. */
  readonly times: Float32Array
  /** [B,E,T]: 1 where a frame is given at all. */
  readonly given: Float32Array
  /** [B,E,T], 0..1: how much it counts where an entity truly was. */
  readonly weight: Float32Array
}

/** Broken scenes, with what is true of them. */
export interface Batch {
  readonly kinds: ByKind<KindBatch>
  /** One a scene; undefined where it is not told. */
  readonly strengths: readonly (number | undefined)[]
  /** One a scene: that of the first entity which has one. */
  readonly texts: readonly (string | undefined)[]
}

// Shares of the scenes whose first and last frame are known and whose strength is told. Of the entities: in how many
// frames are hidden; in how many of these all others are certain; and how many of the rest are not broken otherwise.
const odds = { clean: 0.15, hidden: 0.3, certain: 0.5, firstKnown: 0.5, lastKnown: 0.3, strengthTold: 0.8 }
// How often frames are hidden in which way.
const hidings: readonly Perturbation[] = ['mask', 'mask', 'sparse', 'journey', 'journey', 'journey']
// How much the truth counts in a journey's hidden frames: there are many ways to a target pose.
const openness = 0.2

/** Draws a batch of scenes; the same random numbers give the same batch. */
export function drawBatch(source: ClipSource, { counts, frames }: Composition, size: number, random: Generator): Batch {
  const chance = (share: number) => random.rand(1)[0] < share
  const present = entityKinds.filter(kind => counts[kind])
  const kinds = Object.fromEntries(
    present.map(kind => [kind, emptyBatch(kind, size * counts[kind]! * frames)]),
  ) as Partial<Record<EntityKind, KindBatch>>
  const strengths: (number | undefined)[] = []
  const texts: (string | undefined)[] = []
  for (let scene = 0; scene < size; scene++) {
    const known = new Float32Array(frames)
    if (chance(odds.firstKnown)) known[0] = 1
    if (chance(odds.lastKnown)) known[frames - 1] = 1
    const entities = present.flatMap(kind =>
      Array.from({ length: counts[kind]! }, (_, i) => {
        const clean = source(kind, frames, random)
        return { kind, at: scene * counts[kind]! + i, clean, ...breakClip(clean, known, random) }
      }),
    )
    // Everything is seen from behind the first entity as it comes, for that is all there is when the model is used.
    const view = viewpointOf(entities[0].broken.entity)
    for (const { kind, at, clean, broken, weight } of entities) {
      const [width, size] = [featuresOf(kind), parametersOf(kind)]
      const { features, broken: found, truth, free, standing, times, given, weight: weights } = kinds[kind]!
      const parameters = encodeEntity(broken.entity, view)
      features.set(entityFeatures(kind, parameters, broken.known, broken.confidence), at * frames * width)
      found.set(parameters, at * frames * size)
      truth.set(encodeEntity(clean, view), at * frames * size)
      free.set(
        broken.known.map(known => 1 - known),
        at * frames,
      )
      times.set(broken.times, at * frames)
      weights.set(weight, at * frames)
      given.set(
        broken.confidence.map(confidence => (confidence > 0 ? 1 : 0)),
        at * frames,
      )
      if (kind === 'human') standing.set(standingFeet(clean.numbers), at * frames * 2)
    }
    const mean = entities.reduce((sum, { clean }) => sum + motionStrength(clean), 0) / entities.length
    strengths.push(chance(odds.strengthTold) ? mean : undefined)
    texts.push(entities.find(({ clean }) => clean.text !== undefined)?.clean.text)
  }
  return { kinds, strengths, texts }
}

/** Breaks a clip as training does; where frames are hidden, the others may be certain, as when a motion is extended. */
function breakClip(
  clean: EntityMotion,
  known: Float32Array,
  random: Generator,
): { broken: Broken; weight: Float32Array } {
  const chance = (share: number) => random.rand(1)[0] < share
  const hiding = chance(odds.hidden) ? [hidings[random.randint(0, hidings.length, 1)[0]]] : []
  const isCertain = hiding.length > 0 && chance(odds.certain)
  const ways = isCertain || chance(odds.clean) ? hiding : [...randomWays(random), ...hiding]
  const broken = perturb(clean, ways, random, known)
  const isOpen = hiding.includes('journey')
  return {
    broken: isCertain ? { ...broken, known: broken.confidence } : broken,
    weight: broken.confidence.map(confidence => (isOpen && confidence === 0 ? openness : 1)),
  }
}

function emptyBatch(kind: EntityKind, rows: number): KindBatch {
  return {
    features: new Float32Array(rows * featuresOf(kind)),
    broken: new Float32Array(rows * parametersOf(kind)),
    truth: new Float32Array(rows * parametersOf(kind)),
    free: new Float32Array(rows),
    standing: new Float32Array(rows * 2),
    times: new Float32Array(rows),
    given: new Float32Array(rows),
    weight: new Float32Array(rows),
  }
}
