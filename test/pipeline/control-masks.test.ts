// Part masks of scenes: who hides whom, what labels mean, and how they look.

import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { openRuntime } from '../../kernels/index.js'
import { humanLabel } from '../../models/body/labels.js'
import { labelCount, type LabelMap } from '../../models/svd/picture.js'
import { readMasks } from '../../pipeline/cli/masks.js'
import { runCli } from '../../pipeline/cli/program.js'
import { sceneLabels, sceneMasks, type SceneMask } from '../../pipeline/control/scene-masks.js'
import { triangulate } from '../../pipeline/control/triangulate.js'
import { readLabels, readPicture } from '../../pipeline/media/decode.js'
import { encodeLabels } from '../../pipeline/media/encode.js'
import { orbit } from '../../pipeline/render/camera.js'
import { drawLegend, drawOverlay, labelsIn, stacked } from '../../pipeline/render/overlay.js'
import { labelColour, labelColours, labelName } from '../../pipeline/render/palette.js'
import { labelled, type Scene, type SceneEntity } from '../../pipeline/scene/scene.js'
import { personOf, writeScene } from '../../train/motion/scene-file.js'
import { drawObject } from '../../train/motion/objects.js'
import { Generator } from '../../tensor/index.js'
import { close } from '../support/compare.js'
import { walk } from '../support/motion.js'
import { golden } from '../support/paths.js'

const folder = await mkdtemp(join(tmpdir(), 'revision-masks-'))
t.teardown(() => rm(folder, { recursive: true }))
const wasm = await openRuntime({ runtime: 'wasm' })
const reference = await openRuntime({ runtime: 'reference' })
t.teardown(() => Promise.all([wasm, reference].map(runtime => runtime.close())))

const [width, height] = [64, 64]
const frames = 2
const ones = new Float32Array(frames).fill(1)

/** A person who stands at the origin and faces z. */
const person: SceneEntity = {
  id: 'human-1',
  kind: 'human',
  name: 'person',
  motion: personOf({ ...walk(frames), trans: Float32Array.of(0, 1, 0, 0, 1, 0) }),
  shape: new Float32Array(),
  confidence: ones,
}

/** An object whose contour is a polygon of 16 corners in a plane of the same z. */
function flat(label: number, z: number, corner: (i: number) => readonly [x: number, y: number]): SceneEntity {
  const contour = Array.from({ length: 16 }, (_, i) => [...corner(i), z]).flat()
  const numbers = Float32Array.from(new Array(frames).fill([...new Array(15).fill(0), ...contour]).flat())
  const motion = { kind: 'object', numbers } as const
  const confidence = Float32Array.of(0.5, 0)
  return { id: `object-${label}`, kind: 'object', name: 'card', motion, shape: new Float32Array(), label, confidence }
}

/** A square round (0, 1), its corners counted from the lower left. */
const square =
  (side: number) =>
  (i: number): readonly [number, number] => {
    const along = side * ((i % 4) / 4 - 0.5)
    const half = side / 2
    const sides = [
      [along, -half],
      [half, along],
      [-along, half],
      [-half, -along],
    ]
    const [x, y] = sides[Math.floor(i / 4)]
    return [x, 1 + y]
  }

function sceneOf(...entities: SceneEntity[]): Scene {
  const camera = orbit([0, 1, 0], { yaw: 0, pitch: 0, distance: 4 }, { width, height, focal: 110 })
  return { width, height, frames, fps: 7, camera, depth: 'ground contact', entities }
}

async function allMasks(scene: Scene): Promise<SceneMask[]> {
  const masks: SceneMask[] = []
  for await (const mask of sceneMasks(wasm, scene)) masks.push(mask)
  return masks
}

const count = ({ data }: LabelMap, label: number) => data.reduce((sum, value) => sum + Number(value === label), 0)

