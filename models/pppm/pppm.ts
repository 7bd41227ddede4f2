// The Parameterized Physical Prior Model (ReVision, section 3.3): a transformer that turns a broken sequence of 3D
// parameters into a natural one. Tokens are frames times entities; what comes out is what went in and a correction.
// Beyond the paper: of each frame that is given the network tells when it belongs, how sharply and with what weight;
// the frames of the result are means of those, and of each it is told how much it is corrected. So frames in the wrong
// order find their places whole, however narrow tokens are, and frames that are right stay what they are.

import { cat, expand, mix, slice } from '../../kernels/index.js'
import {
  into,
  LayerNorm,
  Linear,
  loadWeights,
  timestepEmbedding,
  TimestepEmbedding,
  Weights,
  type LoadOptions,
  type Parameter,
} from '../../nn/index.js'
import type { TensorFile } from '../../tensor/files/index.js'
import { sameShape, scope as release, ShapeError, showShape, Tensor, type Runtime } from '../../tensor/index.js'
import type { PPPMConfig } from './config.js'
import { EntityPort, type Mended } from './entity-port.js'
import { entityKinds, featuresOf, type EntityKind } from './kinds.js'
import { PPPMBlock, type RotaryTable } from './layers.js'

/** Tensors for those kinds of entities that a scene has. */
export type ByKind<T> = { readonly [K in EntityKind]?: T }

/** What a motion is to be like. */
export interface PPPMConditions {
  /** Motion strengths, [B, `strengthWidth`], from `strengthFeatures`. */
  readonly strength: Tensor
  /** [B, M, textChannels]: tokens of a text encoder; without, the learned token for no text. */
  readonly text?: Tensor
  /** [B, 1, 1]: 0 where a scene of the batch has no text after all. Default: all have. */
  readonly hasText?: Tensor
}

// Strengths lie in 0..1; spread so, neighbouring ones have sinusoids that differ.
const strengthScale = 1000
const strengthSinusoids = 64

/** Numbers that a motion strength is told by: its sinusoids, and whether it is given. */
export const strengthWidth = strengthSinusoids + 1

/** Motion strengths, 0..1, undefined where they are left to the model, for the network: [B x `strengthWidth`]. */
export function strengthFeatures(strengths: readonly (number | undefined)[]): Float32Array {
  const waves = timestepEmbedding(
    strengths.map(strength => strengthScale * (strength ?? 0)),
    strengthSinusoids,
  )
  return Float32Array.from(
    strengths.flatMap((strength, row) => [
      ...waves.subarray(row * strengthSinusoids, (row + 1) * strengthSinusoids),
      strength === undefined ? 0 : 1,
    ]),
  )
}

/** The PPPM, its weights in a `Weights`. */
export class PPPM {
  readonly weights = new Weights()
  readonly kinds: Readonly<Record<EntityKind, EntityPort>>
  readonly place_proj: Linear
  readonly text_proj: Linear
  readonly strength_embedding: TimestepEmbedding
  /** [2, D]: the conditions that stand for no text and no strength. */
  readonly unconditional: Parameter
  readonly blocks: readonly PPPMBlock[]
  readonly norm_out: LayerNorm

  constructor(readonly config: PPPMConfig) {
    const scope = this.weights.scope()
    const { width, layers, textChannels } = config
    const port = (kind: EntityKind) => new EntityPort(scope.at('kinds', kind), kind, config)
    this.kinds = { human: port('human'), animal: port('animal'), object: port('object') }
    this.place_proj = new Linear(scope.at('place_proj'), 2 * placeSinusoids, width, { bias: false })
    this.text_proj = new Linear(scope.at('text_proj'), textChannels, width)
    this.strength_embedding = new TimestepEmbedding(scope.at('strength_embedding'), strengthSinusoids, width)
    this.unconditional = scope.parameter('unconditional', [2, width], { dtype: 'f32' })
    this.blocks = Array.from({ length: layers }, (_, i) => new PPPMBlock(scope.at('blocks', i), config))
    this.norm_out = new LayerNorm(scope.at('norm_out'), width)
  }

  /** Builds the model and loads all its weights. Errors: those of loadWeights. */
  static async load(runtime: Runtime, file: TensorFile, config: PPPMConfig, options?: LoadOptions): Promise<PPPM> {
    const model = new PPPM(config)
    await loadWeights(runtime, model.weights, file, options)
    return model
  }

