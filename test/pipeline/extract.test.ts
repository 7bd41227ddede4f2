// Extraction: cameras found by who stands on the floor, objects lifted by size or by a network's depth, and the whole
// way from frames to a scene file.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { openRuntime } from '../../kernels/open.js'
import type { Vector } from '../../models/body/quaternion.js'
import type { Detection, Detector, Track } from '../../pipeline/extract/detection.js'
import type { DepthEstimator, SceneView } from '../../pipeline/extract/extractor.js'
import { TrackFitter } from '../../pipeline/extract/fit/body-fitter.js'
import { cameraOfTracks, contactDepth, floorDepth } from '../../pipeline/extract/ground.js'
import { cocoKeypoints } from '../../pipeline/extract/keypoints.js'
import { metricDepth } from '../../pipeline/extract/metric-depth.js'
import { PosedDetector } from '../../pipeline/extract/onnx/posed-detector.js'
import { liftTrack } from '../../pipeline/extract/objects/lift.js'
import { SceneExtractor } from '../../pipeline/extract/scene-extractor.js'
import { project } from '../../pipeline/render/camera.js'
import { readSceneFile, writeSceneFile } from '../../pipeline/scene/scene-file.js'
import { UsageError } from '../../tensor/index.js'
import { ball, blank, depthOf, stage, stageCamera, standing } from '../support/stage.js'

const track = (id: string, detections: readonly (Detection | undefined)[]): Track => {
  const { kind, name } = detections.find(Boolean)!
  return { id, kind, name, detections }
}
const view = (frames: number): SceneView => ({ ...stage, frames, fps: 8, camera: stageCamera })
const pitchOf = (camera: typeof stageCamera) => Math.asin(-camera.axes[2][1])
const centreOf = (numbers: Float32Array, frame: number) => [...numbers.subarray(63 * frame + 12, 63 * frame + 15)]

await t.test('people at several distances tell the camera’s height and pitch', async t => {
  const people = [
    standing(-1, -4, 1.75),
    standing(0.5, -5, 1.62),
    standing(1.5, -8, 1.7),
    standing(-2, -11, 1.66),
    standing(-0.3, -14, 1.72),
  ]
  const camera = cameraOfTracks(
    people.map((person, i) => track(`human-${i}`, [person])),
    stage,
  )
  t.ok(Math.abs(camera.position[1] - 1.5) < 0.15, `${camera.position[1].toFixed(2)} m`)
  t.ok(Math.abs(pitchOf(camera) - 0.15) < 0.03, `${pitchOf(camera).toFixed(3)} rad`)
  for (const [i, z] of [4, 5, 8].entries()) {
    const depth = contactDepth(camera, people[i].box, stage.height)!
    t.ok(Math.abs(depth / z - 1) < 0.15, `${depth.toFixed(2)} m for ${z} m`)
  }
})

await t.test('nobody seen: the usual camera; a floor has no depth above the horizon', async t => {
  const camera = cameraOfTracks([], stage)
  t.ok(Math.abs(camera.position[1] - 1.4) < 1e-6 && Math.abs(pitchOf(camera) - 0.1) < 1e-6)
  t.equal(floorDepth(camera, 80, 0), undefined)
  const [x, y, z] = project(stageCamera, [0.7, 0, -6])
  t.ok(Math.abs(floorDepth(stageCamera, x, y)! - z) < 1e-6)
  // Feet that the picture cuts off tell nothing.
  t.equal(
    contactDepth(stageCamera, { left: 10, top: 10, right: 30, bottom: stage.height - 0.5 }, stage.height),
    undefined,
  )
})

await t.test('things of no known size push the horizon above them', async t => {
  const vase: Detection = {
    ...ball([0, 0.2, -12], 0.2),
    name: 'vase',
    box: { left: 60, top: 20, right: 70, bottom: 32 },
  }
  const camera = cameraOfTracks([track('object-1', [vase])], stage)
  t.ok(floorDepth(camera, 65, 32))
})

await t.test('a ball that bounces is where it is, by its size where it touches the floor', async t => {
  const radius = 0.25
  const places = Array.from({ length: 10 }, (_, frame): Vector => [
    -1.2 + 0.25 * frame,
    radius + 0.9 * Math.abs(Math.sin((Math.PI * frame) / 4)),
    -4 - 0.15 * frame,
  ])
  const { motion, confidence } = liftTrack(
    track(
      'object-1',
      places.map(place => ball(place, radius)),
    ),
    view(10),
  )!
  places.forEach((place, frame) => {
    const [x, y, z] = centreOf(motion.numbers, frame)
    const off = Math.hypot(x - place[0], y - place[1], z - place[2])
    t.ok(off < 0.4, `frame ${frame}: ${off.toFixed(2)} m off`)
  })
  t.ok(confidence.every(value => Math.abs(value - 0.8) < 1e-6))
})

