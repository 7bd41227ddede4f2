// Scene files: a JSON file that says what is in a scene, and a safetensors file beside it with its numbers and masks.
// See docs/extraction.md.

import { createHash } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { numbersOf } from '../../models/pppm/encoding.js'
import { labelCount, type LabelMap } from '../../models/svd/picture.js'
import {
  makeFolder,
  NodeFileSource,
  replaceFile,
  SafetensorsFile,
  writeSafetensors,
  type SafetensorsEntry,
} from '../../tensor/files/index.js'
import { decodeUtf8 } from '../../tensor/files/json.js'
import { quote } from '../../tensor/files/quote.js'
import { systemError } from '../../tensor/files/system-error.js'
import { FileError, showShape, UsageError, type Shape } from '../../tensor/index.js'
import type { Scene, SceneEntity } from './scene.js'
import { describeScene, mostText, readDescription, sceneLimits, type SceneDescription } from './scene-description.js'

/** The JSON file of a scene: the path itself if it ends in `.json`, else `scene.json` in that folder. */
export function sceneFileOf(path: string): string {
  return extname(path) === '.json' ? path : join(path, 'scene.json')
}

/**
 * Writes a scene as `<path>/scene.json`, or as the JSON file that `path` names, with its numbers beside it. A reader
 * sees the old scene or the whole new one.
 *
 * @throws UsageError for a scene that could not be read again; FileError when the disk refuses
 */
export async function writeSceneFile(path: string, scene: Scene): Promise<void> {
  const file = sceneFileOf(path)
  const [folder, stem] = [dirname(file), basename(file, '.json')]
  const { width, height, ...description } = checked(file, scene)
  const odd = scene.masks?.findIndex(mask => mask.width !== width || mask.height !== height) ?? -1
  if (odd >= 0)
    throw new UsageError({ where: file, what: `mask ${odd} is of another size`, expected: `${width} x ${height}` })
  const layout = layoutOf({ width, height, ...description })
  const entries = layout.map(({ name, shape, dtype, least, most }): SafetensorsEntry => {
    const data = numbersNamed(scene, name)
    const size = shape.reduce((product, n) => product * n, 1)
    if (data.length !== size)
      throw new UsageError({ where: file, what: `bad length of ${name}`, expected: `${size}`, got: `${data.length}` })
    const bad = data.findIndex(value => !(value >= least && value <= most))
    if (bad >= 0) throw new UsageError({ where: file, ...badElement(name, bad, data[bad], least, most) })
    return { name, dtype, shape, data }
  })
  // The numbers have a name of their own, which the JSON file tells: to rename that one changes both at once.
  const numbers = `${stem}-${digestOf(entries)}.safetensors`
  await makeFolder(folder)
  const before = await numbersBeside(folder, stem)
  try {
    await writeSafetensors(join(folder, numbers), entries)
    const text = JSON.stringify(describeScene(scene, numbers), null, 2)
    await replaceFile(file, append => append(new TextEncoder().encode(`${text}\n`)))
  } catch (error) {
    if (!before.includes(numbers)) await rm(join(folder, numbers), { force: true })
    throw error
  }
  for (const name of before) if (name !== numbers) await rm(join(folder, name), { force: true })
}

/** Reads a scene that `writeSceneFile` wrote, by its folder or its JSON file. Throws a FileError on any flaw. */
export async function readSceneFile(path: string): Promise<Scene> {
  const file = sceneFileOf(path)
  const description = readDescription(file, await readText(file))
  const tensors = await SafetensorsFile.open(await NodeFileSource.open(join(dirname(file), description.numbers)))
  try {
    const layout = layoutOf(description)
    // All shapes are known to be right before the first tensor takes room.
    for (const { name, shape, dtype } of layout) {
      const info = tensors.tensors.get(name)
      const expected = `${dtype.toUpperCase()} ${showShape(shape)}`
      const got = info && `${info.stored} ${showShape(info.shape)}`
      if (got !== expected)
        throw new FileError({ where: tensors.name, what: `${quote(name)} is not as ${file} says`, expected, got })
    }
    const read = new Map<string, Float32Array | Uint8Array>()
    for (const { name, least, most } of layout) {
      const data = (await tensors.read(name)).data as Float32Array | Uint8Array
      const bad = data.findIndex(value => !(value >= least && value <= most))
      if (bad >= 0) throw new FileError({ where: tensors.name, ...badElement(name, bad, data[bad], least, most) })
      read.set(name, data)
    }
    return assemble(description, read)
  } finally {
    await tensors.close()
  }
}

