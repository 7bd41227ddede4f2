// Motions on their way through the stages: at other moments, to a target pose, before a camera.

import t from 'tap'
import { humanLabel } from '../../models/body/labels.js'
import { jointIndex, type EntityMotion } from '../../models/index.js'
import { project } from '../../pipeline/render/camera.js'
import { framesShown, sceneOfGiven } from '../../pipeline/revise/given.js'
import { mendScene } from '../../pipeline/revise/mend.js'
import { evenPlaces, motionAt, valuesAt } from '../../pipeline/revise/retime.js'
import { coarseSettings } from '../../pipeline/revise/settings.js'
import { solveSymmetric } from '../../pipeline/revise/solve.js'
import { tableOf } from '../../pipeline/revise/table.js'
import { aimScene } from '../../pipeline/revise/target.js'
import { entityPoints } from '../../pipeline/scene/entity-points.js'
import type { Scene } from '../../pipeline/scene/scene.js'
import type { GenerateSettings } from '../../pipeline/settings.js'
import { Generator } from '../../tensor/index.js'
import { generateMotion, personOf } from '../../train/index.js'
import { close } from '../support/compare.js'
import { strollingPerson } from '../support/motion.js'
import { sceneOf } from '../support/revise.js'

const person = personOf(strollingPerson(16))
const ball = generateMotion('roll', 16, new Generator(1))
const scene = sceneOf([person, ball], 128, 96, 30)

void t.test('a motion at other moments goes through the same poses', t => {
  t.same(motionAt(person, evenPlaces(16, 15)).numbers, person.numbers)
  const there = motionAt(person, evenPlaces(46, 15))
  const back = motionAt(there, evenPlaces(16, 45))
  close(t, back.numbers, person.numbers, 1e-5, 'there and back')
  const [a, b] = [0, 1].map(frame => entityPoints(person, frame))
  const half = entityPoints(motionAt(person, [0.5]), 0)
  close(
    t,
    half,
    a.map((value, i) => (value + b[i]) / 2),
    2e-3,
    'half way is between',
  )
  t.same(motionAt(ball, [-1, 99]).numbers.subarray(63), ball.numbers.subarray(15 * 63), 'beyond its ends it stands')
  t.same(Array.from(valuesAt([0, 1, 4], [0, 0.5, 2, 9])), [0, 0.5, 4, 4])
  t.end()
})

void t.test('what was seen in half of the frames is a motion of all, trusted as it was seen', async t => {
  const half: Scene = { ...sceneOf([motionAt(person, evenPlaces(4, 15))], 128, 96, 6) }
  half.entities[0].confidence[3] = 0
  const whole = await mendScene(half, { frames: 8, fps: 14, shown: 8, targeted: false })
  t.match(whole, { frames: 8, fps: 14, width: 128 })
  const [{ motion, confidence }] = whole.entities
  close(t, motion.numbers.subarray(0, 168), person.numbers.subarray(0, 168), 1e-6, 'the first frame')
  close(t, motion.numbers.subarray(7 * 168), person.numbers.subarray(15 * 168), 1e-5, 'the last one')
  t.equal(confidence[0], 1)
  t.equal(confidence[7], 0.5, 'not seen: half a certainty')
  t.ok(confidence[5] < 1 && confidence[5] > 0.5)
  await t.rejects(
    mendScene(half, { frames: 16, fps: 14, shown: 8, targeted: false }),
    /motion: shorter than the video, and there is no motion prior to carry it on; expected at most 8 frames/,
  )
})