await t.test('a body has its parts where they are, left on the right of who is seen from the front', async t => {
  const [{ labels, depth, confidence }] = await allMasks(sceneOf(person))
  const middle = (part: string) => {
    const pixels = [...labels.data.keys()].filter(i => labels.data[i] === humanLabel(part))
    t.ok(pixels.length > 0, `${part} is seen`)
    const mean = (of: (i: number) => number) => pixels.reduce((sum, i) => sum + of(i), 0) / pixels.length
    return { x: mean(i => i % width), y: mean(i => Math.floor(i / width)) }
  }
  t.ok(middle('head').y < middle('chest').y && middle('chest').y < middle('left thigh').y)
  t.ok(middle('left shin').y < middle('left foot').y)
  t.ok(middle('left thigh').x > middle('right thigh').x)
  t.ok(middle('left forearm').x > middle('chest').x)
  t.equal(confidence, 1)
  const seen = depth.filter(Number.isFinite)
  t.equal(seen.length, labels.data.filter(Boolean).length)
  t.ok(seen.every(value => value > 3 && value < 5))
})

await t.test('what is nearer hides what is behind, whatever the order', async t => {
  const behind = flat(41, -1, square(1))
  const before = flat(42, 1, square(0.4))
  const alone = await sceneLabels(wasm, sceneOf(person))
  const [there] = await sceneLabels(wasm, sceneOf(before, person, behind))
  const [other] = await sceneLabels(wasm, sceneOf(behind, person, before))
  t.same(there.data, other.data)
  t.ok(count(there, 41) > 0 && count(there, 42) > 0)
  there.data.forEach((label, i) => {
    const expected = label === 41 ? 0 : label === 42 ? alone[0].data[i] : label
    if (alone[0].data[i] !== expected) t.fail(`pixel ${i}: ${label} where the person alone is ${alone[0].data[i]}`)
  })
  // 110 / 3 pixels a metre, a metre nearer than the person.
  t.ok(Math.abs(count(there, 42) - (0.4 * 110 * (1 / 3)) ** 2) < 20)
})

await t.test('an object is filled by its contour, bays and all', async t => {
  // A star of eight rays.
  const star = (i: number) => {
    const [turn, radius] = [(2 * Math.PI * i) / 16, i % 2 === 0 ? 0.9 : 0.3]
    return [radius * Math.cos(turn), 1 + radius * Math.sin(turn)] as const
  }
  const area = 8 * 0.9 * 0.3 * Math.sin((2 * Math.PI) / 16) * 27.5 ** 2
  const [labels] = await sceneLabels(wasm, sceneOf(flat(63, 0, star)))
  t.ok(Math.abs(count(labels, 63) / area - 1) < 0.1, `${count(labels, 63)} pixels for ${area}`)
  const bay = (i: number) => [star(i)[0] * 27.5 + 31.5, 31.5 - (star(i)[1] - 1) * 27.5]
  const [x, y] = bay(1).map((value, axis) => Math.round(value + (value - 31.5) * (axis < 2 ? 0.6 : 0)))
  t.equal(labels.data[y * width + x], 0, 'between two rays there is nothing')
})

await t.test('triangles of a polygon are all of it', t => {
  const areaOf = (corners: readonly (readonly [number, number])[]) =>
    Math.abs(
      corners.reduce((sum, [x, y], i) => {
        const [nextX, nextY] = corners[(i + 1) % corners.length]
        return sum + x * nextY - nextX * y
      }, 0),
    ) / 2
  const random = new Generator(4)
  for (let n = 0; n < 50; n++) {
    // Rays of random lengths: never crossing, often with bays.
    const radii = random.rand(16)
    const corners = Array.from(radii, (radius, i) => {
      const turn = ((n % 2 ? -1 : 1) * 2 * Math.PI * i) / 16
      return [(0.1 + radius) * Math.cos(turn), (0.1 + radius) * Math.sin(turn)] as const
    })
    const triangles = triangulate(corners)
    t.equal(triangles.length, 42)
    let sum = 0
    for (let i = 0; i < 42; i += 3) sum += areaOf(triangles.slice(i, i + 3).map(corner => corners[corner]))
    t.ok(Math.abs(sum - areaOf(corners)) < 1e-9)
  }
  const same = new Array(16).fill([1, 1])
  t.equal(triangulate(same).length, 42, 'even where there is none')
  t.equal(triangulate(same.map((_, i) => [i, NaN])).length, 42)
  t.end()
})

await t.test('confidence is that of the entities, by the pixels they cover', async t => {
  const card = flat(41, 1, square(4))
  const all = await allMasks(sceneOf(person, card))
  close(
    t,
    Float32Array.from(all, ({ confidence }) => confidence),
    [0.5, 0],
    1e-6,
    'the card hides the person',
  )
  const [nothing] = await allMasks(sceneOf())
  t.same([nothing.confidence, Math.max(...nothing.labels.data)], [0, 0])
})

