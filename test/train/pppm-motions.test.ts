// What the PPPM's training does to motions before any network sees them: clips, damage, filters, measures.

import t from 'tap'
import { jointIndex, jointNames } from '../../models/body/skeleton.js'
import { decodeEntity, encodeEntity, numbersOf, viewpointOf, type EntityMotion } from '../../models/pppm/encoding.js'
import { UsageError } from '../../tensor/errors.js'
import { Generator } from '../../tensor/index.js'
import { bodyPositions, poseNumbers } from '../../train/motion/motion.js'
import { clipOf, drawPerson, mirrorPerson } from '../../train/pppm/clips.js'
import { compareMotions, jointPositions, metricNames, standingFeet } from '../../train/pppm/metrics.js'
import { framesOf, hideMasked, perturb, perturbations, randomWays } from '../../train/pppm/perturb.js'
import {
  classicalFilters,
  fillGaps,
  filterMotion,
  gaussian,
  oneEuro,
  savitzkyGolay,
} from '../../train/pppm/smoothing.js'
import { walk } from '../support/motion.js'

const width = numbersOf('human')
const walker = walk(60)
const person = clipOf(walker, 0, 60)
const frameOf = (numbers: Float32Array, frame: number) => numbers.slice(frame * width, (frame + 1) * width)
const largest = (a: Float32Array, b: Float32Array) => a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i])), 0)
const isFinite = (numbers: ArrayLike<number>) => Array.from(numbers).every(Number.isFinite)

await t.test('a clip is so many frames of a take, joints where the take has them', async t => {
  const clip = clipOf(walker, 10, 5)
  t.equal(framesOf(clip), 5)
  const positions = jointPositions(clip.numbers)
  const whole = bodyPositions(walker, 12, 22)
  t.ok(largest(positions.subarray(2 * 66, 3 * 66), whole) < 1e-6)
})

await t.test('a mirrored person: every joint is where a mirror shows its other side', async t => {
  const mirrored = mirrorPerson(person)
  const [a, b] = [jointPositions(person.numbers), jointPositions(mirrored.numbers)]
  const other = jointNames.slice(0, 22).map(name => {
    const side = name.startsWith('left_') ? name.replace('left', 'right') : name.replace('right', 'left')
    return jointIndex(side)
  })
  let worst = 0
  for (let i = 0; i < a.length / 3; i++) {
    const [frame, joint] = [Math.floor(i / 22), i % 22]
    const j = frame * 22 + other[joint]
    const difference = [a[3 * i] + b[3 * j], a[3 * i + 1] - b[3 * j + 1], a[3 * i + 2] - b[3 * j + 2]]
    worst = Math.max(worst, ...difference.map(Math.abs))
  }
  t.ok(worst < 1e-5, `${worst}`)
  t.equal(largest(mirrorPerson(mirrored).numbers, person.numbers), 0)
})

await t.test('clips are drawn from takes that are long enough, the same for the same seed', async t => {
  const takes = [walk(10), walk(40)]
  const draw = () => drawPerson(takes, 32, new Generator(3)).numbers
  t.equal(largest(draw(), draw()), 0)
  t.throws(() => drawPerson(takes, 41, new Generator(3)), { name: UsageError.name, message: /no take is long enough/ })
})

const at = (entity: EntityMotion) =>
  Array.from({ length: 60 }, (_, frame) => {
    const numbers = frameOf(entity.numbers, frame)
    return Array.from({ length: 60 }, (_, i) => i).find(i => largest(frameOf(person.numbers, i), numbers) === 0)
  })

await t.test('noise is small and on every frame', async t => {
  const { entity, confidence } = perturb(person, ['noise'], new Generator(1))
  const change = largest(entity.numbers, person.numbers)
  t.ok(change > 0.001 && change < 1, `${change}`)
  t.ok(at(entity).every(frame => frame === undefined))
  t.ok(confidence.every(value => value === 1))
})

