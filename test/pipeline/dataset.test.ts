// A data set rendered into a folder: what is in its files, and that nothing but its settings decides on it.

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { openHuman } from '../../models/body/open-human.js'
import { Skin } from '../../models/body/skin.js'
import { Body } from '../../models/body/body.js'
import { vectorAt } from '../../models/body/quaternion.js'
import { numbersOf, type EntityMotion } from '../../models/pppm/encoding.js'
import { NodeFileSource, NpzFile, writeNpz } from '../../tensor/files/index.js'
import { Generator, sizeOf, Tensor } from '../../tensor/index.js'
import { drawClip } from '../../pipeline/dataset/clip.js'
import { composeClip } from '../../pipeline/dataset/compose.js'
import { article, doingOf } from '../../pipeline/dataset/doing.js'
import { placed, startOf } from '../../pipeline/dataset/placing.js'
import { renderDataset, type RenderEvent, type RenderOptions } from '../../pipeline/dataset/render.js'
import { clipSheet } from '../../pipeline/dataset/show.js'
import type { ClipScript } from '../../pipeline/dataset/script.js'
import { silhouette, solidKinds, solidVertices } from '../../pipeline/dataset/solids.js'
import { orbit, project, unproject } from '../../pipeline/render/camera.js'
import { rasterize } from '../../pipeline/render/raster.js'
import { drawGait } from '../../train/motion/gaits.js'
import { drawObject } from '../../train/motion/objects.js'
import { personOf, readScene, writeMotion } from '../../train/motion/scene-file.js'
import { readClip } from '../../train/svd/clips.js'
import { openRuntime } from '../../kernels/index.js'
import { strollingPerson, walk } from '../support/motion.js'

const folder = await mkdtemp(join(tmpdir(), 'dataset-'))
t.teardown(() => rm(folder, { recursive: true }))
const motions = join(folder, 'motions')
await mkdir(join(motions, 'walking'), { recursive: true })
await mkdir(join(motions, 'strolling'), { recursive: true })
await writeMotion(join(motions, 'walking/one.npz'), walk(20))
await writeMotion(join(motions, 'strolling/two.npz'), strollingPerson(24))

const settings = { seed: 5, frames: 3, size: 32, holdOut: ['strolling'], only: 'others' } as const

async function render(out: string, options: Partial<RenderOptions> = {}): Promise<RenderEvent[]> {
  const events: RenderEvent[] = []
  const all = { motions, out, settings, first: 0, clips: 3, threads: 1, ...options }
  for await (const event of renderDataset(all)) events.push(event)
  return events
}

const filesOf = async (out: string) => {
  const names = (await readdir(out)).sort()
  return Promise.all(names.map(async name => ({ name, bytes: await readFile(join(out, name)) })))
}

await t.test('the same settings give the same bytes, on any number of threads and in any number of runs', async t => {
  const [whole, parts] = [join(folder, 'whole'), join(folder, 'parts')]
  const done = (await render(whole)).at(-1)!
  t.match(done, { type: 'done', rendered: 3, kept: 0 })
  await render(parts, { first: 2, clips: 1 })
  await render(parts, { first: 0, clips: 1 })
  t.match((await render(parts, { threads: 2 })).at(-1)!, { rendered: 1, kept: 2 })
  t.same(await filesOf(parts), await filesOf(whole))
})

await t.test('a clip is read by the trainer and as a motion file, and tells all that is known', async t => {
  const path = join(folder, 'whole/clip-000000.npz')
  const { frames, labels } = await readClip(path, { frames: 3, stride: 1 })
  t.equal(frames.length, 3)
  t.ok(labels![0].data.some(label => label > 0))
  const file = await NpzFile.open(await NodeFileSource.open(path))
  const [stride] = (await file.read('stride')).data
  const caption = new TextDecoder().decode((await file.read('caption')).data as Uint8Array)
  await file.close()
  const scene = await readScene(path)
  t.equal(scene[0].numbers.length / numbersOf(scene[0].kind), 2 * stride + 1)
  const manifest = JSON.parse(await readFile(join(folder, 'whole/dataset.json'), 'utf8')) as {
    settings: object
    clips: { name: string; caption: string; sources: string[] }[]
  }
  t.same(manifest.settings, settings)
  t.match(manifest.clips[0], { name: 'clip-000000.npz', caption })
  t.notOk(manifest.clips.some(({ sources }) => sources.includes('strolling/two.npz')))
})

