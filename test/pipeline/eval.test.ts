// What a model is judged by: how alike pictures are, where parts and joints are seen, and the cases that are compared.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { openRuntime } from '../../kernels/index.js'
import { openModelFolder } from '../../models/svd/folder.js'
import { measure, meanMeasures, partIoU } from '../../pipeline/eval/measures.js'
import { evaluatePocket, type PocketEvent } from '../../pipeline/eval/pocket.js'
import { psnr, ssim } from '../../pipeline/eval/similarity.js'
import { readTruth } from '../../pipeline/eval/truth.js'
import { verify } from '../../pipeline/verify/verify.js'
import { writeNpz } from '../../tensor/files/index.js'
import { FileError, ShapeError } from '../../tensor/index.js'
import { targetPolygons } from '../../train/svd/polygons.js'
import { movingSquare } from '../support/clips.js'
import { makeTinyModel } from '../support/model.js'
import { golden } from '../support/paths.js'
import { writeRendered } from '../support/rendered.js'

const folder = await mkdtemp(join(tmpdir(), 'eval-'))
t.teardown(() => rm(folder, { recursive: true }))
const runtime = await openRuntime({ runtime: 'wasm', quiet: true })
t.teardown(() => runtime.close())
const clips = await writeRendered(join(folder, 'clips'), 1, { frames: 2, size: 64 })

await t.test('similarity is that of scikit-image', async t => {
  for await (const outcome of verify(golden('lpips'), runtime)) t.match(outcome, { ok: true })
  const picture = { width: 16, height: 12, data: new Uint8Array(16 * 12 * 3).fill(90) }
  t.ok(Math.abs(ssim(picture, picture) - 1) < 1e-12)
  t.equal(psnr(picture, picture), Infinity)
  t.throws(() => psnr(picture, { ...picture, width: 12, height: 16 }), ShapeError)
  t.throws(() => ssim({ ...picture, height: 4 }, { ...picture, height: 4 }), ShapeError)
})

await t.test('rendered clips are read back, others refused', async t => {
  const [person] = (await readTruth(clips[0], { frames: 2, stride: 1 })).people!
  t.match(person, { people: 1, joints: 22 })
  await t.rejects(readTruth(clips[0], { frames: 3, stride: 1 }), FileError)
  const [path] = await writeRendered(join(folder, 'longer'), 1, { frames: 4, size: 64 })
  const [all, second] = [await readTruth(path, { stride: 1 }), await readTruth(path, { stride: 2 })]
  t.strictSame(second.frames[1], all.frames[2])
  t.strictSame(second.people![1], all.people![2])
  const other = join(folder, 'other.npz')
  await writeNpz(other, { frames: movingSquare(0).frames })
  await t.rejects(readTruth(other, { stride: 1 }), { name: 'FileError', message: /nothing to compare with/ })
})

await t.test('the truth itself has no error, and what is shifted has', async t => {
  const clip = await readTruth(clips[0], { stride: 1 })
  const seen = (shift: number) =>
    clip.labels.map((labels, frame) => ({
      labels: { ...labels, data: labels.data.map((_, i) => labels.data[i - shift] ?? 0) },
      joints: Array.from({ length: 22 }, (_, joint) => {
        const { places } = clip.people![frame]
        return { x: places[3 * joint] + shift, y: places[3 * joint + 1] }
      }),
    }))
  const exact = measure(clip.frames, seen(0), clip)
  t.match(exact, { iou: 1, joints: 0, psnr: Infinity })
  const shifted = measure(clip.frames, seen(2), clip)
  t.ok(shifted.iou < 0.9)
  t.ok(Math.abs(shifted.joints - 2) < 1e-5)
  const nobody = { ...clip, people: undefined }
  t.ok(Number.isNaN(measure(clip.frames, seen(0), nobody).joints))
  t.equal(meanMeasures([{ ...exact, joints: NaN }, shifted]).joints, shifted.joints)
  const map = (...data: number[]) => ({ width: 4, height: 1, data: Uint8Array.from(data) })
  t.equal(partIoU([map(1, 1, 2, 0)], [map(1, 2, 2, 0)]), 0.5)
})

await t.test('a target pose is drawn around all parts', async t => {
  const { labels } = await readTruth(clips[0], { stride: 1 })
  const target = targetPolygons(labels[1])
  t.same(new Set(target.data), new Set(labels[1].data))
  t.ok(labels[1].data.every((label, i) => label === 0 || target.data[i] > 0))
})

await t.test('cases are made of every clip and compared', async t => {
  const path = join(folder, 'model')
  await makeTinyModel(path)
  const model = await openModelFolder(path)
  const eventsOf = async (clips: readonly string[], frames = 2) => {
    const events: PocketEvent[] = []
    for await (const event of evaluatePocket({
      model,
      runtime,
      clips,
      settings: { frames, steps: 1, minGuidance: 1, maxGuidance: 1 },
      see: async ({ width, height, data }) => ({
        labels: { width, height, data: Uint8Array.from({ length: width * height }, (_, i) => data[3 * i] % 24) },
        joints: [{ x: 1, y: 1 }],
      }),
      refine: async image => [image, image],
    }))
      events.push(event)
    return events
  }
  const events = await eventsOf(clips)
  t.same(
    events.map(({ type }) => type),
    ['start', 'clip', 'done'],
  )
  const done = events.at(-1)!
  if (done.type !== 'done') throw new Error('not done')
  t.same(
    done.rows.map(row => row.case),
    ['truth', 'image only', 'target pose', 'full motion', 'refined motion'],
  )
  t.equal(done.rows[0].psnr, Infinity)
  t.ok(done.rows.slice(1).every(({ psnr, ssim, iou }) => psnr > 0 && ssim < 1 && iou < 1))
  t.type(done.claims.refinedJointsNearer, 'boolean')

  const square = join(folder, 'square.npz')
  await writeNpz(square, movingSquare(0))
  const { claims } = (await eventsOf([square])).at(-1) as Extract<PocketEvent, { type: 'done' }>
  t.equal(claims.refinedJointsNearer, undefined, 'of nobody joints cannot be told')
  t.type(claims.refinedPicturesCloser, 'boolean')
  await t.rejects(eventsOf(clips, 1), /frames: nothing to compare; expected 2 or more; got 1/)
})