await t.test('a shuffle has the same frames, some of them in another order', async t => {
  const { entity, times } = perturb(person, ['shuffle'], new Generator(2))
  const order = at(entity).map(Number)
  t.strictSame([...times], order, 'which is told')
  t.strictSame(
    order.toSorted((a, b) => a - b),
    Array.from({ length: 60 }, (_, i) => i),
  )
  const moved = order.flatMap((frame, i) => (frame === i ? [] : [i]))
  t.ok(moved.length > 1 && Math.max(...moved) - Math.min(...moved) < 18)
})

await t.test('a drop lacks a segment and starts again after its end', async t => {
  const { entity, times } = perturb(person, ['drop'], new Generator(2))
  const order = at(entity).map(Number)
  t.strictSame([...times], order)
  const left = [...new Set(order)]
  t.ok(left.length >= 42 && left.length <= 54, `${left.length} frames are left`)
  t.strictSame(order.slice(left.length), left.slice(0, 60 - left.length))
})

await t.test('masked frames repeat the last one that is trusted; known frames are as they were', async t => {
  for (let seed = 0; seed < 20; seed++) {
    const known = new Float32Array(60)
    known[0] = known[59] = 1
    const ways = perturbations.filter(way => way !== 'sparse' && way !== 'journey')
    const { entity, confidence, times } = perturb(person, ways, new Generator(seed), known)
    t.same(
      [0, 59].map(frame => largest(frameOf(entity.numbers, frame), frameOf(person.numbers, frame))),
      [0, 0],
    )
    t.ok(confidence.includes(0) && confidence[59] === 1)
    for (let frame = 1; frame < 60; frame++)
      if (confidence[frame] === 0 && largest(frameOf(entity.numbers, frame), frameOf(entity.numbers, frame - 1)) !== 0)
        t.fail(`frame ${frame} shows something`)
    t.ok(isFinite(entity.numbers))
    t.same([times[0], times[59]], [0, 59])
  }
  const shown = (way: 'sparse' | 'journey') =>
    perturb(person, [way], new Generator(1)).confidence.reduce((sum, value) => sum + value)
  t.equal(shown('journey'), 1, 'a journey shows where it begins')
  t.ok([15, 20, 30].includes(shown('sparse')), 'of sparse frames every second, third or fourth is seen')
  const nothing = person.numbers.slice()
  hideMasked(nothing, width, new Float32Array(60))
  t.ok(
    nothing.every(x => x === 0),
    'nothing is left where nothing is trusted',
  )
  t.ok(randomWays(new Generator(1)).length > 0)
})

await t.test('a motion is no distance from itself, and a known one from its copy elsewhere', async t => {
  const same = compareMotions(person.numbers, person.numbers)
  for (const name of metricNames.filter(name => !['jitter', 'skating'].includes(name))) t.ok(same[name] < 1e-3, name)
  const moved = person.numbers.slice()
  for (let frame = 0; frame < 60; frame++) moved[frame * width + poseNumbers] += 0.1
  const there = compareMotions(moved, person.numbers)
  t.ok(there.mpjpe < 1e-3 && Math.abs(there.globalMpjpe - 100) < 1e-2, '10 cm to the side')
  const turned = person.numbers.slice()
  for (let frame = 0; frame < 60; frame++) turned[frame * width + 3 * jointIndex('head') + 1] += 0.22
  const nod = compareMotions(turned, person.numbers)
  t.ok(Math.abs(nod.rotation - (0.22 * 180) / Math.PI / 22) < 1e-3, 'one joint of 22 by 0.22 rad')
  t.ok(nod.mpjpe < 1e-3, 'the head has no joint below it')
})