await t.test('held-out motions alone, and folders that hold something else', async t => {
  const out = join(folder, 'held')
  await render(out, { settings: { ...settings, only: 'held-out' }, clips: 2 })
  const manifest = await readFile(join(out, 'dataset.json'), 'utf8')
  t.notMatch(manifest, 'walking/one.npz')
  await t.rejects(render(out), { name: 'UsageError', message: /other settings/ })
  await t.rejects(render(join(folder, 'long'), { settings: { ...settings, frames: 16 } }), {
    name: 'UsageError',
    message: /long enough/,
  })
})

await t.test('what the manifest of a folder tells is checked, and never lost', async t => {
  const out = join(folder, 'told')
  await render(out, { clips: 1 })
  const path = join(out, 'dataset.json')
  // Somebody renders another range at the same time and is done first.
  for await (const { type } of renderDataset({ motions, out, settings, first: 0, clips: 1, threads: 1 }))
    if (type === 'clip') await render(out, { first: 1, clips: 1 })
  const manifest = JSON.parse(await readFile(path, 'utf8')) as { clips: { name: string }[] }
  t.same(
    manifest.clips.map(({ name }) => name),
    ['clip-000000.npz', 'clip-000001.npz'],
  )
  for (const clips of [7, [null], [{ name: 3 }]]) {
    await writeFile(path, JSON.stringify({ ...manifest, clips }))
    await t.rejects(render(out), { name: 'UsageError', message: /not what this program writes; try another/ })
  }
})

await t.test('sheets of clips of any size are small', async t => {
  const u8 = (...shape: number[]) => ({ dtype: 'u8' as const, shape, data: new Uint8Array(sizeOf(shape)) })
  const path = join(folder, 'tall.npz')
  await writeNpz(path, { frames: u8(2, 4000, 1, 3), labels: u8(2, 4000, 1) })
  const { width, height } = await clipSheet([path])
  t.ok(width <= 8 * 130 && height <= 2 * 132, `${width} x ${height}`)
  const sheet = await clipSheet([join(folder, 'whole/clip-000000.npz')])
  t.match(sheet, { width: 8 * 130 + 2, height: 2 * 130 + 2 })
})

const format = { frames: 2, size: 64 }

/** The first script of a seed whose actors are of these kinds. */
function scriptOf(...kinds: readonly string[]): ClipScript {
  const takes = [{ ...walk(60), name: 'walk.npz', text: 'walking' }]
  for (let index = 0; ; index++) {
    const script = composeClip(takes, 1, index, format)
    if (String(script.actors.map(({ kind }) => kind)) === String(kinds)) return script
  }
}

await t.test('labels are those of the mesh, through the same camera', async t => {
  for (const kind of ['human', 'animal']) {
    const script = scriptOf(kind)
    const drawn = drawClip(script)
    const [actor] = script.actors
    if (actor.kind === 'object') throw new Error('no body')
    const { openQuadruped } = await import('../../models/body/open-quadruped.js')
    const body = kind === 'human' ? openHuman() : openQuadruped()
    const skin = new Skin(body, actor.shape)
    const vertices = skin.follow(skin.pose(actor.motion.numbers))
    const { triangles, shares } = rasterize({ vertices, faces: body.faces }, script.camera, 64, 64)
    let [same, either] = [0, 0]
    triangles.forEach((face, pixel) => {
      const corner = [0, 1, 2].reduce((a, b) => (shares[3 * pixel + b] > shares[3 * pixel + a] ? b : a))
      const label = face < 0 ? 0 : body.labels[body.faces[3 * face + corner]]
      if (label === 0 && drawn.labels[pixel] === 0) return
      either++
      if (label === drawn.labels[pixel]) same++
    })
    t.ok(either > 60, `${kind}: ${either} pixels`)
    t.ok(same / either > 0.95, `${kind}: ${(same / either).toFixed(3)} of them alike`)
  }
})

