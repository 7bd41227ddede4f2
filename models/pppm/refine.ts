// Mending the motion of a scene with a PPPM: entities in, entities out.

import { joinFloats, NumberError, scope as release, Tensor, UsageError, type Runtime } from '../../tensor/index.js'
import { decodeEntity, encodeEntity, entityFeatures, numbersOf, viewpointOf, type EntityMotion } from './encoding.js'
import { checkFrames } from './extend.js'
import { entityKinds, featuresOf, parametersOf } from './kinds.js'
import { strengthFeatures, strengthWidth, type ByKind, type PPPM } from './pppm.js'

/** What is known of a scene that is mended. */
export interface RefineOptions {
  /** [T]: 1 where a frame is known for certain; it comes out as it went in. Default: none. */
  readonly known?: ArrayLike<number>
  /** [T] for each entity: how much its frames are trusted, 0 for frames that are missing. Default: 1. */
  readonly confidence?: readonly ArrayLike<number>[]
  /** Motion strength, 0..1; left to the model when absent. */
  readonly strength?: number
  /** [1, M, textChannels]: tokens of a text encoder. */
  readonly text?: Tensor
}

/**
 * The motion of all entities of a scene over the same frames, mended. Known frames are returned bit for bit. Frames that
 * are not trusted at all should repeat the last that is (`hideMasked`), for that is what the model has learnt from.
 * Throws a UsageError for entities of different lengths, too many of one kind or more than `maxFrames`; a NumberError if
 * the model gives what is no number.
 */
export async function refineScene(
  runtime: Runtime,
  model: PPPM,
  entities: readonly EntityMotion[],
  { known = [], confidence = [], strength, text }: RefineOptions = {},
): Promise<EntityMotion[]> {
  if (entities.length === 0) return []
  const lengths = entities.map(({ kind, numbers }) => numbers.length / numbersOf(kind))
  const [frames] = lengths
  if (lengths.some(length => length !== frames || !Number.isInteger(length) || length === 0))
    throw new UsageError({ where: 'PPPM', what: 'entities differ in length', got: `${lengths.join(', ')} frames` })
  checkFrames(frames)
  for (const kind of entityKinds) {
    const count = entities.filter(entity => entity.kind === kind).length
    const { maxEntities } = model.config
    if (count > maxEntities)
      throw new UsageError({
        where: 'PPPM',
        what: `too many entities of the kind ${kind}`,
        expected: `at most ${maxEntities}`,
        got: String(count),
      })
  }
  const view = viewpointOf(entities[0])
  const encoded = entities.map((entity, i) => ({
    ...entity,
    parameters: encodeEntity(entity, view),
    trust: Float32Array.from({ length: frames }, (_, frame) => confidence[i]?.[frame] ?? 1),
  }))
  const knownFrames = Float32Array.from({ length: frames }, (_, frame) => known[frame] ?? 0)

  const outputs = release(() => {
    const features = Object.fromEntries(
      entityKinds.flatMap(kind => {
        const own = encoded.filter(entity => entity.kind === kind)
        if (own.length === 0) return []
        const data = joinFloats(
          own.map(({ parameters, trust }) => entityFeatures(kind, parameters, knownFrames, trust)),
        )
        return [[kind, Tensor.from(runtime, data, [1, own.length, frames, featuresOf(kind)])]]
      }),
    ) as ByKind<Tensor>
    const strengths = Tensor.from(runtime, strengthFeatures([strength]), [1, strengthWidth])
    return model.forward(features, { strength: strengths, text })
  })
  const floats = await Promise.all(
    entityKinds.map(async kind => {
      const mended = outputs[kind]
      if (!mended) return new Float32Array()
      using parameters = mended.parameters
      mended.times.dispose()
      return parameters.floats()
    }),
  )
  if (!floats.every(values => values.every(Number.isFinite)))
    throw new NumberError({ where: 'PPPM', what: 'the model gives numbers that are not finite', hint: 'other weights' })
  const used = { human: 0, animal: 0, object: 0 }
  return encoded.map(({ kind, numbers }) => {
    const size = frames * parametersOf(kind)
    const start = size * used[kind]++
    const mended = floats[entityKinds.indexOf(kind)].subarray(start, start + size)
    const result = decodeEntity(kind, mended, view)
    const width = numbersOf(kind)
    for (let frame = 0; frame < frames; frame++)
      if (knownFrames[frame]) result.numbers.set(numbers.subarray(frame * width, (frame + 1) * width), frame * width)
    return result
  })
}