await t.test('jitter of an even motion is nothing, of a noisy one much', async t => {
  const even = new Float32Array(20 * width)
  for (let frame = 0; frame < 20; frame++) even.set([0.01 * frame, 1, 0.002 * frame ** 2], frame * width + poseNumbers)
  t.ok(compareMotions(even, even).jitter < 0.1)
  const noisy = perturb({ kind: 'human', numbers: even }, ['noise'], new Generator(4)).entity.numbers
  t.ok(compareMotions(noisy, even).jitter > 10)
})

await t.test('feet that stand are those low and still; sliding over the floor counts', async t => {
  const still = new Float32Array(10 * width)
  for (let frame = 0; frame < 10; frame++) still[frame * width + poseNumbers + 1] = 0.965
  t.strictSame([...standingFeet(still)], [0, 0, ...new Array<number>(18).fill(1)])
  const sliding = still.slice()
  for (let frame = 0; frame < 10; frame++) sliding[frame * width + poseNumbers] = 0.005 * frame
  t.ok(Math.abs(compareMotions(sliding, still).skating - 5) < 1e-2, '5 mm a frame')
  for (let frame = 0; frame < 10; frame++) still[frame * width + poseNumbers + 1] = 1.2
  t.ok(
    standingFeet(still).every(stands => stands === 0),
    'in the air',
  )
})

await t.test('filters leave a straight line as it is inside, and weaken noise', async t => {
  const line = Float64Array.from({ length: 60 }, (_, i) => 0.1 * i)
  const noise = Float64Array.from(new Generator(6).randn(60))
  const energy = (values: Float64Array) => values.reduce((sum, x) => sum + x * x, 0)
  for (const filter of [gaussian(2), savitzkyGolay(4)]) {
    const out = filter(line)
    for (let i = 12; i < 48; i++) t.ok(Math.abs(out[i] - line[i]) < 1e-9)
    t.ok(energy(filter(noise)) < 0.6 * energy(noise))
  }
  const parabola = Float64Array.from({ length: 30 }, (_, i) => i * i)
  t.ok(Math.abs(savitzkyGolay(4)(parabola)[15] - 225) < 1e-9, 'Savitzky-Golay keeps parabolas')
  t.ok(energy(oneEuro(1, 0.01)(noise)) < 0.6 * energy(noise))
  t.equal(oneEuro(1, 0.01)(line)[0], 0, 'it starts where the values start')
})

await t.test('a filtered motion is nearer to the true one than a noisy one', async t => {
  const noisy = perturb(person, ['noise'], new Generator(8)).entity
  const before = compareMotions(noisy.numbers, person.numbers)
  for (const [name, filters] of Object.entries(classicalFilters)) {
    const errors = filters.map(filter => compareMotions(filterMotion(noisy, filter).numbers, person.numbers).mpjpe)
    t.ok(Math.min(...errors) < before.mpjpe, name)
  }
})

await t.test('gaps are filled the short way; ends repeat', async t => {
  const confidence = new Float32Array(60).fill(1)
  confidence.fill(0, 0, 3)
  confidence.fill(0, 20, 24)
  confidence.fill(0, 57)
  const hidden = person.numbers.slice()
  for (let frame = 0; frame < 60; frame++) if (!confidence[frame]) hidden.fill(NaN, frame * width, (frame + 1) * width)
  const filled = fillGaps({ kind: 'human', numbers: hidden }, confidence).numbers
  t.ok(isFinite(filled))
  t.ok(largest(frameOf(filled, 1), frameOf(person.numbers, 3)) < 1e-6)
  t.ok(largest(frameOf(filled, 59), frameOf(person.numbers, 56)) < 1e-6)
  t.ok(compareMotions(filled.slice(20 * width, 24 * width), person.numbers.slice(20 * width, 24 * width)).mpjpe < 15)
  t.strictSame(frameOf(filled, 30), frameOf(person.numbers, 30))
})

await t.test('parameters inside the network give the same motion back', async t => {
  const view = viewpointOf(person, 7)
  const back = decodeEntity('human', encodeEntity(person, view), view)
  t.ok(largest(back.numbers, person.numbers) < 1e-5)
})
