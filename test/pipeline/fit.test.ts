// Bodies fitted to points seen in rendered scenes, whose truth is known.

import t from 'tap'
import { openRuntime } from '../../kernels/index.js'
import { openHuman, openQuadruped } from '../../models/index.js'
import type { EntityMotion } from '../../models/pppm/encoding.js'
import { figureOf, type Figure } from '../../pipeline/extract/fit/figure.js'
import { fitBody } from '../../pipeline/extract/fit/fit.js'
import { fitGirth, girthOf } from '../../pipeline/extract/fit/girth.js'
import { drawParts, jointError, maskOverlap, poseEntity, sightOf } from '../../pipeline/extract/fit/measure.js'
import { nodeOf } from '../../pipeline/extract/fit/names.js'
import { TrackFitter } from '../../pipeline/extract/fit/body-fitter.js'
import { observationsOf } from '../../pipeline/extract/fit/observations.js'
import { descend } from '../../pipeline/extract/fit/optimise.js'
import { cameraOf, entityOf, pitchOf } from '../../pipeline/extract/fit/place.js'
import { lossData, placesOf } from '../../pipeline/extract/fit/prepare.js'
import { startOfPoints } from '../../pipeline/extract/fit/start.js'
import { widthsOf } from '../../pipeline/extract/fit/widths.js'
import { animalKeypoints } from '../../pipeline/extract/keypoints.js'
import { orbit } from '../../pipeline/render/camera.js'
import { Generator, UsageError } from '../../tensor/index.js'
import { generateMotion } from '../../train/motion/generate.js'
import { personOf } from '../../train/motion/scene-file.js'
import { walk } from '../support/motion.js'

const runtime = await openRuntime({ runtime: 'wasm' })
t.teardown(() => runtime.close())
const human = figureOf(openHuman())
const dog = figureOf(openQuadruped())
const size = 256
const fps = 10

/** Every third frame. */
function thinned({ kind, numbers }: EntityMotion, width: number, frames: number): EntityMotion {
  const rows = Array.from({ length: frames }, (_, t) => numbers.subarray(3 * t * width, (3 * t + 1) * width))
  return { kind, numbers: Float32Array.from(rows.flatMap(row => [...row])) }
}

async function rendered(
  figure: Figure,
  motion: EntityMotion,
  { yaw = 0.5, pitch = 0.15, distance = 4, shape: given = [] as number[] },
) {
  const random = new Generator(5)
  const shape = new Float32Array(figure.data.shapes)
  shape.set(given.length > 0 ? given : random.randn(figure.kind === 'human' ? 10 : 6))
  const truth = await poseEntity(runtime, figure, { kind: figure.kind, motion, shape })
  const joints = figure.data.parents.length
  const frames = truth.joints.length / 3 / joints
  const first = truth.joints.subarray(0, 3)
  const target = [first[0], first[1] - 0.1, first[2]] as const
  const camera = orbit(target, { yaw, pitch, distance }, { width: size, height: size, focal: 1.3 * size })
  const masksOf = (vertices: Float32Array, from = camera) =>
    Array.from({ length: frames }, (_, t) => {
      const each = vertices.length / frames
      return drawParts(figure, vertices.subarray(t * each, (t + 1) * each), from, { width: size, height: size })
    })
  return { truth, camera, random, masksOf }
}

await t.test('a person walks: all points seen', async t => {
  const { truth, camera, random, masksOf } = await rendered(human, thinned(personOf(walk(24)), 168, 8), {})
  const seen = sightOf(human, truth, { camera, random })
  const before = runtime.statistics().live
  const fit = await fitBody(runtime, human, seen, { lens: camera, fps, steps: 120 })
  t.equal(runtime.statistics().live, before, 'nothing stays in memory')
  t.ok(jointError(fit, truth, camera) < 0.03, `${jointError(fit, truth, camera)} m`)
  t.ok(fit.confidence.every(confidence => confidence > 0.9))

  const found = cameraOf([fit], camera)
  t.ok(Math.abs(pitchOf([fit]) - 0.15) < 0.12, 'how far the camera looks down')
  t.ok(Math.abs(found.position[1] - camera.position[1]) < 0.4, 'how high it stands')
  const entity = entityOf(fit, found, { id: 'human-1', name: 'person' })
  const { vertices } = await poseEntity(runtime, human, entity)
  const overlap = maskOverlap(masksOf(vertices, found), masksOf(truth.vertices))
  t.ok(overlap > 0.8, `IoU ${overlap}`)
})

await t.test('points are off by 5 pixels of 256, a fifth is missing, and a frame is lost', async t => {
  const { truth, camera, random } = await rendered(human, thinned(personOf(walk(24)), 168, 8), { yaw: -0.8 })
  const seen = sightOf(human, truth, { camera, random, noise: 5, missing: 0.2 })
  seen[3] = {}
  const fit = await fitBody(runtime, human, seen, { lens: camera, fps, steps: 120 })
  t.ok(jointError(fit, truth, camera) < 0.09, `${jointError(fit, truth, camera)} m`)
  t.equal(fit.confidence[3], 0)
  t.ok(fit.confidence[2] > 0.2 && fit.confidence[2] < 0.9)
})