await t.test('hidden for some frames, a thing goes on evenly, trusted nowhere between', async t => {
  const detections = Array.from({ length: 9 }, (_, frame) =>
    frame === 0 || (frame > 3 && frame < 6) || frame === 8 ? undefined : ball([-1 + 0.2 * frame, 0.25, -5], 0.25),
  )
  const { motion, confidence } = liftTrack(track('object-1', detections), view(9))!
  const xs = Array.from({ length: 9 }, (_, frame) => centreOf(motion.numbers, frame)[0])
  for (const frame of [4, 5]) t.ok(Math.abs(xs[frame] - (xs[3] + ((frame - 3) * (xs[6] - xs[3])) / 3)) < 1e-5)
  t.equal(xs[0], xs[1])
  t.equal(xs[8], xs[7])
  t.same(
    Array.from(confidence, value => value > 0),
    [false, true, true, true, false, false, true, true, false],
  )
})

await t.test('a network’s depth becomes metres by who touches the floor, whatever scale each frame has', async t => {
  const frames = [0, 1, 2, 3]
  const people = frames.map(frame => [standing(-1, -4, 1.7), standing(0.5 + 0.2 * frame, -9, 1.7)])
  const thing = ball([0.9, 1.2, -3.5], 0.3)
  const maps = frames.map(frame =>
    depthOf(
      [
        { mask: people[frame][0].mask!, depth: project(stageCamera, [-1, 0.8, -4])[2] },
        { mask: people[frame][1].mask!, depth: project(stageCamera, [0.5, 0.8, -9])[2] },
        { mask: thing.mask!, depth: project(stageCamera, [0.9, 1.2, -3.5])[2] },
      ],
      5 + frame,
      0.3 * frame,
    ),
  )
  const tracks = [0, 1].map(i =>
    track(
      `human-${i + 1}`,
      frames.map(frame => people[frame][i]),
    ),
  )
  const metres = metricDepth(maps, tracks, stageCamera)!
  const { motion } = liftTrack(
    track(
      'object-1',
      frames.map(() => thing),
    ),
    { ...view(4), depth: metres },
  )!
  for (const frame of frames) {
    const [x, y, z] = centreOf(motion.numbers, frame)
    t.ok(Math.hypot(x - 0.9, y - 1.2, z + 3.5) < 0.25, `${x.toFixed(2)} ${y.toFixed(2)} ${z.toFixed(2)}`)
  }
  t.equal(metricDepth(maps, [], stageCamera), undefined)
})

/** A detector that tells what it is given, frame by frame. */
function told(detections: readonly (readonly Detection[])[]): Detector {
  let frame = 0
  return { detect: () => Promise.resolve([...detections[frame++]]) }
}

await t.test('frames become a scene, which can be written and read', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'revision-extract-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const rolling = Array.from({ length: 5 }, (_, frame) => [
    standing(-1, -5, 1.7),
    ball([-0.5 + 0.2 * frame, 0.25, -4], 0.25),
    ball([0.5, 0.25, -6], 0.25),
  ])
  const steps = new Set<string>()
  const scene = await new SceneExtractor({ detector: told(rolling) }).extract(
    rolling.map(() => blank()),
    { fps: 8, onProgress: step => steps.add(step) },
  )
  t.same(
    scene.entities.map(({ id, label }) => [id, label]),
    [
      ['object-1', 41],
      ['object-2', 42],
    ],
  )
  t.equal(scene.depth, 'ground contact')
  t.same([...steps], ['detect', 'track'])
  await writeSceneFile(folder, scene)
  t.same((await readSceneFile(folder)).entities, scene.entities)
})

await t.test('a person with keypoints is in the scene, with depth of a network where there is one', async t => {
  const person = standing(0, -4, 1.7)
  const { box } = person
  // Somebody flat in the picture: shares of the box, from its left upper corner.
  const figure: Record<string, [number, number]> = { nose: [0.5, 0.07], shoulder: [0.8, 0.2], elbow: [0.95, 0.36] }
  Object.assign(figure, {
    wrist: [1, 0.5],
    hip: [0.65, 0.5],
    knee: [0.66, 0.74],
    ankle: [0.66, 0.96],
    eye: [0.53, 0.05],
  })
  const keypoints = cocoKeypoints.flatMap(name => {
    const part = name.replace(/^(left|right)_/, '')
    const [x, y] = figure[part] ?? []
    if (x === undefined) return []
    const across = name.startsWith('right') ? 1 - x : x
    return [{ name, x: box.left + across * (box.right - box.left), y: box.top + y * (box.bottom - box.top), score: 1 }]
  })
  const depth: DepthEstimator = {
    estimate: () => Promise.resolve(depthOf([{ mask: person.mask!, depth: 4 }], 3, 0.1)),
  }
  const fitter = new TrackFitter(await openRuntime({ runtime: 'reference' }), { steps: 3 })
  // A point that is nowhere does not spoil the others.
  const nowhere = { name: 'left_heel', x: NaN, y: 1e9, score: 1 } as const
  const detector = told([0, 1].map(() => [{ ...person, keypoints: [...keypoints, nowhere] }]))
  const scene = await new SceneExtractor({ detector, fitter, depth }).extract([blank(), blank()])
  t.match(scene, { depth: 'network', fps: 7, entities: [{ id: 'human-1', name: 'person' }] })
  t.ok(scene.entities[0].motion.numbers.every(Number.isFinite))
})

