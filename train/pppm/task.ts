// The PPPM as a model that learns: batches of broken scenes, and the loss of what it makes of them.

import { mix } from '../../kernels/index.js'
import { featuresOf, entityKinds, parametersOf, type EntityKind } from '../../models/pppm/kinds.js'
import { strengthFeatures, strengthWidth, type ByKind, type PPPM } from '../../models/pppm/pppm.js'
import { keep, overwrite, Tensor, type Generator, type Runtime } from '../../tensor/index.js'
import type { Weights } from '../../nn/index.js'
import type { Task } from '../trainer.js'
import { bodyTensors, type BodyTensors } from './joints.js'
import { defaultLossWeights, lossParts, totalLoss, type LossParts, type LossWeights } from './loss.js'
import { drawBatch, type ClipSource, type Composition, type KindBatch } from './sampler.js'
import { textTokens, type TextTable } from './texts.js'

/** Scenes that training draws, with how often. */
export interface WeightedComposition extends Composition {
  readonly share: number
}

/** What a PPPM learns from. */
export interface PPPMTaskOptions {
  readonly source: ClipSource
  readonly compositions: readonly WeightedComposition[]
  /** Scenes of a batch. */
  readonly batch: number
  readonly lossWeights?: LossWeights
  /** What texts are, if the model is told them. */
  readonly texts?: TextTable
}

/** Inputs of one kind of batch, on the device. */
interface DeviceBatch {
  readonly kinds: ByKind<Readonly<Record<keyof KindBatch, Tensor>>>
  readonly strength: Tensor
  /** [B,M,C], and [B,1,1]: 1 where there is one. */
  readonly told?: { readonly text: Tensor; readonly hasText: Tensor }
}

// The share of texts that are told.
const textTold = 0.8

/** Training of a PPPM. */
export class PPPMTask implements Task, Disposable {
  readonly weights: Weights
  readonly #body: BodyTensors
  readonly #batches: readonly DeviceBatch[]

  constructor(
    runtime: Runtime,
    private readonly model: PPPM,
    private readonly options: PPPMTaskOptions,
  ) {
    this.weights = model.weights
    const { rest, parents } = bodyTensors(runtime)
    this.#body = { rest: keep(rest), parents: keep(parents) }
    this.#batches = options.compositions.map(composition => deviceBatch(runtime, composition, options))
  }

  prepare(random: Generator): string {
    const { compositions, batch, source } = this.options
    const index = choose(
      compositions.map(({ share }) => share),
      random.rand(1)[0],
    )
    const { kinds, strengths, texts } = drawBatch(source, compositions[index], batch, random)
    const target = this.#batches[index]
    for (const kind of entityKinds) {
      const data = kinds[kind]
      if (!data) continue
      for (const [name, tensor] of Object.entries(target.kinds[kind]!)) overwrite(tensor, data[name as keyof KindBatch])
    }
    overwrite(target.strength, strengthFeatures(strengths))
    if (target.told) this.#tell(target.told, texts, random)
    return String(index)
  }

  loss(kind: string): { loss: Tensor; parts: Readonly<Record<string, Tensor>> } {
    const { kinds, strength, told } = this.#batches[Number(kind)]
    const present = entityKinds.filter(kind => kinds[kind])
    const features = Object.fromEntries(present.map(kind => [kind, kinds[kind]!.features]))
    const mended = this.model.forward(features, { strength, ...told })
    const parts = present.map((kind): LossParts => {
      const { broken, truth, free, standing, times, given, weight } = kinds[kind]!
      const { parameters, times: foundTimes } = mended[kind]!
      // Known frames come out as they went in.
      const found = mix(parameters, broken, free)
      return lossParts({ kind, found, truth, standing, foundTimes, times, given, weight }, this.#body)
    })
    const loss = totalLoss(parts, this.options.lossWeights ?? defaultLossWeights)
    // Parts of the first kind stand for the scene.
    return { loss, parts: { ...parts[0] } }
  }

  dispose(): void {
    for (const { kinds, strength, told } of this.#batches) {
      strength.dispose()
      told?.text.dispose()
      told?.hasText.dispose()
      for (const batch of Object.values(kinds)) for (const tensor of Object.values(batch)) tensor.dispose()
    }
    this.#body.rest.dispose()
    this.#body.parents.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** Texts of scenes as conditions; now and then one is kept back, so that the model can do without. */
  #tell(
    { text, hasText }: NonNullable<DeviceBatch['told']>,
    texts: readonly (string | undefined)[],
    random: Generator,
  ): void {
    const { tokens } = this.options.texts!
    const size = text.size / texts.length
    const [numbers, flags] = [new Float32Array(text.size), new Float32Array(texts.length)]
    const kept = random.rand(texts.length)
    for (const [scene, words] of texts.entries()) {
      const encoded = words === undefined ? undefined : tokens.get(words)
      if (!encoded || kept[scene] >= textTold) continue
      numbers.set(encoded, scene * size)
      flags[scene] = 1
    }
    overwrite(text, numbers)
    overwrite(hasText, flags)
  }
}

/** The index into shares that a number in 0..1 falls on. */
function choose(shares: readonly number[], at: number): number {
  let left = at * shares.reduce((sum, share) => sum + share, 0)
  const index = shares.findIndex(share => (left -= share) < 0)
  return index < 0 ? shares.length - 1 : index
}

function deviceBatch(
  runtime: Runtime,
  { counts, frames }: Composition,
  { batch, texts }: PPPMTaskOptions,
): DeviceBatch {
  const allocate = (shape: readonly number[], label: string) => keep(Tensor.zeros(runtime, shape, 'f32', label))
  const ofKind = (kind: EntityKind) => {
    const rows = [batch, counts[kind]!, frames]
    return {
      features: allocate([...rows, featuresOf(kind)], 'features'),
      broken: allocate([...rows, parametersOf(kind)], 'broken'),
      truth: allocate([...rows, parametersOf(kind)], 'truth'),
      free: allocate([...rows, 1], 'free'),
      standing: allocate([...rows, 2], 'standing'),
      times: allocate(rows, 'times'),
      given: allocate(rows, 'given'),
      weight: allocate(rows, 'weight'),
    }
  }
  const present = entityKinds.filter(kind => counts[kind])
  const kinds = Object.fromEntries(present.map(kind => [kind, ofKind(kind)])) as DeviceBatch['kinds']
  const told = texts && {
    text: allocate([batch, textTokens, texts.channels], 'texts'),
    hasText: allocate([batch, 1, 1], 'has text'),
  }
  return { kinds, strength: allocate([batch, strengthWidth], 'strengths'), told }
}