void t.test('a body comes to a target pose, from the motion that it had', t => {
  const wrist = jointIndex('left_wrist')
  const at = (scene: Scene, frame: number): number[] => {
    const points = entityPoints(scene.entities[0].motion, frame)
    return [...project(scene.camera, [points[3 * wrist], points[3 * wrist + 1], points[3 * wrist + 2]])]
  }
  const [x, y] = at(scene, 15)
  const goal = { x: x - 4, y: y - 18 }
  const aimed = aimScene(scene, [{ entity: 'human-1', label: humanLabel('left hand'), part: 'left hand', ...goal }])
  t.equal(aimed.parts, 1)
  t.ok(aimed.error < 2, `${aimed.error} pixels off`)
  const [u, v] = at(aimed.scene, 15)
  t.ok(Math.hypot(u - goal.x, v - goal.y) < 4, 'the hand is raised')
  t.same(
    aimed.scene.entities[0].motion.numbers.subarray(0, 168),
    person.numbers.subarray(0, 168),
    'and was down to begin with',
  )
  const feet = (scene: Scene) => entityPoints(scene.entities[0].motion, 15).subarray(3 * jointIndex('left_foot'))
  close(t, feet(aimed.scene).subarray(0, 3), feet(scene).subarray(0, 3), 0.15, 'the feet stay')

  const other = aimScene(scene, [{ entity: 'object-2', label: 42, part: 'object 42', x: 20, y: 50 }])
  t.equal(other.parts, 1)
  t.ok(other.error < 0.5, 'an object is moved there')
  t.same(aimScene(scene, [{ label: 30, part: 'tail', x: 0, y: 0 }]), { scene, parts: 0, error: 0 }, 'nobody has a tail')
  t.end()
})

void t.test('a given motion is put where the picture shows somebody, or before a camera of its own', t => {
  const video = { width: 128, height: 96, frames: 4, fps: 10 }
  t.equal(framesShown([person], video), 4)
  t.equal(framesShown([person], { ...video, frames: 99 }), 6)
  const placed = sceneOfGiven([person], scene, video)
  t.match(placed, { frames: 10, fps: 30, camera: scene.camera })
  close(t, placed.entities[0].motion.numbers, person.numbers.subarray(0, 10 * 168), 1e-4, 'it was there already')
  const moved = { kind: person.kind, numbers: person.numbers.map((value, i) => value + Number(i % 168 === 165) * 3) }
  const back = sceneOfGiven([moved], scene, video)
  close(t, back.entities[0].motion.numbers, placed.entities[0].motion.numbers, 1e-4, 'wherever it was')

  const many = sceneOfGiven(new Array<EntityMotion>(30).fill(ball), undefined, video)
  t.equal(Math.max(...many.entities.map(({ label }) => label!)), 63, 'there are no labels beyond')

  const alone = sceneOfGiven([moved], undefined, video)
  for (let frame = 0; frame < 10; frame++) {
    const points = entityPoints(alone.entities[0].motion, frame)
    for (let i = 0; i < points.length; i += 3) {
      const [x, y, depth] = project(alone.camera, [points[i], points[i + 1], points[i + 2]])
      if (!(x > 0 && x < 128 && y > 0 && y < 96 && depth > 0)) return t.fail(`point ${i / 3} is not seen: ${x}, ${y}`)
    }
  }
  t.end()
})

void t.test('the coarse video is half of everything, as far as it can be', t => {
  const final: GenerateSettings = {
    ...{ frames: 25, steps: 50, width: 1024, height: 576, fps: 7, motionBucket: 127, noiseAug: 0.02 },
    ...{ minGuidance: 1, maxGuidance: 3, decodeChunk: 4, seed: 0 },
  }
  const of = (settings: Partial<GenerateSettings>, full = false) =>
    coarseSettings({ ...final, ...settings }, { shown: 25, full, step: 8 })
  t.match(of({}), { width: 512, height: 288, frames: 13, steps: 32, fps: 4 })
  t.match(of({ width: 96, height: 64 }), { width: 96, height: 64 })
  t.same(of({ frames: 60 }, true), final)
  t.end()
})

void t.test('small things', t => {
  const x = solveSymmetric(
    [
      [4, 2, 0],
      [2, 5, 1],
      [0, 1, 3],
    ],
    [8, 15, 11],
  )
  close(t, Float32Array.from(x), Float32Array.of(1, 2, 3), 1e-6, 'solves')
  const cost = { seconds: 2.04, peakBytes: 1000, reused: false }
  const table = tableOf(
    [
      { stage: 's1', ...cost },
      { stage: 's3', ...cost, reused: true },
    ],
    bytes => `${bytes} B`,
  )
  t.same(table, [
    'stage                      time  peak memory  paper (A100, 32 frames)',
    's1 coarse video           2.0 s       1000 B                      8 s',
    's3 video         2.0 s (before)       1000 B                     36 s',
    'all                       4.1 s       1000 B                     44 s',
  ])
  t.end()
})