interface Place {
  readonly name: string
  readonly shape: Shape
  readonly dtype: 'f32' | 'u8'
  readonly least: number
  readonly most: number
}

/** The tensors of a scene's numbers, and between which values they lie. */
function layoutOf({ frames, width, height, entities, masks }: SceneDescription): Place[] {
  const wide = { dtype: 'f32', least: -sceneLimits.largest, most: sceneLimits.largest } as const
  const places = entities.flatMap(({ id, kind, shape }): Place[] => [
    { name: `${id}.motion`, shape: [frames, numbersOf(kind)], ...wide },
    { name: `${id}.shape`, shape: [shape], ...wide },
    { name: `${id}.confidence`, shape: [frames], dtype: 'f32', least: 0, most: 1 },
  ])
  if (masks) places.push({ name: 'masks', shape: [frames, height, width], dtype: 'u8', least: 0, most: labelCount - 1 })
  return places
}

/** The description of a scene, read as it would be from its file. */
function checked(file: string, scene: Scene): SceneDescription {
  try {
    return readDescription(file, JSON.stringify(describeScene(scene, 'numbers.safetensors')))
  } catch (cause) {
    if (!(cause instanceof FileError)) throw cause
    throw new UsageError(cause.parts, { cause })
  }
}

function numbersNamed({ entities, masks }: Scene, name: string): Float32Array | Uint8Array {
  if (masks && name === 'masks') return new Uint8Array(Buffer.concat(masks.map(({ data }) => data)))
  const [id, field] = name.split('.')
  const entity = entities.find(entity => entity.id === id)!
  return field === 'motion' ? entity.motion.numbers : field === 'shape' ? entity.shape : entity.confidence
}

function badElement(name: string, place: number, value: number, least: number, most: number) {
  return {
    what: `element ${place} of ${quote(name)} cannot be used`,
    expected: `a number in ${least}..${most}`,
    got: String(value),
  }
}

function assemble(
  { numbers: _numbers, masks: hasMasks, entities, ...scene }: SceneDescription,
  read: ReadonlyMap<string, Float32Array | Uint8Array>,
): Scene {
  const { frames, width, height } = scene
  const of = (id: string, field: string) => read.get(`${id}.${field}`) as Float32Array
  const full = {
    ...scene,
    entities: entities.map((entity): SceneEntity => {
      const { id, kind } = entity
      const motion = { kind, numbers: of(id, 'motion') }
      return { ...entity, motion, shape: of(id, 'shape'), confidence: of(id, 'confidence') }
    }),
  }
  if (!hasMasks) return full
  const labels = read.get('masks') as Uint8Array
  const area = width * height
  const masks = Array.from({ length: frames }, (_, frame): LabelMap => {
    return { width, height, data: labels.subarray(frame * area, (frame + 1) * area) }
  })
  return { ...full, masks }
}

/** What tells the numbers of a scene from those of another. */
function digestOf(entries: readonly SafetensorsEntry[]): string {
  const hash = createHash('sha256')
  for (const { name, shape, data } of entries) {
    const { buffer, byteOffset, byteLength } = data as Float32Array
    hash.update(`${name} ${shape.join()};`).update(new Uint8Array(buffer, byteOffset, byteLength))
  }
  return hash.digest('hex').slice(0, 16)
}

/** Files of numbers that earlier scenes of this name left in a folder. */
async function numbersBeside(folder: string, stem: string): Promise<string[]> {
  const ending = /^[\da-f]{16}\.safetensors$/
  const names = await readdir(folder).catch((cause: unknown) => {
    throw systemError(folder, 'the folder cannot be read', cause)
  })
  return names.filter(name => name.startsWith(`${stem}-`) && ending.test(name.slice(stem.length + 1)))
}

async function readText(file: string): Promise<string> {
  const source = await NodeFileSource.open(file)
  try {
    if (source.size > mostText)
      throw new FileError({
        where: file,
        what: 'too long for a scene',
        expected: `${mostText} bytes`,
        got: `${source.size}`,
      })
    return decodeUtf8(file, await source.read(0, source.size))
  } finally {
    await source.close()
  }
}
