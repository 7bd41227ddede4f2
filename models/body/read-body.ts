// SMPL-X, SMPL and SMAL from their official files, under the names published there: v_template, f, weights,
// J_regressor, kintree_table, shapedirs, posedirs, and SMPL-X's hands_mean* and hands_components*. Arrays come from an
// .npz, or a safetensors file of the same names.

import { NodeFileSource, NpzFile, SafetensorsFile, type LoadedTensor } from '../../tensor/files/index.js'
import { FileError, showShape, toFloat32, type HostArray, type Shape } from '../../tensor/index.js'
import type { BodyData, BodyKind, HandSpace } from './body-data.js'
import { labelsOfWeights } from './labels.js'

// SMPL-X has 10,475 vertices, SMPL 6,890, SMAL 3,889.
const maxVertices = 100_000
const maxFaces = 200_000
const maxCoefficients = 1000

/** Joint trees, by their number of joints; how many coefficients of shape and expression are taken. */
const kinds: ReadonlyMap<number, { kind: BodyKind; shapes: number; expressions: number }> = new Map([
  [55, { kind: 'smplx', shapes: 10, expressions: 10 }],
  [24, { kind: 'smpl', shapes: 10, expressions: 0 }],
  [35, { kind: 'smal', shapes: 41, expressions: 0 }],
])

// In SMPL-X's files of 400 directions, those of expression begin here; in those of 20 they follow the first 10.
const firstExpression = 300

/** What a body is read from: an NpzFile or a SafetensorsFile. */
export interface ArrayFile {
  readonly name: string
  has(array: string): boolean
  read(array: string): Promise<LoadedTensor>
}

/**
 * Reads a body model from an .npz or .safetensors file.
 * @throws FileError when there is no such file, with where to get it, or on any flaw
 */
export async function readBodyFile(path: string): Promise<BodyData> {
  if (/\.pkl$/i.test(path))
    throw new FileError({
      where: path,
      what: 'a Python pickle, which is a program and is not run',
      expected: '.npz or .safetensors',
      hint: 'converting it by numpy (docs/bodies.md)',
    })
  const source = await NodeFileSource.open(path).catch((cause: unknown) => {
    throw new FileError(
      {
        where: path,
        what: 'no body model can be read here',
        hint:
          'the open bodies, which need no file, or registering at smpl-x.is.tue.mpg.de, smpl.is.tue.mpg.de or ' +
          'smal.is.tue.mpg.de, whose licences forbid to ship them',
      },
      { cause },
    )
  })
  if (/\.safetensors$/i.test(path)) {
    const file = await SafetensorsFile.open(source)
    return readBody({ name: path, has: name => file.tensors.has(name), read: name => file.read(name) }).finally(() =>
      file.close(),
    )
  }
  const file = await NpzFile.open(source)
  return readBody({ name: path, has: name => file.names.includes(name), read: name => file.read(name) }).finally(() =>
    file.close(),
  )
}

/** Reads a body model. Throws a FileError that tells what is wrong with it. */
export async function readBody(file: ArrayFile): Promise<BodyData> {
  const where = file.name
  const template = await floats(file, 'v_template')
  const [vertices] = template.shape
  expectShape(file, 'v_template', template.shape, [vertices, 3])
  bound(where, 'vertices', vertices, maxVertices)
  const parents = await readParents(file)
  const count = parents.length
  const { kind, ...wanted } = kinds.get(count)!
  const weights = await floats(file, 'weights', [vertices, count])
  const regressor = await floats(file, 'J_regressor', [count, vertices])
  const shapedirs = await floats(file, 'shapedirs')
  const [, , width] = shapedirs.shape
  expectShape(file, 'shapedirs', shapedirs.shape, [vertices, 3, width])
  bound(where, 'shape directions', width, maxCoefficients)
  const picked = pickDirections(where, width, wanted)
  const directions = columns(shapedirs.data, width, picked)
  const posedirs = file.has('posedirs') ? await floats(file, 'posedirs', [vertices, 3, 9 * (count - 1)]) : undefined
  const expressions = wanted.expressions
  return {
    kind,
    parents,
    template: template.data,
    faces: await readFaces(file, vertices),
    weights: weights.data,
    joints: product(regressor.data, template.data, vertices),
    shapes: picked.length - expressions,
    expressions,
    directions,
    jointDirections: product(regressor.data, directions, vertices),
    poseDirections: posedirs?.data,
    hands: await readHands(file),
    labels: labelsOfWeights({ kind, weights: weights.data, parents }),
  }
}

async function readArray(file: ArrayFile, name: string): Promise<LoadedTensor> {
  if (!file.has(name))
    throw new FileError({
      where: file.name,
      what: `no array ${name}`,
      expected: 'the official files of SMPL-X, SMPL or SMAL',
    })
  return file.read(name)
}

