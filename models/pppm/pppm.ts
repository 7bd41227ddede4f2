// The Parameterized Physical Prior Model (ReVision, section 3.3): a transformer that turns a broken sequence of 3D
// parameters into a natural one. Tokens are frames times entities; what comes out is what went in and a correction.
// Beyond the paper: before it is corrected, each frame may be taken from others, by a last attention whose values are
// the parameters themselves. So frames in the wrong order find their places whole, however narrow tokens are.

import { add, attention, cat, expand, mix, rotary, slice } from '../../kernels/index.js'
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
  type WeightScope,
} from '../../nn/index.js'
import type { TensorFile } from '../../tensor/files/index.js'
import { sameShape, scope as release, ShapeError, showShape, Tensor, type Runtime } from '../../tensor/index.js'
import type { PPPMConfig } from './config.js'
import { entityKinds, featuresOf, parametersOf, type EntityKind } from './kinds.js'
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

/** The way in and out of the transformer for one kind of entity. */
class EntityPort {
  readonly proj_in: Linear
  readonly take_q: Linear
  readonly take_k: Linear
  readonly proj_out: Linear
  /** [maxEntities, D]: tells entities of a kind apart. */
  readonly slots: Parameter

  constructor(scope: WeightScope, kind: EntityKind, { width, maxEntities }: PPPMConfig) {
    this.proj_in = new Linear(scope.at('proj_in'), featuresOf(kind), width)
    this.take_q = new Linear(scope.at('take_q'), width, width, { bias: false })
    this.take_k = new Linear(scope.at('take_k'), width, width, { bias: false })
    // A model that has learnt nothing corrects nothing.
    this.proj_out = new Linear(scope.at('proj_out'), width, parametersOf(kind), { init: 0 })
    this.slots = scope.parameter('slots', [maxEntities, width], { dtype: 'f32' })
  }

  /** Features [B,E,T,F] to tokens [B,E T,D], entity by entity. */
  enter(features: Tensor): Tensor {
    const [batch, entities, frames] = features.shape
    return release(() => {
      const slots = slice(this.slots.value, 0, 0, entities) // [E,D]
      const tokens = add(this.proj_in.forward(features), slots.reshape([entities, 1, -1])) // [B,E,T,D]
      return tokens.reshape([batch, entities * frames, -1])
    })
  }

  /**
   * Tokens [B,E T,D] and the features that they began with to parameters [B,E,T,R]: those that each frame takes from all
   * frames of its entity, corrected. `table` is that of one entity's frames.
   */
  leave(tokens: Tensor, features: Tensor, table: RotaryTable): Tensor {
    const [batch, entities, frames, width] = features.shape
    return release(() => {
      const alone = tokens.reshape([batch * entities, frames, -1]) // [B E,T,D]
      const [q, k] = [this.take_q, this.take_k].map(layer => rotary(layer.forward(alone), table.cos, table.sin))
      const size = (width - 2) / 2
      const parameters = slice(features.reshape([batch * entities, frames, width]), 2, 0, size) // [B E,T,R]
      const diagonal = Float32Array.from({ length: frames ** 2 }, (_, i) => (i % (frames + 1) === 0 ? ownFrame : 0))
      const mask = Tensor.from(tokens.runtime, diagonal, [frames, frames])
      const taken = attention(q, k, parameters, { heads: 1, mask })
      return this.proj_out.forward(alone, { residual: taken }).reshape([batch, entities, frames, size])
    })
  }
}

// How much more a frame is its own than another's, before anything is learnt.
const ownFrame = 6

/** The PPPM, its weights in a `Weights`. */
export class PPPM {
  readonly weights = new Weights()
  readonly kinds: Readonly<Record<EntityKind, EntityPort>>
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
   * Mended parameters for every kind of entity: features [B,E,T,F] (`featuresOf`) to [B,E,T,R] (`parametersOf`). All
   * kinds have the same B and T. Throws a ShapeError when operands do not fit.
   */
  forward(features: ByKind<Tensor>, conditions: PPPMConditions): ByKind<Tensor> {
    const present = entityKinds.filter(kind => features[kind])
    this.#check(features, present, conditions)
    const [, , frames] = features[present[0]]!.shape
    return release(() => {
      const entities = present.map(kind => features[kind]!.shape[1])
      const tokens = present.map(kind => this.kinds[kind].enter(features[kind]!))
      const context = this.#context(conditions) // [B,M,D]
      const total = entities.reduce((sum, n) => sum + n, 0)
      const [table, ownTable] = [total, 1].map(count => this.#table(tokens[0].runtime, count, frames))
      let h = tokens.length === 1 ? tokens[0] : cat(tokens, 1) // [B,E T,D], E of all kinds
      for (const block of this.blocks) h = into(h, h => block.forward(h, context, table))
      const normed = into(h, h => this.norm_out.forward(h))
      let start = 0
      const outputs = present.map((kind, i): [EntityKind, Tensor] => {
        const end = start + entities[i] * frames
        const own = present.length === 1 ? normed : slice(normed, 1, start, end)
        start = end
        return [kind, this.kinds[kind].leave(own, features[kind]!, ownTable)]
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
    const { width } = this.config
    const embedded = this.strength_embedding.forward(slice(strength, 1, 0, strengthSinusoids)) // [B,D]
    const given = slice(strength, 1, strengthSinusoids, strengthWidth) // [B,1]
    const silent = (row: number) => slice(this.unconditional.value, 0, row, row + 1) // [1,D]
    const strengths = mix(embedded, silent(1), given).reshape([batch, 1, width])
    const noText = silent(0).reshape([1, 1, width])
    if (!text) return cat([strengths, expand(noText, [batch, 1, width])], 1)
    const told = this.text_proj.forward(text) // [B,M,D]
    return cat([strengths, hasText ? mix(told, noText, hasText) : told], 1)
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

  #check(features: ByKind<Tensor>, present: readonly EntityKind[], { text, strength }: PPPMConditions): void {
    const check = (ok: boolean, what: string, expected: string, got: string): void => {
      if (!ok) throw new ShapeError({ where: 'PPPM', what, expected, got })
    }
    check(present.length > 0, 'no entities', 'features of one kind or more', 'none')
    const [batch, , frames] = features[present[0]]!.shape
    const { maxEntities, textChannels } = this.config
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
    const isText = text.shape.length === 3 && text.shape[0] === batch && text.shape[2] === textChannels
    check(isText, 'text does not fit', `[${batch}, M, ${textChannels}]`, showShape(text.shape))
  }
}

// In frames, divided by 2 pi: motions are hundreds of frames long at most.
const longestPeriod = 1000
