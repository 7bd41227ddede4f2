// The open bodies: closed, whole, the right size, left on the left; posed and shaped as they should be.

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { Body } from '../../models/body/body.js'
import type { BodyData } from '../../models/body/body-data.js'
import { firstAnimalLabel, humanParts, humanLabel, partsOfJoints } from '../../models/body/labels.js'
import { humanShape, openHuman } from '../../models/body/open-human.js'
import { openQuadruped, quadrupedShape } from '../../models/body/open-quadruped.js'
import { quadrupedJointNames } from '../../models/body/quadruped-skeleton.js'
import { jointIndex } from '../../models/body/skeleton.js'
import { runCli } from '../../pipeline/cli/program.js'
import { decodePng } from '../../pipeline/media/png.js'
import { Tensor } from '../../tensor/index.js'
import { wasmRuntime } from '../support/kernels.js'

const runtime = await wasmRuntime()
const bodies = [
  { name: 'human', data: openHuman(), height: 1.72, labels: humanParts.slice(1).map(humanLabel), volume: [0.05, 0.09] },
  { name: 'quadruped', data: openQuadruped(), height: 0.83, labels: animalLabels(), volume: [0.015, 0.04] },
]

function animalLabels(): number[] {
  return Array.from({ length: 16 }, (_, i) => firstAnimalLabel + i)
}

const coordinate = (data: { length: number; [i: number]: number }, axis: number) =>
  Array.from({ length: data.length / 3 }, (_, i) => data[3 * i + axis])

/** Litres in thousandths: of a surface whose triangles face outwards it is above 0. */
function volumeOf({ template, faces }: BodyData): number {
  let sum = 0
  for (let face = 0; face < faces.length; face += 3) {
    const [a, b, c] = [0, 1, 2].map(i => template.subarray(3 * faces[face + i], 3 * faces[face + i] + 3))
    sum += a[0] * (b[1] * c[2] - b[2] * c[1]) + a[1] * (b[2] * c[0] - b[0] * c[2]) + a[2] * (b[0] * c[1] - b[1] * c[0])
  }
  return sum / 6
}

for (const { name, data, height, labels, volume } of bodies)
  await t.test(`the ${name} is one closed surface that faces outwards`, t => {
    const { faces, template } = data
    const edges = new Set<string>()
    for (let face = 0; face < faces.length; face += 3)
      for (let i = 0; i < 3; i++) edges.add(`${faces[face + i]} ${faces[face + ((i + 1) % 3)]}`)
    t.equal(edges.size, faces.length, 'no directed edge twice')
    t.ok(
      [...edges].every(edge => edges.has(edge.split(' ').reverse().join(' '))),
      'each edge has another side',
    )
    t.equal(template.length / 3 - edges.size / 2 + faces.length / 3, 2, 'one piece without handles')
    t.ok(template.length / 3 < 6000, `${template.length / 3} vertices`)
    const litres = volumeOf(data)
    t.ok(litres > volume[0] && litres < volume[1], `${litres} m3`)
    const ys = coordinate(template, 1)
    const tall = Math.max(...ys) - Math.min(...ys)
    t.ok(Math.abs(tall - height) < 0.02, `${tall} m`)
    t.same(
      [...new Set(data.labels)].sort((a, b) => a - b),
      labels,
      'all parts are there',
    )
    t.end()
  })

await t.test('skins hold on to few joints, by shares that add up', t => {
  for (const { data } of bodies) {
    const count = data.parents.length
    for (let vertex = 0; vertex < data.labels.length; vertex++) {
      const row = data.weights.subarray(vertex * count, (vertex + 1) * count)
      const sum = row.reduce((a, b) => a + b)
      if (Math.abs(sum - 1) > 1e-5 || row.some(weight => weight < 0)) return t.fail(`vertex ${vertex}: ${sum}`)
    }
  }
  t.pass('all of them')
  t.end()
})

await t.test('left is where x is above 0, for joints and parts', t => {
  const { template, labels, joints } = openHuman()
  const left = coordinate(template, 0).filter((_, i) => humanParts[labels[i]].startsWith('left'))
  t.ok(left.every(x => x > -0.005))
  t.ok(joints[3 * jointIndex('left_wrist')] > 0.5)
  const toes = coordinate(template, 2).filter((_, i) => labels[i] === humanLabel('left toes'))
  t.ok(Math.min(...toes) > 0.05, 'toes point along z')
  t.same(partsOfJoints('smpl').length, 24)
  t.end()
})

