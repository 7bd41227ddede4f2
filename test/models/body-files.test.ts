// Body models from files: official arrays of any family, and files that are broken or hostile.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { animalLabel } from '../../models/body/labels.js'
import { quadrupedParents } from '../../models/body/quadruped-skeleton.js'
import { readBody, readBodyFile, type ArrayFile } from '../../models/body/read-body.js'
import { writeNpz, type LoadedTensor } from '../../tensor/files/index.js'
import { FileError } from '../../tensor/index.js'
import { golden } from '../support/paths.js'

type Arrays = Record<string, LoadedTensor>

const floats = (shape: number[], value = (i: number) => (i % 7) / 7): LoadedTensor => ({
  dtype: 'f32',
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => value(i)),
})
const integers = (shape: number[], data: readonly number[]): LoadedTensor => ({
  dtype: 'i32',
  shape,
  data: Int32Array.from(data),
})

/** A tetrahedron on SMAL's joints. */
function animal(): Arrays {
  return {
    v_template: floats([4, 3]),
    f: integers([4, 3], [0, 1, 2, 0, 2, 3, 0, 3, 1, 1, 3, 2]),
    weights: floats([4, 35], i => Number(i % 35 === 16)),
    J_regressor: floats([35, 4], () => 0.25),
    kintree_table: integers([2, 35], [...quadrupedParents, ...quadrupedParents.keys()]),
    shapedirs: floats([4, 3, 41]),
    posedirs: floats([4, 3, 306]),
  }
}

const fileOf = (arrays: Arrays): ArrayFile => ({
  name: 'animal',
  has: name => name in arrays,
  read: name => Promise.resolve(arrays[name]),
})

await t.test('SMAL is known by its joints; its parts follow from the skin', async t => {
  const { kind, shapes, expressions, joints, labels } = await readBody(fileOf(animal()))
  t.same({ kind, shapes, expressions }, { kind: 'smal', shapes: 41, expressions: 0 })
  t.equal(joints.length, 105)
  t.ok(labels.every(label => label === animalLabel('head')))
})

await t.test('the same arrays come from .npz and .safetensors', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'revision-test-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const path = join(folder, 'animal.npz')
  await writeNpz(path, animal() as never)
  t.match(await readBodyFile(path), { kind: 'smal', shapes: 41 })
  const smplx = await readBodyFile(golden('smplx-tiny/SMPLX_TINY.safetensors'))
  t.match(smplx, { kind: 'smplx', shapes: 10, expressions: 10 })
  t.equal(smplx.hands?.left.components.length, 45 * 45)
})

await t.test('expression comes after 300 directions of shape where there are 400', async t => {
  const arrays = animal()
  const parents = (await readBodyFile(golden('smplx-tiny/SMPLX_TINY.safetensors'))).parents
  const width = 400
  Object.assign(arrays, {
    weights: floats([4, 55], i => Number(i % 55 === 0)),
    J_regressor: floats([55, 4], () => 0.25),
    kintree_table: integers([2, 55], [...parents, ...parents.keys()]),
    shapedirs: floats([4, 3, width], i => i % width),
    posedirs: floats([4, 3, 486]),
  })
  const { directions } = await readBody(fileOf(arrays))
  t.same([...directions.slice(8, 12)], [8, 9, 300, 301])
})

await t.test('what is wrong is told in one line', async t => {
  const refused: [string, Arrays, RegExp][] = [
    ['no faces', { f: undefined as never }, /no array f/],
    [
      'a parent after its child',
      { kintree_table: integers([2, 35], [-1, 2, ...Array<number>(68).fill(0)]) },
      /joint 1 does/,
    ],
    ['an unknown tree', { kintree_table: integers([2, 3], [0, 0, 1, 0, 1, 2]) }, /no joint tree/],
    ['a face of no vertex', { f: integers([1, 3], [0, 1, 4]) }, /face 0 has no such vertex/],
    ['NaN', { v_template: floats([4, 3], () => NaN) }, /finite/],
    ['too many vertices', { v_template: floats([100_001, 3], () => 0) }, /so many vertices/],
    ['weights of another body', { weights: floats([4, 24]) }, /weights has the wrong shape/],
    ['pose directions of another body', { posedirs: floats([4, 3, 207]) }, /posedirs/],
    ['one axis too few', { shapedirs: floats([4, 3]) }, /shapedirs/],
  ]
  for (const [what, change, message] of refused) {
    const arrays = { ...animal(), ...change }
    for (const name of Object.keys(change)) if (!arrays[name]) delete arrays[name]
    await t.rejects(readBody(fileOf(arrays)), { constructor: FileError, message }, what)
  }
})
