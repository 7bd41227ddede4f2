// The three stages joined: what each is asked and leaves, what is done again and what is not, and what is refused.

import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { jointIndex } from '../../models/index.js'
import { readSketch } from '../../pipeline/control/sketch-file.js'
import { readPicture } from '../../pipeline/media/decode.js'
import { project } from '../../pipeline/render/camera.js'
import type { ReviseEvent, ReviseOptions, ReviseResult } from '../../pipeline/revise/events.js'
import { revise } from '../../pipeline/revise/revise.js'
import { entityPoints } from '../../pipeline/scene/entity-points.js'
import { readSceneFile, writeSceneFile } from '../../pipeline/scene/scene-file.js'
import { personOf } from '../../train/index.js'
import { strollingPerson } from '../support/motion.js'
import { golden } from '../support/paths.js'
import { model, pipelineRuntime } from '../support/pipeline.js'
import { sceneOf, seeing, writePrior } from '../support/revise.js'

const place = await mkdtemp(join(tmpdir(), 'revision-test-'))
t.teardown(() => rm(place, { recursive: true }))
const image = await readPicture(golden('svd-pipeline-tiny/square.png'))
const runtime = await pipelineRuntime('wasm')
const people = [personOf(strollingPerson(16)), personOf(strollingPerson(16, 1.5))]
// The tiny model makes four frames at once.
const small = { model, image, runtime, width: 64, height: 64, frames: 4, steps: 2, decodeChunk: 1, fps: 7 }
const tools = seeing(people)

let folders = 0
const newFolder = () => join(place, `run-${folders++}`)

async function run(options: Partial<ReviseOptions> = {}): Promise<{ events: ReviseEvent[]; result: ReviseResult }> {
  const events: ReviseEvent[] = []
  const going = revise({ ...small, tools, out: newFolder(), ...options })
  for (let next = await going.next(); ; next = await going.next()) {
    if (next.done) return { events, result: next.value }
    events.push(next.value)
  }
}

const partsOf = (events: readonly ReviseEvent[]) =>
  events.flatMap(event => (event.type === 'part-end' ? [`${event.stage}${event.reused ? ' again' : ''}`] : []))

const noticesOf = (events: readonly ReviseEvent[]) =>
  events.flatMap(event => (event.type === 'notice' ? [event.message] : []))

await t.test('a picture goes through all stages, each of which keeps what it made', async t => {
  const out = newFolder()
  const before = runtime.statistics().live
  const { events, result } = await run({ out })
  t.equal(runtime.statistics().live, before, 'nothing is left in memory')
  t.match(events[0], {
    type: 'revise',
    settings: { frames: 4, steps: 2, width: 64 },
    // A side below 64 is not made smaller; half of the frames over the same time.
    coarse: { frames: 2, steps: 1, width: 64, fps: 2 },
    stages: ['s1', 's2', 's3'],
  })
  t.match(
    events.find(({ type }) => type === 'seen'),
    { frames: 2, entities: [{ id: 'human-1', seen: 2 }, { id: 'human-2' }] },
  )
  t.same(partsOf(events), ['s1', 's2', 's3'])
  t.match(noticesOf(events), [/no input channels for part masks/])
  t.equal(result.frames.length, 4)
  t.same((await readdir(out)).sort(), ['s1', 's2', 's3'], 'no checkpoints, no partial folders')
  const files = async (stage: string) =>
    (await readdir(join(out, stage))).filter(name => !name.endsWith('tensors')).sort()
  const video = ['settings.json', 'sheet.png', 'stage.json', 'video.mp4']
  const stills = (count: number) => Array.from({ length: count }, (_, i) => `frame_000${i}.png`)
  t.same(await files('s1'), [...stills(2), ...video])
  t.same(await files('s2'), [
    ...['overlay_0000.png', 'overlay_0001.png', 'overlays.png'],
    ...['scene.json', 'seen.json', 'stage.json'],
  ])
  t.same(await files('s3'), [...stills(4), ...video])
  const scene = await readSceneFile(join(out, 's2'))
  t.match(scene, { frames: 4, fps: 7, width: 64, height: 64 })
  t.same(scene.entities[0].motion.numbers.subarray(0, 168), people[0].numbers.subarray(0, 168))

  const again = await run({ out })
  t.same(partsOf(again.events), ['s1 again', 's2 again', 's3 again'])
  t.same(again.result.frames, result.frames, 'the same frames')

  await rm(join(out, 's3'), { recursive: true })
  const third = await run({ out })
  t.same(partsOf(third.events), ['s1 again', 's2 again', 's3'])
  t.same(third.result.frames, result.frames)
})