async function formed(data: BodyData, pose: Float32Array, shape?: Float32Array) {
  using body = new Body(runtime, data)
  using poses = Tensor.from(runtime, pose, [1, pose.length])
  using shapes = shape && Tensor.from(runtime, shape, [1, shape.length])
  const { vertices, joints, shaped } = body.forward({ pose: poses, shape: shapes })
  const found = { vertices: await vertices.floats(), joints: await joints.floats() }
  for (const tensor of [vertices, joints, shaped]) tensor.dispose()
  return found
}

await t.test('a bent elbow moves the forearm and nothing on the other side', async t => {
  const data = openHuman()
  const pose = new Float32Array(165)
  pose[3 * jointIndex('left_elbow') + 1] = -Math.PI / 2
  const { vertices, joints } = await formed(data, pose)
  const wrist = 3 * jointIndex('left_wrist')
  t.ok(joints[wrist + 2] > 0.2, 'the hand comes forward')
  const moved = data.labels.map((_, i) =>
    Number(Math.hypot(...[0, 1, 2].map(axis => vertices[3 * i + axis] - data.template[3 * i + axis])) > 1e-4),
  )
  t.ok(moved.every((is, i) => !is || data.template[3 * i] > 0.3))
  t.ok(moved.every((is, i) => is || data.labels[i] !== humanLabel('left fingers')))
})

await t.test('shape coefficients do what their names say', async t => {
  const human = openHuman()
  const zero = new Float32Array(165)
  const rest = await formed(human, zero)
  const shaped = async (name: string, amount: number) => {
    const shape = new Float32Array(human.shapes)
    shape[humanShape.findIndex(coefficient => coefficient.name === name)] = amount
    return formed(human, zero, shape)
  }
  const height = ({ vertices }: typeof rest) => {
    const ys = coordinate(vertices, 1)
    return Math.max(...ys) - Math.min(...ys)
  }
  const width = ({ vertices }: typeof rest, part: string) => {
    const xs = coordinate(vertices, 0).filter((_, i) => human.labels[i] === humanLabel(part))
    return Math.max(...xs) - Math.min(...xs)
  }
  t.ok(height(await shaped('stature', 2)) > 1.05 * height(rest))
  t.ok(width(await shaped('weight', 2), 'abdomen') > 1.15 * width(rest, 'abdomen'))
  const long = await shaped('leg length', 2)
  const ankle = 3 * jointIndex('left_ankle') + 1
  t.ok(long.joints[ankle] < 1.05 * rest.joints[ankle])
  t.ok(Math.abs(long.joints[3 * jointIndex('head') + 1] - rest.joints[3 * jointIndex('head') + 1]) < 1e-6)
  t.equal(humanShape.length, 10)

  const dog = openQuadruped()
  t.equal(dog.shapes, 41)
  const legs = new Float32Array(41)
  legs[quadrupedShape.findIndex(({ name }) => name === 'leg length')] = 2
  const [low, tall] = [await formed(dog, new Float32Array(105)), await formed(dog, new Float32Array(105), legs)]
  const foot = 3 * quadrupedJointNames.indexOf('LFoot') + 1
  t.ok(tall.joints[foot] < 1.1 * low.joints[foot])
})

await t.test('the command draws a body, and says what is wrong', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'revision-test-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const out = join(folder, 'body.png')
  const errors = t.capture(console, 'error')
  const show = (...args: string[]) => runCli(['body', 'show', '--runtime', 'wasm', '--out', out, ...args])
  t.equal(await show('--size', '64', '--labels', '--shape', '1,-1'), 0)
  const { width, height, samples } = decodePng(await readFile(out), out)
  t.same([width, height], [64, 64])
  t.ok(new Set(samples).size > 20, 'it is not empty')
  t.equal(await show('--body', 'quadruped', '--size', '32'), 0)
  for (const wrong of [
    ['--shape', '1,x'],
    ['--size', '1e9'],
    ['--body', join(folder, 'none.npz')],
    ['--body', 'a.pkl'],
  ])
    t.not(await show(...wrong), 0, wrong.join(' '))
  const said = errors().map(({ args }) => String(args[0]))
  t.match(said.at(-2), /smpl-x\.is\.tue\.mpg\.de/)
  t.match(said.at(-1), /pickle/)
})
