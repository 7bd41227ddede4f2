// From part maps and joints to a scene; and `revision extract` where it cannot work.

import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { openRuntime } from '../../kernels/index.js'
import { openHuman, openQuadruped } from '../../models/index.js'
import { parsePartExtractorConfig } from '../../models/extractor/config.js'
import { PartExtractor } from '../../models/extractor/extractor.js'
import { vectorAt } from '../../models/body/quaternion.js'
import { runCli } from '../../pipeline/cli/program.js'
import { figureOf, type Figure } from '../../pipeline/extract/fit/figure.js'
import { drawParts, maskOverlap, poseEntity } from '../../pipeline/extract/fit/measure.js'
import { openExtractor } from '../../pipeline/extract/open-extractor.js'
import { PartDetector, type PartView } from '../../pipeline/extract/part-detector.js'
import { sceneLabels } from '../../pipeline/control/scene-masks.js'
import { readPicture } from '../../pipeline/media/decode.js'
import { writePng } from '../../pipeline/media/encode.js'
import { orbit, project } from '../../pipeline/render/camera.js'
import { initializeWeights, saveWeights } from '../../nn/index.js'
import { readSceneFile } from '../../pipeline/scene/scene-file.js'
import { Generator } from '../../tensor/index.js'
import { generateMotion } from '../../train/motion/generate.js'
import { personOf } from '../../train/motion/scene-file.js'
import { walk } from '../support/motion.js'

const folder = await mkdtemp(join(tmpdir(), 'revision-extract-'))
t.teardown(() => rm(folder, { recursive: true }))
const runtime = await openRuntime({ runtime: 'wasm' })
t.teardown(() => runtime.close())
const size = { width: 96, height: 96 }

/** What a network without flaws sees of a body in every frame. */
async function viewsOf(figure: Figure, numbers: Float32Array, yaw: number): Promise<PartView[]> {
  const truth = await poseEntity(runtime, figure, {
    kind: figure.kind,
    motion: { kind: figure.kind, numbers },
    shape: new Float32Array(),
  })
  const joints = figure.data.parents.length
  const frames = truth.joints.length / 3 / joints
  const target = vectorAt(truth.joints, 0)
  const distance = figure.kind === 'human' ? 4 : 2.5
  const camera = orbit(target, { yaw, pitch: 0.1, distance }, { ...size, focal: 1.15 * size.width })
  const each = truth.vertices.length / frames
  return Array.from({ length: frames }, (_, t) => {
    const seen = Array.from({ length: 22 }, (_, joint) => project(camera, vectorAt(truth.joints, t * joints + joint)))
    return {
      labels: drawParts(figure, truth.vertices.subarray(t * each, (t + 1) * each), camera, size),
      joints: seen.map(([x, y, z]) => ({ x, y, depth: z - seen[0][2], score: 1 })),
    }
  })
}

async function extract(views: readonly PartView[]) {
  let frame = 0
  const detector = new PartDetector(() => Promise.resolve(views[frame++]))
  using extractor = await openExtractor(runtime, { detector })
  const blank = { ...size, data: new Uint8Array(3 * size.width * size.height) }
  return extractor.extract(
    views.map(() => blank),
    { fps: 10 },
  )
}

await t.test('a person', async t => {
  const { numbers } = personOf(walk(10))
  const views = await viewsOf(figureOf(openHuman()), numbers.subarray(0, 4 * 168), 0.4)
  const scene = await extract(views)
  t.match(scene, { frames: 4, fps: 10, entities: [{ id: 'human-1', kind: 'human' }] })
  t.equal(scene.entities.length, 1)
  const overlap = maskOverlap(
    await sceneLabels(runtime, scene),
    views.map(({ labels }) => labels),
  )
  t.ok(overlap > 0.7, `IoU ${overlap}`)
})

await t.test('an animal, by the middles of its parts', async t => {
  const { numbers } = generateMotion('walk', 3, new Generator(4))
  const views = await viewsOf(figureOf(openQuadruped()), numbers, 1.2)
  const scene = await extract(views)
  t.match(scene.entities, [{ id: 'animal-1', kind: 'animal', name: 'animal' }])
  const whole = (maps: readonly PartView['labels'][]) =>
    maps.map(map => ({ ...map, data: map.data.map(label => Number(label > 0)) }))
  const overlap = maskOverlap(whole(await sceneLabels(runtime, scene)), whole(views.map(({ labels }) => labels)))
  t.ok(overlap > 0.6, `IoU of the whole ${overlap}`)
})