await t.test('the folder of another run is refused, and says what differs', async t => {
  const out = newFolder()
  await run({ out, stages: ['s1'] })
  const cases: [Partial<ReviseOptions>, RegExp][] = [
    [{ seed: 1 }, /s1: made by a run of other settings; expected seed 1; got seed 0; try the settings of that run/],
    [{ fullCoarse: true }, /expected frames 4, steps 2, fps 7; got frames 2, steps 1, fps 2/],
    [{ image: { ...image, data: image.data.map(value => 255 - value) } }, /expected image [\da-f]{8}; got image/],
  ]
  for (const [options, message] of cases) await t.rejects(run({ out, ...options }), { name: 'UsageError', message })
  await run({ out, stages: ['s2'] })
  await t.rejects(run({ out, seed: 1 }), /s1: .*; expected seed 1; got seed 0;/, 'of all that differs what was asked')
  await t.rejects(run({ out, strength: 0.7 }), /s2: .*; expected strength 0.7; got strength of the prior/)
  await t.rejects(run({ out, tools: { ...tools, name: 'others' } }), /expected tools others; got tools of a test/)
  await rm(join(out, 's1/stage.json'))
  await t.rejects(run({ out }), /s1: not the results of a stage; try another output folder/)
})

await t.test('a detector or a prior that cannot be used is told before the first video is made', async t => {
  const out = newFolder()
  const openExtractor = () => Promise.reject(new Error('no detector'))
  await t.rejects(run({ out, tools: { ...tools, openExtractor } }), /no detector/)
  await t.rejects(run({ out, pppm: golden('svd-pipeline-tiny/square.png') }), { name: 'FileError' })
  t.same(await readdir(out), [])
})

await t.test('stages run alone; what they need must be there', async t => {
  const out = newFolder()
  await t.rejects(run({ out, stages: ['s2'] }), /s1: s2 needs what s1 makes, and it is not there; try running s1/)
  await t.rejects(run({ out, stages: ['s3'] }), /s2: s3 needs what s2 makes/)
  const first = await run({ out, stages: ['s1'] })
  t.equal(first.result.frames.length, 2)
  t.same(partsOf((await run({ out, stages: ['s2'] })).events), ['s1 again', 's2'])
  // Somebody looks at the scene and changes it.
  const scene = await readSceneFile(join(out, 's2'))
  await run({ out, stages: ['s3'] })
  await writeSceneFile(join(out, 's2'), { ...scene, entities: scene.entities.slice(1) })
  await t.rejects(run({ out, stages: ['s3'] }), /s3: .*expected scene [\da-f]{8}; got scene/)
  await rm(join(out, 's3'), { recursive: true })
  const { events, result } = await run({ out, stages: ['s3'] })
  t.same(partsOf(events), ['s1 again', 's2 again', 's3'])
  t.equal(result.scene?.entities.length, 1)
})

await t.test('where nothing is found the video is made at full size all the same', async t => {
  const { events, result } = await run({ tools: seeing([]) })
  t.same(partsOf(events), ['s1', 's2', 's3'])
  t.match(noticesOf(events), [/nobody and nothing that moves was found/])
  t.equal(result.frames.length, 4)
})