await t.test('what is found and not in the scene is told, with why', async t => {
  const leftOut: string[] = []
  const onLeftOut = ({ name }: Track, why: string) => leftOut.push(`${name}: ${why}`)
  const fitter = new TrackFitter(await openRuntime({ runtime: 'reference' }), { steps: 1 })
  // A dog whose points nobody tells, and more balls than there are labels.
  const balls = Array.from({ length: 25 }, (_, i): Detection => {
    const [left, top] = [4 + 19 * (i % 8), 4 + 22 * Math.floor(i / 8)]
    return { ...ball([0, 0.2, -4], 0.1), mask: undefined, box: { left, top, right: left + 12, bottom: top + 12 } }
  })
  const detector = told([[{ ...standing(0, -4, 0.6, 'dog'), kind: 'animal' }, ...balls]])
  const { entities } = await new SceneExtractor({ detector, fitter }).extract([blank()], { onLeftOut })
  t.same(
    entities.map(({ label }) => label),
    Array.from({ length: 23 }, (_, i) => 41 + i),
  )
  t.same(leftOut.sort(), [
    'dog: too little of it is seen',
    'sports ball: a scene holds no more',
    'sports ball: a scene holds no more',
  ])
})

await t.test('whom a fit puts out of all bounds is left out, and the scene can be written', async t => {
  const fitter = new TrackFitter(await openRuntime({ runtime: 'reference' }), { steps: 1 })
  const fit = fitter.inCamera.bind(fitter)
  fitter.inCamera = async (...given) => {
    const found = (await fit(...given))!
    return { ...found, nodes: found.nodes.map(() => 1e7) }
  }
  const person = standing(0, -4, 1.7)
  const keypoints = cocoKeypoints.map((name, i) => ({ name, x: 60 + i, y: 20 + 3 * i, score: 1 }))
  const leftOut: string[] = []
  const onLeftOut = ({ id }: Track) => leftOut.push(id)
  const scene = await new SceneExtractor({ detector: told([[{ ...person, keypoints }]]), fitter }).extract([blank()], {
    onLeftOut,
  })
  t.same([scene.entities, leftOut], [[], ['human-1']])
})

await t.test('a detector that remembers is told where a video begins', async t => {
  const heard: string[] = []
  const detector: Detector = {
    begin: () => void heard.push('begin'),
    detect: () => Promise.resolve(heard.push('frame') ? [] : []),
  }
  const extractor = new SceneExtractor({ detector: new PosedDetector(detector, []) })
  for (let video = 0; video < 2; video++) await extractor.extract([blank(), blank()])
  t.same(heard, ['begin', 'frame', 'frame', 'begin', 'frame', 'frame'])
})

await t.test('nothing found is a scene of nothing; frames that do not go together are refused', async t => {
  const none: Detector = { detect: () => Promise.resolve([]) }
  const scene = await new SceneExtractor({ detector: none }).extract([blank(), blank()])
  t.same(scene.entities, [])
  await t.rejects(new SceneExtractor({ detector: none }).extract([]), UsageError)
  const long = new Array(1025).fill(blank())
  await t.rejects(new SceneExtractor({ detector: none }).extract(long), /expected 1\.\.1024 pictures; got 1025/)
  const small = { width: 2, height: 2, data: new Uint8Array(12) }
  await t.rejects(
    new SceneExtractor({ detector: none }).extract([blank(), small]),
    /frame 1: not of the size of the first/,
  )
  const signal = AbortSignal.abort(new Error('enough'))
  await t.rejects(new SceneExtractor({ detector: none }).extract([blank()], { signal }), /enough/)
  const broken = { ...ball([0, 1, -4], 0.3), box: { left: NaN, top: 0, right: 1, bottom: 2 } }
  t.same((await new SceneExtractor({ detector: told([[broken]]) }).extract([blank()])).entities, [])
})