await t.test('nobody', async t => {
  const labels = { ...size, data: new Uint8Array(size.width * size.height) }
  labels.data.fill(3, 0, 3)
  const joints = Array.from({ length: 22 }, () => ({ x: 1, y: 1, depth: 0, score: 0 }))
  t.same((await extract([{ labels, joints }])).entities, [])
})

await t.test('on the command line: a scene, overlays and joints, by a part extractor that knows nothing', async t => {
  const parts = join(folder, 'parts')
  await mkdir(parts)
  const config = { model_type: 'part_extractor', image_size: 16, channels: [8, 8, 8, 8], joints: 22 }
  await writeFile(join(parts, 'config.json'), JSON.stringify(config))
  using network = new PartExtractor(parsePartExtractorConfig('config.json', JSON.stringify(config)))
  initializeWeights(runtime, network.weights, new Generator(1))
  await saveWeights(join(parts, 'model.safetensors'), network.weights)
  const picture = join(folder, 'noise.png')
  await writePng(picture, {
    width: 24,
    height: 16,
    data: Uint8Array.from(new Generator(2).randint(0, 256, 24 * 16 * 3)),
  })
  const out = join(folder, 'found')
  const [logged, errors] = [t.capture(console, 'log'), t.capture(process.stderr, 'write')]
  const code = await runCli(['extract', picture, '--out', out, '--detector', parts, '--json', '--runtime', 'wasm'])
  const told = String(logged()[0].args[0])
  for (const captured of [logged, errors]) captured.restore()
  t.equal(code, 0)
  const { frames, width, entities } = JSON.parse(told) as { frames: object[]; width: number; entities: object[] }
  t.match({ frames, width }, { frames: [{ entities: entities.map(() => ({ joints: {} })) }], width: 24 })
  const scene = await readSceneFile(out)
  t.equal(scene.entities.length, entities.length)
  t.equal((await readPicture(join(out, 'overlays/frame_0000.png'))).width, 24)
  t.ok(existsSync(join(out, 'sheet.png')))
})

await t.test('on the command line: nobody is told in a sentence, and the scene is there', async t => {
  const picture = join(folder, 'grey.png')
  await writePng(picture, { ...size, data: new Uint8Array(3 * size.width * size.height).fill(128) })
  const out = join(folder, 'nobody')
  const [logged, errors] = [t.capture(console, 'log'), t.capture(process.stderr, 'write')]
  const code = await runCli(['extract', picture, '--out', out, '--detector', 'pocket', '--runtime', 'wasm'])
  const lines = logged().map(({ args }) => String(args[0]))
  for (const captured of [logged, errors]) captured.restore()
  t.same(
    [code, ...lines],
    [
      0,
      'pocket found nobody and nothing to place in 1 frame: the scene is empty',
      'depth by ground contact',
      join(out, 'scene.json'),
    ],
  )
  t.same((await readSceneFile(out)).entities, [])
})

await t.test('on the command line: no frames, a video in one file, no detector', async t => {
  const cache = process.env.XDG_CACHE_HOME
  process.env.XDG_CACHE_HOME = folder
  t.teardown(() => (cache === undefined ? delete process.env.XDG_CACHE_HOME : (process.env.XDG_CACHE_HOME = cache)))
  const video = join(folder, 'video')
  await mkdir(video)
  await writeFile(join(folder, 'clip.mp4'), '')
  const out = join(folder, 'scene')
  const fails = async (...args: string[]) => {
    const errors = t.capture(console, 'error')
    t.equal(await runCli(['extract', ...args]), 2)
    const line = String(errors()[0].args[0])
    errors.restore()
    return line
  }
  t.match(await fails(video, '--out', out), /not the frames of a video; expected 1\.\.1024 PNG or JPEG files; got 0/)
  t.match(await fails(join(folder, 'none'), '--out', out), /the frames cannot be read; got ENOENT/)
  t.match(await fails(join(folder, 'clip.mp4'), '--out', out), /a video in one file is not decoded; .* try ffmpeg -i/)
  await writePng(join(video, '1.png'), { width: 2, height: 2, data: new Uint8Array(12) })
  t.match(await fails(video, '--out', out), /the detector is not installed; try revision setup extract/)
  const noDetector = /--detector: no such detector; expected human-models, pocket, or a folder with yolov8-seg\.onnx or/
  t.match(await fails(video, '--out', out, '--detector', folder), noDetector)
  await writeFile(join(folder, 'yolov8-seg.onnx'), 'no network')
  t.match(await fails(video, '--out', out, '--detector', folder), /onnx/)
  t.match(await fails(video, '--out', ''), /--out: empty; expected a path/)
  t.match(await fails(video, '--out', out, '--fps', '0'), /--fps: out of range/)
  t.notOk(existsSync(out), 'nothing is left behind')
})