await t.test('a given motion takes the place of the first stage', async t => {
  const own = seeing(people)
  const { events, result } = await run({ tools: own, motion: people })
  t.same(partsOf(events), ['s2', 's3'])
  t.same(own.asked, [1], 'only the picture is looked at')
  t.match(result.scene?.entities, [{ name: 'human' }, {}])
  const scene = sceneOf(people, 128, 128, 30)
  const { result: other } = await run({ motion: scene })
  const { camera } = scene
  t.match(other.scene, { camera: { ...camera, focal: camera.focal / 2, centre: [31.5, 31.5] } })
  await t.rejects(run({ motion: sceneOf(people, 128, 64, 30) }), /motion: a scene of other proportions than the video/)
  await t.rejects(run({ motion: people, stages: ['s1'] }), /stages: a given motion takes the place of s1; try s2,s3/)
  const short = [personOf(strollingPerson(4))]
  await t.rejects(
    run({ motion: short }),
    /frames: the motion is shorter than the video; expected at most 1, or a motion/,
  )
})

await t.test('a signal leaves a folder that the same run goes on with', async t => {
  const whole = await run()
  const out = newFolder()
  for (const moment of ['step', 'seen', 'frames'] as const) {
    const controller = new AbortController()
    const stopped = async () => {
      for await (const event of revise({ ...small, tools, out, signal: controller.signal }))
        if (event.type === moment) controller.abort(new Error('enough'))
    }
    await t.rejects(stopped(), { message: 'enough' }, moment)
    t.notOk(
      (await readdir(out)).some(name => name.includes('partial')),
      moment,
    )
  }
  const { result } = await run({ out })
  t.same(result.frames, whole.result.frames)
  t.same((await readdir(out)).sort(), ['s1', 's2', 's3'])
})

await t.test('the prior mends the motion, and carries it on for a video of many clips', async t => {
  const pppm = join(place, 'pppm.safetensors')
  await writePrior(pppm, runtime)
  const motion = people
  const long = { out: newFolder(), pppm, motion, frames: 10, strength: 0.5 }
  const { result } = await run(long)
  t.equal(result.frames.length, 10)
  const { entities } = result.scene!
  // Sixteen frames at 30 a second are four at 7; what comes behind is half sure.
  t.same(Array.from(entities[0].confidence.subarray(0, 4)), [1, 1, 1, 1])
  t.equal(entities[0].confidence[9], 0.5)
  t.equal(entities[1].motion.numbers.length, 10 * 168)
  await t.rejects(run({ ...long, overlap: 3 }), /s3: .*expected clips 0-4 1-5 .*; got clips 0-4 3-7 6-10; try/)
  await t.rejects(run({ pppm, strength: 2 }), /strength: out of range; expected 0..1; got 2/)
  await t.rejects(run({ pppm: join(place, 'none') }), { name: 'FileError', message: /weights of the motion prior/ })
  await t.rejects(
    run({ frames: 10 }),
    /frames: more than the model makes at once; expected at most 4, or a motion prior/,
  )
})

await t.test('a sketched pose is the mask of the coarse video and the end of the motion', async t => {
  const circle = { type: 'circle', part: 'left hand', centre: [0.58, 0.33], radius: 0.04 }
  const drag = { type: 'drag', from: [0.5, 0.5], to: [0.6, 0.2] }
  const sketchOf = (...shapes: object[]) =>
    readSketch('sketch.json', JSON.stringify({ version: 1, units: 'relative', shapes }))
  const one = seeing(people.slice(0, 1))
  const { events, result } = await run({ tools: one, sketch: sketchOf(circle) })
  t.match(
    events.find(({ type }) => type === 'target'),
    { parts: 1 },
  )
  t.same(one.asked, [2], 'shapes need not see the picture beforehand')
  const [{ motion }] = result.scene!.entities
  const hand = entityPoints(motion, 3).subarray(3 * jointIndex('left_wrist'))
  const [x, y] = project(result.scene!.camera, [hand[0], hand[1], hand[2]])
  t.ok(Math.hypot(x - 0.58 * 64, y - 0.33 * 64) < 4, `the hand is at ${x}, ${y}`)
  t.match(noticesOf(events), [/no input channels/, /no input channels/])

  const out = newFolder()
  await t.rejects(run({ out, sketch: sketchOf({ ...drag, from: [0.01, 0.01] }) }), /sketch.json: shapes\[0\]/)
  t.same(await readdir(out), [], 'nothing was made by then')
})
