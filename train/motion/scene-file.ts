// The motion file: persons, animals and objects of one scene over time, in one archive that numpy reads.
// One person alone is what AMASS's archives are, with y up and a version. See docs/motion.md.

import type { EntityMotion } from '../../models/pppm/encoding.js'
import { numbersOf } from '../../models/pppm/encoding.js'
import { jointsOf, objectPoints } from '../../models/pppm/kinds.js'
import { NodeFileSource, NpzFile, writeNpz, type NpzEntry } from '../../tensor/files/index.js'
import { FileError, showShape, UsageError, type Shape } from '../../tensor/index.js'
import { plausibleArray, readAmass } from './amass.js'
import { motionFileVersion, motionFps, type Motion } from './motion.js'
import { motionLimits } from './source.js'

const mostEntities = 64
const shapeNumbers = 41
const widths = { human: 3 * jointsOf.human, animal: 3 * jointsOf.animal, object: 3 * objectPoints }

/** Frames of a scene. */
export function sceneFrames(entities: readonly EntityMotion[]): number {
  return entities.length === 0 ? 0 : entities[0].numbers.length / numbersOf(entities[0].kind)
}

/**
 * Writes a scene: persons as `poses` [P,T,165] and `trans` [P,T,3] (one person without the first axis), animals as
 * `animal_poses` [A,T,105] and `animal_trans`, objects as `objects` [K,T,21,3]. Throws a UsageError for a scene of
 * nothing or of different lengths, a FileError when the disk refuses.
 */
export async function writeScene(path: string, entities: readonly EntityMotion[]): Promise<void> {
  await writeNpz(path, sceneArrays(path, entities))
}

/** The arrays of a scene by name; `path` is for messages. Throws a UsageError as `writeScene` does. */
export function sceneArrays(path: string, entities: readonly EntityMotion[]): Record<string, NpzEntry> {
  const frames = sceneFrames(entities)
  if (!Number.isInteger(frames) || frames < 1 || entities.some(entity => sceneFrames([entity]) !== frames))
    throw new UsageError({ where: path, what: 'no scene', expected: 'one or more entities of as many frames each' })
  const of = (kind: EntityMotion['kind']) => entities.filter(entity => entity.kind === kind)
  const [people, animals, objects] = [of('human'), of('animal'), of('object')]
  const lead = (list: readonly EntityMotion[]) => (list.length === 1 && list === people ? [] : [list.length])
  const entry = (list: readonly EntityMotion[], from: number, to: number, shape: Shape): NpzEntry => ({
    data: columns(list, from, to),
    shape: [...lead(list), frames, ...shape],
    dtype: 'f32',
  })
  const arrays: Record<string, NpzEntry> = {
    version: { data: Int32Array.of(motionFileVersion), shape: [1], dtype: 'i32' },
    mocap_framerate: { data: Float32Array.of(motionFps), shape: [1], dtype: 'f32' },
  }
  if (people.length > 0) {
    arrays.poses = entry(people, 0, widths.human, [widths.human])
    arrays.trans = entry(people, widths.human, widths.human + 3, [3])
    arrays.betas = { data: new Float32Array(10), shape: [10], dtype: 'f32' }
  }
  if (animals.length > 0) {
    arrays.animal_poses = entry(animals, 0, widths.animal, [widths.animal])
    arrays.animal_trans = entry(animals, widths.animal, widths.animal + 3, [3])
    arrays.animal_shape = { data: new Float32Array(shapeNumbers), shape: [shapeNumbers], dtype: 'f32' }
  }
  if (objects.length > 0) arrays.objects = entry(objects, 0, widths.object, [objectPoints, 3])
  return arrays
}

/** Writes a person alone. Errors: as `writeScene`. */
export function writeMotion(path: string, motion: Motion): Promise<void> {
  return writeScene(path, [personOf(motion)])
}

/** Numbers from..to of every frame of every entity. */
function columns(entities: readonly EntityMotion[], from: number, to: number): Float32Array {
  const rows = entities.flatMap(({ kind, numbers }) => {
    const width = numbersOf(kind)
    return Array.from({ length: numbers.length / width }, (_, i) => numbers.subarray(i * width + from, i * width + to))
  })
  const out = new Float32Array(rows.length * (to - from))
  rows.forEach((row, i) => out.set(row, i * (to - from)))
  return out
}

/** Reads a scene that `writeScene` wrote, or a person out of AMASS's archives. Throws a FileError on any flaw. */
export async function readScene(path: string): Promise<EntityMotion[]> {
  const file = await NpzFile.open(await NodeFileSource.open(path))
  try {
    if (!file.names.includes('version')) return [personOf(await readAmass(file))]
    const entities: EntityMotion[] = []
    let frames: number | undefined
    const take = async (name: string, tail: Shape): Promise<Float32Array[]> => {
      const { data, shape } = await plausibleArray(file, name)
      const full = shape.length === tail.length + 1 ? [1, ...shape] : shape
      const [count, length] = full
      frames ??= length
      const fits = String(full.slice(2)) === String(tail) && full.length === tail.length + 2 && length === frames
      if (!fits || count < 1 || count > mostEntities || length < 1 || length > motionLimits.frames)
        throw new FileError({
          where: path,
          what: `array ${name} has the wrong shape`,
          expected: `[1..${mostEntities}, ${frames}, ${tail.join(', ')}]`,
          got: showShape(shape),
        })
      const size = data.length / count
      return Array.from({ length: count }, (_, i) => data.subarray(i * size, (i + 1) * size))
    }
    await checkHead(file)
    for (const [kind, poses, trans] of [
      ['human', 'poses', 'trans'],
      ['animal', 'animal_poses', 'animal_trans'],
    ] as const) {
      if (!file.names.includes(poses)) continue
      const [turns, places] = [await take(poses, [widths[kind]]), await take(trans, [3])]
      if (turns.length !== places.length)
        throw new FileError({ where: path, what: `${poses} and ${trans} are of different numbers of entities` })
      turns.forEach((turn, i) => entities.push({ kind, numbers: joined(turn, widths[kind], places[i]) }))
    }
    if (file.names.includes('objects'))
      for (const numbers of await take('objects', [objectPoints, 3])) entities.push({ kind: 'object', numbers })
    if (entities.length === 0)
      throw new FileError({ where: path, what: 'a scene of nothing', expected: 'poses, animal_poses or objects' })
    return entities
  } finally {
    await file.close()
  }
}

async function checkHead(file: NpzFile): Promise<void> {
  for (const [name, wanted] of [
    ['version', motionFileVersion],
    ['mocap_framerate', motionFps],
  ] as const) {
    const [value] = (await plausibleArray(file, name)).data
    if (value !== wanted)
      throw new FileError({ where: file.name, what: `unknown ${name}`, expected: String(wanted), got: String(value) })
  }
}

/** Poses and places, frame by frame. */
function joined(turns: Float32Array, width: number, places: Float32Array): Float32Array {
  const frames = places.length / 3
  const out = new Float32Array(frames * (width + 3))
  for (let frame = 0; frame < frames; frame++) {
    out.set(turns.subarray(frame * width, (frame + 1) * width), frame * (width + 3))
    out.set(places.subarray(3 * frame, 3 * frame + 3), frame * (width + 3) + width)
  }
  return out
}

/** A person's motion as an entity of a scene. */
export function personOf({ poses, trans }: Motion): EntityMotion {
  return { kind: 'human', numbers: joined(poses, widths.human, trans) }
}
