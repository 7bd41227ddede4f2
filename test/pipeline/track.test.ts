// Tracking: who is who while people cross and things hide.

import t from 'tap'
import type { Picture } from '../../models/svd/picture.js'
import { assign } from '../../pipeline/extract/assign.js'
import type { Box, Detection } from '../../pipeline/extract/detection.js'
import { overlap, trackDetections } from '../../pipeline/extract/track.js'
import { Generator } from '../../tensor/index.js'

type Colour = readonly [number, number, number]
const [red, blue]: Colour[] = [
  [200, 40, 30],
  [30, 60, 190],
]

interface Actor {
  readonly name: string
  readonly colour: Colour
  readonly size: readonly [number, number]
  /** Where its middle is in a frame; nothing where it is hidden. */
  at(frame: number): readonly [number, number] | undefined
}

/** Frames with actors drawn as boxes, those named first behind, and what a detector finds: in another order each time. */
function film(actors: readonly Actor[], count: number) {
  const [width, height] = [96, 64]
  const frames: Picture[] = []
  const found: Detection[][] = []
  for (let frame = 0; frame < count; frame++) {
    const data = new Uint8Array(3 * width * height).fill(120)
    const detections = actors.flatMap(({ name, colour, size, at }): Detection[] => {
      const middle = at(frame)
      if (!middle) return []
      const [[x, y], [w, h]] = [middle, size]
      const box: Box = { left: x - w / 2, top: y - h / 2, right: x + w / 2, bottom: y + h / 2 }
      for (let py = Math.max(0, Math.ceil(box.top)); py <= Math.min(height - 1, box.bottom); py++)
        for (let px = Math.max(0, Math.ceil(box.left)); px <= Math.min(width - 1, box.right); px++)
          data.set(colour, 3 * (py * width + px))
      return [{ kind: name === 'person' ? 'human' : 'object', name, box, score: 0.9, keypoints: [] }]
    })
    frames.push({ width, height, data })
    found.push(frame % 2 === 0 ? detections : detections.reverse())
  }
  return { frames, found }
}

const person = (colour: Colour, at: Actor['at']): Actor => ({ name: 'person', colour, size: [14, 40], at })
const middles = (detections: readonly (Detection | undefined)[]) =>
  detections.map(detection => detection && (detection.box.left + detection.box.right) / 2)

await t.test('two people cross, and each stays who it is', async t => {
  const { frames, found } = film(
    [person(red, frame => [15 + 5 * frame, 32]), person(blue, frame => [80 - 5 * frame, 32])],
    14,
  )
  const tracks = trackDetections(frames, found)
  t.same(tracks.map(({ id, name }) => [id, name]).sort(), [
    ['human-1', 'person'],
    ['human-2', 'person'],
  ])
  const ways = tracks.map(({ detections }) => middles(detections)).sort((a, b) => a[0]! - b[0]!)
  t.same(
    ways[0],
    Array.from({ length: 14 }, (_, frame) => 15 + 5 * frame),
  )
  t.same(
    ways[1],
    Array.from({ length: 14 }, (_, frame) => 80 - 5 * frame),
  )
})

await t.test('two in the same clothes cross: the way each goes tells them apart', async t => {
  const { frames, found } = film(
    [person(red, frame => [12 + 6 * frame, 30]), person(red, frame => [84 - 6 * frame, 34])],
    12,
  )
  const [a, b] = trackDetections(frames, found)
  for (const { detections } of [a, b]) {
    const way = middles(detections)
    const step = way[1]! - way[0]!
    t.ok(
      way.every((x, frame) => x === way[0]! + step * frame),
      way.join(' '),
    )
  }
})

await t.test('one goes behind another and is not found there, then comes out as the same', async t => {
  const { frames, found } = film(
    [person(blue, frame => (frame >= 5 && frame <= 9 ? undefined : [10 + 5 * frame, 32])), person(red, () => [45, 32])],
    16,
  )
  const tracks = trackDetections(frames, found)
  t.equal(tracks.length, 2)
  const hidden = tracks.find(({ detections }) => !detections[7])!
  t.same(
    middles(hidden.detections),
    Array.from({ length: 16 }, (_, frame) => (frame >= 5 && frame <= 9 ? undefined : 10 + 5 * frame)),
  )
})

await t.test('a ball that is gone for long, or comes back as another, is another', async t => {
  const ball = (colour: Colour, at: Actor['at']): Actor => ({ name: 'sports ball', colour, size: [8, 8], at })
  const long = film([ball(red, frame => (frame < 3 || frame > 20 ? [40, 30] : undefined))], 24)
  t.equal(trackDetections(long.frames, long.found).length, 2)
  const far = film([ball(red, frame => (frame < 4 ? [10, 10] : [80, 55]))], 8)
  t.equal(trackDetections(far.frames, far.found).length, 2)
})

await t.test(
  'what enters late has no detections before, what is seen once is left out, one picture is enough',
  async t => {
    const late = film(
      [person(red, frame => (frame >= 3 ? [40, 30] : undefined)), person(blue, f => (f === 2 ? [80, 30] : undefined))],
      6,
    )
    const tracks = trackDetections(late.frames, late.found)
    t.same(middles(tracks[0].detections), [undefined, undefined, undefined, 40, 40, 40])
    t.equal(tracks.length, 1)
    const one = film([person(red, () => [20, 30]), person(blue, () => [70, 30])], 1)
    t.equal(trackDetections(one.frames, one.found).length, 2)
    t.same(trackDetections(one.frames, [[]]), [])
  },
)

await t.test('a person and a ball in one place are two', async t => {
  const { frames, found } = film(
    [person(red, () => [40, 32]), { name: 'sports ball', colour: blue, size: [14, 38], at: () => [40, 32] }],
    5,
  )
  t.same(
    trackDetections(frames, found).map(({ id, kind }) => [id, kind]),
    [
      ['human-1', 'human'],
      ['object-1', 'object'],
    ],
  )
})

await t.test('assignments are the best of all', async t => {
  t.same(assign([]), [])
  const random = new Generator(5)
  for (let round = 0; round < 30; round++) {
    const costs = Array.from({ length: 4 }, () => [...random.rand(5)])
    const sum = (columns: readonly number[]) => columns.reduce((total, column, row) => total + costs[row][column], 0)
    const all = (left: number[]): number[][] =>
      left.length === 1
        ? [[]]
        : left.flatMap(column => all(left.filter(other => other !== column)).map(rest => [column, ...rest]))
    const least = Math.min(...all([0, 1, 2, 3, 4]).map(sum))
    t.ok(Math.abs(sum(assign(costs)) - least) < 1e-9)
  }
  t.equal(overlap({ left: 0, top: 0, right: 2, bottom: 2 }, { left: 1, top: 0, right: 3, bottom: 2 }), 1 / 3)
})