await t.test('objects without labels of their own get those that no other has', async t => {
  const [near, far] = [flat(42, 1, square(0.4)), flat(42, -1, square(1))]
  const unlabelled = (id: string, entity: SceneEntity) => ({ ...entity, id, label: undefined })
  const [labels] = await sceneLabels(wasm, sceneOf(person, unlabelled('object-1', far), near))
  t.ok(count(labels, 41) > 0 && count(labels, 42) > 0)
  const many = Array.from({ length: 30 }, (_, i) => unlabelled(`object-${i}`, far))
  const labelsOf = (...entities: SceneEntity[]) => labelled(entities).map(({ label }) => label)
  t.same(labelsOf(person, ...many).slice(0, 3), [undefined, 41, 42])
  t.equal(labelsOf(...many).at(-1), 63, 'the last one when all are taken')
})

await t.test('small pictures of long motions take no more memory than large ones', async t => {
  const long = 600
  const numbers = new Float32Array(168 * long)
  const still = { ...person, motion: { kind: 'human', numbers } as const, confidence: new Float32Array(long) }
  const before = wasm.statistics().peak
  let drawn = 0
  for await (const { labels } of sceneMasks(wasm, { ...sceneOf(still), width: 4, height: 4, frames: long }))
    drawn += labels.data.length
  t.equal(drawn, 16 * long)
  const taken = wasm.statistics().peak - before
  t.ok(taken < 2 ** 28, `${(taken / 2 ** 20).toFixed()} MiB more than before`)
})

await t.test('plain loops draw the same', async t => {
  const scene = sceneOf(person, flat(41, 0.1, square(0.8)))
  const [ours, plain] = [await sceneLabels(wasm, scene), await sceneLabels(reference, scene)]
  for (const [frame, { data }] of ours.entries()) {
    // Vertices are skinned in other orders of sums.
    const differing = data.filter((label, i) => label !== plain[frame].data[i]).length
    t.ok(differing <= 2, `${differing} pixels differ`)
  }
})

await t.test('label maps are pictures that keep their numbers', async t => {
  const labels = { width: 9, height: 7, data: Uint8Array.from({ length: 63 }, (_, i) => i + 1) }
  const path = join(folder, 'labels.png')
  await writeFile(path, encodeLabels(labels, labelColours))
  t.same(await readLabels(path), labels)
  const { data } = await readPicture(path)
  t.same([...data.subarray(0, 3)], labelColour(1))
  t.end()
})