/** An array of whole numbers, which some files keep as floats. */
async function integers(file: ArrayFile, name: string): Promise<{ data: HostArray; shape: Shape }> {
  const { dtype, data, shape } = await readArray(file, name)
  return { data: dtype === 'f16' || dtype === 'bf16' ? toFloat32(dtype, data) : data, shape }
}

async function floats(file: ArrayFile, name: string, shape?: Shape): Promise<{ data: Float32Array; shape: Shape }> {
  const { dtype, data, shape: found } = await readArray(file, name)
  if (shape) expectShape(file, name, found, shape)
  const values = toFloat32(dtype, data)
  if (!values.every(Number.isFinite))
    throw new FileError({ where: file.name, what: `array ${name} does not hold finite numbers` })
  return { data: values, shape: found }
}

function expectShape({ name: where }: ArrayFile, name: string, found: Shape, shape: Shape): void {
  if (String(found) !== String(shape))
    throw new FileError({
      where,
      what: `array ${name} has the wrong shape`,
      expected: showShape(shape),
      got: showShape(found),
    })
}

function bound(where: string, what: string, count: number, most: number): void {
  if (!(count >= 1 && count <= most))
    throw new FileError({ where, what: `cannot use so many ${what}`, expected: `1..${most}`, got: String(count) })
}

/** Parents by the first line of the table, whose first element is not looked at: 2^32 - 1 stands for none. */
async function readParents(file: ArrayFile): Promise<Int32Array> {
  const where = file.name
  const { data, shape } = await integers(file, 'kintree_table')
  const [, count] = shape
  expectShape(file, 'kintree_table', shape, [2, count])
  if (!kinds.has(count))
    throw new FileError({
      where,
      what: 'no joint tree that is known',
      expected: '55 joints (SMPL-X), 24 (SMPL) or 35 (SMAL)',
      got: String(count),
    })
  const parents = Int32Array.from(data.subarray(0, count))
  parents[0] = -1
  const wrong = parents.findIndex((parent, joint) => joint > 0 && !(parent >= 0 && parent < joint))
  if (wrong >= 0)
    throw new FileError({
      where,
      what: `joint ${wrong} does not come after its parent`,
      expected: `a parent of 0..${wrong - 1}`,
      got: String(parents[wrong]),
    })
  return parents
}

async function readFaces(file: ArrayFile, vertices: number): Promise<Int32Array> {
  const where = file.name
  const { data, shape } = await integers(file, 'f')
  expectShape(file, 'f', shape, [shape[0], 3])
  bound(where, 'faces', shape[0], maxFaces)
  const wrong = data.findIndex(vertex => !(vertex >= 0 && vertex < vertices && Number.isInteger(vertex)))
  if (wrong >= 0)
    throw new FileError({
      where,
      what: `face ${Math.floor(wrong / 3)} has no such vertex`,
      expected: `0..${vertices - 1}`,
      got: String(data[wrong]),
    })
  return Int32Array.from(data)
}

/** Which of the file's directions are taken: those of shape, then those of expression. */
function pickDirections(
  where: string,
  width: number,
  { shapes, expressions }: { shapes: number; expressions: number },
): number[] {
  const start = width >= firstExpression + expressions ? firstExpression : shapes
  if (expressions > 0 && width < start + expressions)
    throw new FileError({
      where,
      what: 'too few shape directions',
      expected: `${shapes + expressions} or more`,
      got: String(width),
    })
  const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i)
  return [...range(0, Math.min(shapes, width)), ...range(start, expressions)]
}

/** Some columns of a matrix of rows so wide. */
function columns(values: Float32Array, width: number, picked: readonly number[]): Float32Array {
  const size = picked.length
  const out = new Float32Array((values.length / width) * size)
  for (let row = 0; row < values.length / width; row++)
    for (let i = 0; i < size; i++) out[row * size + i] = values[row * width + picked[i]]
  return out
}

/** regressor [J x V] times values [V x N]. */
function product(regressor: Float32Array, values: Float32Array, vertices: number): Float32Array {
  const [count, width] = [regressor.length / vertices, values.length / vertices]
  const sums = new Float64Array(count * width)
  for (let joint = 0; joint < count; joint++)
    for (let vertex = 0; vertex < vertices; vertex++) {
      const weight = regressor[joint * vertices + vertex]
      if (weight === 0) continue
      for (let i = 0; i < width; i++) sums[joint * width + i] += weight * values[vertex * width + i]
    }
  return Float32Array.from(sums)
}

async function readHands(file: ArrayFile): Promise<BodyData['hands']> {
  if (!file.has('hands_componentsl')) return undefined
  const hand = async (side: 'l' | 'r'): Promise<HandSpace> => ({
    mean: (await floats(file, `hands_mean${side}`, [45])).data,
    components: (await floats(file, `hands_components${side}`, [45, 45])).data,
  })
  return { left: await hand('l'), right: await hand('r') }
}