  /**
   * Mended parameters for every kind of entity: features [B,E,T,F] (`featuresOf`) to [B,E,T,R] (`parametersOf`), and
   * when the given frames belong. All kinds have the same B and T. Throws a ShapeError when operands do not fit.
   */
  forward(features: ByKind<Tensor>, conditions: PPPMConditions): ByKind<Mended> {
    const present = entityKinds.filter(kind => features[kind])
    this.#check(features, present, conditions)
    const [, , frames] = features[present[0]]!.shape
    return release(() => {
      const entities = present.map(kind => features[kind]!.shape[1])
      const places = this.#places(conditions.strength.runtime, frames) // [T,D]
      const tokens = present.map(kind => this.kinds[kind].enter(features[kind]!, places))
      const context = this.#context(conditions) // [B,M,D]
      const total = entities.reduce((sum, n) => sum + n, 0)
      const table = this.#table(tokens[0].runtime, total, frames)
      let h = tokens.length === 1 ? tokens[0] : cat(tokens, 1) // [B,E T,D], E of all kinds
      for (const block of this.blocks) h = into(h, h => block.forward(h, context, table))
      const normed = into(h, h => this.norm_out.forward(h))
      let start = 0
      const outputs = present.map((kind, i): [EntityKind, Mended] => {
        const end = start + entities[i] * frames
        const own = present.length === 1 ? normed : slice(normed, 1, start, end)
        start = end
        return [kind, this.kinds[kind].leave(own, features[kind]!)]
      })
      return Object.fromEntries(outputs)
    })
  }

  /** Releases the weights. */
  dispose(): void {
    this.weights.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** What the entities are told, [B,M,D]: the strength, then the text. */
  #context({ text, hasText, strength }: PPPMConditions): Tensor {
    const [batch] = strength.shape
    const { width, textTokens = 1 } = this.config
    const embedded = this.strength_embedding.forward(slice(strength, 1, 0, strengthSinusoids)) // [B,D]
    const given = slice(strength, 1, strengthSinusoids, strengthWidth) // [B,1]
    const silent = (row: number) => slice(this.unconditional.value, 0, row, row + 1) // [1,D]
    const strengths = mix(embedded, silent(1), given).reshape([batch, 1, width])
    const noText = silent(0).reshape([1, 1, width])
    if (!text) return cat([strengths, expand(noText, [batch, textTokens, width])], 1)
    const told = this.text_proj.forward(text) // [B,M,D]
    return cat([strengths, hasText ? mix(told, noText, hasText) : told], 1)
  }

  /** How far each frame is from the first and from the last, for tokens: [T,D]. */
  #places(runtime: Runtime, frames: number): Tensor {
    const sinusoids = (placeOf: (frame: number) => number) => {
      const places = Array.from({ length: frames }, (_, frame) => placeOf(frame))
      const waves = timestepEmbedding(places, placeSinusoids, { maxPeriod: longestPeriod })
      return Tensor.from(runtime, waves, [frames, placeSinusoids])
    }
    return this.place_proj.forward(cat([sinusoids(frame => frame), sinusoids(frame => frames - 1 - frame)], 1))
  }

  /** The angles of every token: those of its frame, the same for all entities. */
  #table(runtime: Runtime, entities: number, frames: number): RotaryTable {
    const pairs = this.config.width / this.config.heads / 2
    const angles = Float32Array.from({ length: entities * frames * pairs }, (_, i) => {
      const frame = Math.floor(i / pairs) % frames
      return frame * longestPeriod ** (-(i % pairs) / pairs)
    })
    const table = (f: (angle: number) => number) => Tensor.from(runtime, angles.map(f), [entities * frames, pairs])
    return { cos: table(Math.cos), sin: table(Math.sin) }
  }

  #check(features: ByKind<Tensor>, present: readonly EntityKind[], conditions: PPPMConditions): void {
    const { text, hasText, strength } = conditions
    const check = (ok: boolean, what: string, expected: string, got: string): void => {
      if (!ok) throw new ShapeError({ where: 'PPPM', what, expected, got })
    }
    check(present.length > 0, 'no entities', 'features of one kind or more', 'none')
    const [batch, , frames] = features[present[0]]!.shape
    const { maxEntities, textChannels, textTokens } = this.config
    for (const kind of present) {
      const { shape } = features[kind]!
      const fits = shape.length === 4 && shape[0] === batch && shape[2] === frames && shape[3] === featuresOf(kind)
      const goal = `[${batch}, E, ${frames}, ${featuresOf(kind)}] with E in 1..${maxEntities}`
      check(
        fits && frames > 0 && shape[1] >= 1 && shape[1] <= maxEntities,
        `${kind} does not fit`,
        goal,
        showShape(shape),
      )
    }
    const goal = [batch, strengthWidth]
    check(sameShape(strength.shape, goal), 'strength does not fit', showShape(goal), showShape(strength.shape))
    if (!text) return
    const told = [batch, textTokens ?? text.shape[1], textChannels]
    check(sameShape(text.shape, told), 'text does not fit', showShape(told), showShape(text.shape))
    const flags = hasText?.shape ?? [batch, 1, 1]
    check(sameShape(flags, [batch, 1, 1]), 'hasText does not fit', showShape([batch, 1, 1]), showShape(flags))
  }
}

// In frames, divided by 2 pi: motions are hundreds of frames long at most.
const longestPeriod = 1000
// Numbers that tell how far a frame is from an end.
const placeSinusoids = 32