await t.test('every label has a colour and a name; neighbours stay apart for the colour-blind', t => {
  const all = Array.from({ length: labelCount - 1 }, (_, i) => i + 1)
  t.equal(new Set(all.map(label => String(labelColour(label)))).size, all.length)
  t.equal(new Set(all.map(labelName)).size, all.length)
  // Machado, Oliveira and Fernandes 2009, severity 1; linear RGB.
  const sights = {
    all: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    protanopia: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
    deuteranopia: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
    tritanopia: [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
  }
  const lab = (label: number, sight: readonly number[]) => {
    const linear = labelColour(label).map(value => ((value / 255 + 0.055) / 1.055) ** 2.4)
    const [r, g, b] = [0, 1, 2].map(row =>
      Math.min(
        1,
        Math.max(
          0,
          linear.reduce((sum, value, i) => sum + sight[3 * row + i] * value, 0),
        ),
      ),
    )
    const [x, y, z] = [
      (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505,
      0.2126 * r + 0.7152 * g + 0.0722 * b,
      (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089,
    ].map(Math.cbrt)
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)]
  }
  const limb = (side: string, ...parts: string[]) => parts.map(part => `${side} ${part}`)
  const chains = ['left', 'right'].flatMap(side => [
    ['chest', ...limb(side, 'shoulder', 'upper arm', 'forearm', 'hand', 'fingers')],
    ['pelvis', ...limb(side, 'thigh', 'shin', 'foot', 'toes')],
  ])
  const pairs = [...chains, ['pelvis', 'abdomen', 'chest', 'neck', 'head', 'face']].flatMap(chain =>
    chain.slice(1).map((part, i) => [chain[i], part]),
  )
  for (const part of ['shoulder', 'upper arm', 'forearm', 'hand', 'fingers', 'thigh', 'shin', 'foot', 'toes'])
    pairs.push([`left ${part}`, `right ${part}`])
  for (const [name, sight] of Object.entries(sights))
    for (const [a, b] of pairs) {
      const [p, q] = [a, b].map(part => lab(humanLabel(part), sight))
      const distance = Math.hypot(...p.map((value, i) => value - q[i]))
      if (!(distance > 9)) t.fail(`${a} and ${b} are ${distance.toFixed(1)} apart in ${name}`)
    }
  t.end()
})

await t.test('overlays colour parts alone; legends list them', t => {
  const picture = { width: 3, height: 2, data: new Uint8Array(18).fill(100) }
  const labels = { width: 3, height: 2, data: Uint8Array.of(0, 5, 5, 0, 5, 5) }
  const { data } = drawOverlay(picture, labels)
  t.same([...data.subarray(0, 3)], [100, 100, 100])
  t.same(
    [...data.subarray(15)],
    labelColour(5).map(value => Math.round(100 + 0.6 * (value - 100))),
  )
  t.throws(() => drawOverlay(picture, { width: 2, height: 3, data: labels.data }), /not of the size of the picture/)
  t.same(labelsIn([labels]), [5])
  const legend = drawLegend([5, 63], 200)
  const colours = new Set(
    Array.from({ length: legend.data.length / 3 }, (_, i) => String(legend.data.slice(3 * i, 3 * i + 3))),
  )
  for (const label of [5, 63]) t.ok(colours.has(String(labelColour(label))))
  const whole = stacked(picture, legend)
  t.same([whole.width, whole.height], [legend.width, legend.height + 2])
  t.equal(whole.data.length, 3 * whole.width * whole.height)
  t.end()
})

await t.test('revision masks: folders for eyes and for revision generate', async t => {
  const motion = join(folder, 'motion.npz')
  const ball = drawObject('bounce', 30, new Generator(2))
  await writeScene(motion, [personOf(walk(30)), ball])
  const image = golden('svd-pipeline-tiny/square.png')
  const out = join(folder, 'out')
  const masks = (...args: string[]) => runCli(['masks', ...args, '--image', image, '--out', out])
  const refused = async (message: RegExp, ...args: string[]) => {
    const said = t.capture(console, 'error', () => {})
    t.equal(await masks(...args), 2)
    t.match(said.args().flat().join('\n'), message)
  }
  t.capture(console, 'log', () => {})
  const size = ['--width', '48', '--height', '32']
  t.equal(await masks(motion, ...size, '--frames', '3', '--runtime', 'wasm'), 0)
  const read = await readMasks(join(out, 'masks'), { frames: 3, width: 48, height: 32 })
  t.ok(read.every(({ labels }) => labels.data.some(label => label === humanLabel('chest'))))
  t.same(await readdir(join(out, 'overlays')), ['frame_0000.png', 'frame_0001.png', 'frame_0002.png'])
  t.ok((await readPicture(join(out, 'sheet.png'))).width > 3 * 48)
  const sketch = join(folder, 'sketch.json')
  const drag = { type: 'drag', part: 'head', from: [0.5, 0.2], to: [0.8, 0.2] }
  await writeFile(sketch, JSON.stringify({ version: 1, units: 'relative', shapes: [drag] }))
  t.equal(await masks(sketch, ...size, '--first', join(out, 'masks/frame_0000.png')), 0)
  t.same(await readdir(join(out, 'masks')), ['frame_0000.png'], 'those of an earlier run are gone')
  t.ok((await readLabels(join(out, 'masks/frame_0000.png'))).data.includes(humanLabel('head')))
  await refused(/sketch\.json: shapes\[0\]: a drag needs to know [^\n]*$/, sketch, ...size)
  await refused(/--frames: the motion is shorter; expected at most 7;/, motion, '--frames', '99')
  t.equal(await runCli(['masks', motion, '--image', image, '--out', '']), 2, 'nothing in the current folder')
  await refused(/nowhere: there is no such motion, scene or sketch$/, 'nowhere')
  await refused(/--first: means nothing to a motion or a scene/, motion, '--first', sketch)
  const balls = join(folder, 'balls.npz')
  await writeScene(balls, new Array(25).fill(ball))
  t.equal(await masks(balls, ...size, '--frames', '1', '--runtime', 'wasm'), 0, 'more objects than labels')
})