await t.test('joints are where the picture shows the body', t => {
  const script = scriptOf('human')
  const { entities, labels } = drawClip(script)
  const { joints, visible } = entities[0]
  t.equal(joints.length, 2 * 22 * 3)
  let [on, all] = [0, 0]
  visible.forEach((isVisible, i) => {
    if (!isVisible) return
    const [x, y] = [Math.round(joints[3 * i]), Math.round(joints[3 * i + 1])]
    all++
    if (labels[Math.floor(i / 22) * 64 * 64 + y * 64 + x] > 0) on++
  })
  t.ok(all > 22)
  t.ok(on / all > 0.85, `${on} of ${all}`)
  t.end()
})

await t.test('things: their 21 points are what the picture shows of them', t => {
  const script = scriptOf('object')
  const { entities, labels } = drawClip(script)
  const { camera } = script
  const points = Array.from({ length: 16 }, (_, i) => project(camera, vectorAt(entities[0].motion.numbers, 5 + i)))
  let [both, either] = [0, 0]
  for (let y = 0; y < 64; y++)
    for (let x = 0; x < 64; x++) {
      const isDrawn = labels[y * 64 + x] === entities[0].label
      const isIn = inside(points, x, y)
      both += Number(isDrawn && isIn)
      either += Number(isDrawn || isIn)
    }
  t.ok(either > 20)
  t.ok(both / either > 0.85, `IoU ${(both / either).toFixed(3)}`)
  for (const solid of solidKinds) {
    const vertices = solidVertices(solid, drawObject('roll', 1, new Generator(3)), 0, 1)
    const outline = silhouette(vertices, camera)
    t.equal(outline.length, 63)
    t.ok(outline.every(Number.isFinite))
  }
  t.end()
})

function inside(polygon: readonly (readonly number[])[], x: number, y: number): boolean {
  return polygon.reduce((odd, [ax, ay], i) => {
    const [bx, by] = polygon[(i + 1) % polygon.length]
    return ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax) ? !odd : odd
  }, false)
}

await t.test('the skin of the host is that of the device', async t => {
  const runtime = await openRuntime({ runtime: 'wasm', quiet: true })
  const shape = Float32Array.of(1, -1, 0.5)
  const skin = new Skin(openHuman(), shape)
  const { numbers } = personOf(walk(3))
  const numbersOfFrame = numbers.subarray(168, 336)
  const pose = skin.pose(numbersOfFrame)
  const vertices = skin.follow(pose)
  using body = new Body(runtime, openHuman())
  const full = Float32Array.from({ length: 10 }, (_, i) => shape[i] ?? 0)
  const out = body.forward({
    pose: Tensor.from(runtime, numbersOfFrame.slice(0, 165), [1, 165]),
    shape: Tensor.from(runtime, full, [1, 10]),
    translation: Tensor.from(runtime, numbersOfFrame.slice(165), [1, 3]),
  })
  const [wanted, joints] = [await out.vertices.floats(), await out.joints.floats()]
  const worst = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0)
  t.ok(worst(vertices, wanted) < 1e-5)
  t.ok(worst(pose.positions, joints) < 1e-5)
  t.throws(() => new Skin(openHuman(), new Float32Array(11)), { name: 'UsageError' })
  await runtime.close()
})

await t.test('motions keep their shape when they are put elsewhere', t => {
  const all: readonly EntityMotion[] = [personOf(walk(4)), drawGait('trot', 4, new Generator(1))]
  for (const motion of [...all, drawObject('slide', 4, new Generator(1))]) {
    const there = placed(motion, 2, -1, 0.7)
    t.same(startOf(there).map(Math.round), [2, -1])
    const back = placed(there, ...startOf(motion), -0.7)
    back.numbers.forEach((value, i) => Math.abs(value - motion.numbers[i]) < 1e-4 || t.fail(`number ${i}`))
  }
  const camera = orbit([0, 1, 0], { yaw: 1, pitch: 0.2, distance: 3 }, { width: 64, height: 48, focal: 70 })
  const point = unproject(camera, [12, 30, 2.5])
  t.match(
    project(camera, point).map(value => Number(value.toFixed(6))),
    [12, 30, 2.5],
  )
  t.end()
})

await t.test('captions', t => {
  t.equal(doingOf('walking'), 'is walking')
  t.equal(doingOf('soccer'), 'is playing soccer')
  t.equal(doingOf('basketball signal'), 'is giving basketball signals')
  t.equal(doingOf('salsa'), 'is dancing salsa')
  t.equal(doingOf(undefined), 'is moving')
  t.equal(article('orange ball'), 'an orange ball')
  t.end()
})