await t.test('how far off points are, and how suddenly joints move, is told by a first fit', async t => {
  const { truth, camera, random } = await rendered(human, thinned(personOf(walk(24)), 168, 8), { distance: 4 })
  const widths = async (noise: number) => {
    const observations = observationsOf(human, sightOf(human, truth, { camera, random, noise }))
    const start = startOfPoints(human, observations, fps)
    const place = placesOf(human, observations, start, camera)
    const data = lossData(observations, start.turns, place, { lens: camera, fps })
    const shape = new Float32Array(human.shapes)
    return widthsOf(human, data, await descend(runtime, human, data, { pose: start.pose, place, shape }, 60))
  }
  const [exact, off] = [await widths(0), await widths(2.5)]
  t.equal(exact.picture, 0.015, 'no less is believed')
  // 2.5 pixels at 4 metres, seen with a focal length of 1.3 x 256 pixels, are 3 cm.
  t.ok(Math.abs(off.picture - 0.03) < 0.008 && Math.abs(off.space - 0.03) < 0.01, `${off.picture} ${off.space}`)
  const [spine, ankle] = ['spine2', 'left_ankle'].map(name => exact.bends[human.names.indexOf(name)])
  t.ok(ankle > 1.3 * spine, `${ankle} ${spine}`)
})

await t.test('a person seen in pictures alone, from behind', async t => {
  const { truth, camera, random } = await rendered(human, thinned(personOf(walk(6)), 168, 2), { yaw: 2.8 })
  const seen = sightOf(human, truth, { camera, random, depth: false })
  const fit = await fitBody(runtime, human, seen, { lens: camera, fps, steps: 80 })
  t.ok(jointError(fit, truth, camera) < 0.12, `${jointError(fit, truth, camera)} m`)
})

await t.test('a guess to begin with, in one of two frames: no way to face is tried', async t => {
  const motion = thinned(personOf(walk(6)), 168, 2)
  const { truth, camera, random } = await rendered(human, motion, { yaw: 0, pitch: 0 })
  const seen = sightOf(human, truth, { camera, random, depth: false })
  // The camera looks against z: its axes are the world's, half a turn about x away.
  const rotations = motion.numbers.slice(0, 72).map((value, i) => (i < 3 ? [Math.PI, 0, 0][i] : value))
  const guesses = [{ rotations, shape: new Float32Array(10) }, undefined]
  const fit = await fitBody(runtime, human, seen, { lens: camera, fps, guesses, steps: 60 })
  t.ok(jointError(fit, truth, camera) < 0.06, `${jointError(fit, truth, camera)} m`)
})

await t.test('how stout somebody is: by the pixels, which joints do not tell', async t => {
  t.equal(girthOf(human.data), 1)
  t.equal(girthOf(dog.data), 2)
  const motion = thinned(personOf(walk(6)), 168, 2)
  const { truth, camera, random, masksOf } = await rendered(human, motion, { shape: [0, 1.5] })
  const fit = await fitBody(runtime, human, sightOf(human, truth, { camera, random }), { lens: camera, fps, steps: 60 })
  t.ok(Math.abs(fit.shape[1]) < 0.2)
  const stout = await fitGirth(runtime, fit, [undefined, masksOf(truth.vertices)[1]], camera)
  t.ok(Math.abs(stout.shape[1] - 1.5) < 0.5, `${stout.shape[1]}`)
  t.equal(await fitGirth(runtime, fit, [], camera), fit)
})

await t.test("a dog by AP-10K's points", async t => {
  const motion = thinned(generateMotion('walk', 6, new Generator(2)), 108, 2)
  const { truth, camera, random } = await rendered(dog, motion, { yaw: 1.3, distance: 3 })
  const names = new Map(animalKeypoints.map(name => [nodeOf('animal', name), name]))
  const detections = sightOf(dog, truth, { camera, random, depth: false }).map(frame => ({
    kind: 'animal' as const,
    name: 'dog',
    box: { left: 0, top: 0, right: size - 1, bottom: size - 1 },
    score: 1,
    keypoints: Object.entries(frame).flatMap(([node, { pixel, confidence }]) => {
      const name = names.get(node)
      return name ? [{ name, x: pixel![0], y: pixel![1], score: confidence }] : []
    }),
  }))
  const track = { id: 'animal-1', kind: 'animal', name: 'dog', detections } as const
  const view = { width: size, height: size, frames: 2, fps, camera }
  const fitter = new TrackFitter(runtime, { steps: 80 })
  const fit = (await fitter.inCamera(track, view))!
  t.ok(jointError(fit, truth, camera) < 0.15, `${jointError(fit, truth, camera)} m`)
  const body = (await fitter.fit(track, view))!
  t.equal(body.motion.numbers.length, 2 * 108)
  t.equal(body.shape.length, 41)
  const empty = { ...track, detections: [undefined, { ...detections[0], keypoints: [] }] }
  t.equal(await fitter.fit(empty, view), undefined, 'nothing to fit to')
})

await t.test('mistakes', async t => {
  const lens = { focal: 300, centre: [128, 128] as const }
  await t.rejects(fitBody(runtime, human, [], { lens, fps }), UsageError)
  await t.rejects(fitBody(runtime, human, [{ tail: { pixel: [1, 2], confidence: 1 } }], { lens, fps }), {
    message: /fit: nothing to fit to; expected points such as pelvis/,
  })
  await t.rejects(fitBody(runtime, human, [{ nose: { pixel: [NaN, 2], confidence: 1 } }], { lens, fps }), {
    message: /frame 0, nose: a point that is no finite number/,
  })
})
