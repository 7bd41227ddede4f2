// The motion prior's network: what it does not change, what it does not care about, and what it refuses.

import t from 'tap'
import { parsePPPMConfig, formatPPPMConfig, pppmConfigs } from '../../models/pppm/config.js'
import { decodeEntity, encodeEntity, numbersOf, viewpointOf, type EntityMotion } from '../../models/pppm/encoding.js'
import { bringToStrength } from '../../models/pppm/exaggerate.js'
import { spreadFrames } from '../../models/pppm/extend.js'
import { featuresOf, parametersOf } from '../../models/pppm/kinds.js'
import { PPPM, strengthFeatures, strengthWidth } from '../../models/pppm/pppm.js'
import { refineScene } from '../../models/pppm/refine.js'
import { motionStrength } from '../../models/pppm/strength.js'
import { initializeWeights } from '../../nn/index.js'
import { Generator, keep, Tensor, type Runtime } from '../../tensor/index.js'
import { clipOf } from '../../train/pppm/clips.js'
import { jointPositions } from '../../train/pppm/metrics.js'
import { close } from '../support/compare.js'
import { onRuntimes, referenceRuntime, wasmRuntime, webgpuRuntime } from '../support/kernels.js'
import { strollingPerson } from '../support/motion.js'

const wasm = await wasmRuntime()
const tiny = { width: 32, layers: 2, heads: 2, textChannels: 12, maxEntities: 3 }

/** A network whose weights are all random, those that begin as zeros as well. */
function randomModel(runtime: Runtime): PPPM {
  const model = new PPPM(tiny)
  const random = new Generator(1)
  initializeWeights(runtime, model.weights, random)
  for (const [name, parameter] of model.weights.parameters)
    if (/proj_(out|time)/.test(name)) {
      const numbers = random.randn(parameter.value.size).map(x => 0.02 * x)
      parameter.replace(keep(Tensor.from(runtime, numbers, parameter.shape)))
    }
  return model
}

const person = (frames: number, rhythm?: number): EntityMotion => clipOf(strollingPerson(frames, rhythm), 0, frames)

/** Points of a ball that flies. */
function ball(frames: number): EntityMotion {
  const numbers = Float32Array.from({ length: frames * 63 }, (_, i) => {
    const [frame, axis] = [Math.floor(i / 63), i % 3]
    return (axis === 1 ? 2 - 0.01 * frame ** 2 : 0.1 * frame) + 0.05 * Math.sin(i % 63)
  })
  return { kind: 'object', numbers }
}

await t.test('parameters inside and outside say the same, wherever the scene is looked at from', t => {
  for (const entity of [person(5), ball(5)]) {
    const view = viewpointOf(entity, 2)
    const back = decodeEntity(entity.kind, encodeEntity(entity, view), view)
    close(t, back.numbers, entity.numbers, 1e-5, entity.kind)
  }
  const entity = person(3)
  const inside = encodeEntity(entity, viewpointOf(entity))
  const place = inside.length / 3 - 3
  close(t, inside.subarray(place, place + 3), [0, entity.numbers[166], 0], 1e-6, 'the first frame is at the origin')
  t.end()
})

await t.test('a model that has learnt nothing hardly changes anything', async t => {
  using model = new PPPM(tiny)
  initializeWeights(wasm, model.weights, new Generator(3))
  const entity = person(8)
  const [mended] = await refineScene(wasm, model, [entity], { known: new Float32Array(8).fill(1) })
  t.same(mended.numbers, entity.numbers, 'known frames come out to the bit')
  const frame = numbersOf('human')
  const still = { kind: 'human', numbers: new Float32Array(8 * frame) } as const
  const [same] = await refineScene(wasm, model, [still])
  close(t, same.numbers, still.numbers, 1e-5, 'somebody who does not move is a mixture of equals')
})

await t.test(
  'frames are put where the network says that they belong; what is not trusted leaves its place to others',
  async t => {
    using model = new PPPM(tiny)
    initializeWeights(wasm, model.weights, new Generator(3))
    const late = model.kinds.human.proj_time
    late.bias!.replace(keep(Tensor.from(wasm, [2 / 8, 3, 0, 0], [4])))
    const entity = person(12)
    const frame = ({ numbers }: EntityMotion, i: number) => numbers.subarray(168 * i, 168 * (i + 1))
    const [moved] = await refineScene(wasm, model, [entity])
    for (const i of [2, 5, 11])
      close(t, frame(moved, i), frame(entity, i - 2), 1e-3, `frame ${i} was two frames earlier`)
    const confidence = [Float32Array.from({ length: 12 }, (_, i) => (i === 4 ? 0 : 1))]
    const [without] = await refineScene(wasm, model, [entity], { confidence })
    const between = frame(entity, 3).map((x, i) => (x + frame(entity, 5)[i]) / 2)
    close(t, frame(without, 6), between, 5e-3, 'a mean of those around it')
  },
)

await t.test('computes the same on every runtime', async t => {
  const scene = [person(7), person(7, 2), ball(7)]
  const options = { known: [1], strength: 0.4 }
  const results: EntityMotion[][] = []
  for (const runtime of [wasm, await webgpuRuntime(), await referenceRuntime()]) {
    using model = randomModel(runtime)
    results.push(await refineScene(runtime, model, scene, options))
  }
  for (const result of results.slice(1))
    for (const [i, { numbers }] of result.entries()) close(t, numbers, results[0][i].numbers, 2e-4, `entity ${i}`)
})

await t.test('entities see each other, and conditions are heard', async t => {
  using model = randomModel(wasm)
  const [alone] = await refineScene(wasm, model, [person(6)])
  const [together] = await refineScene(wasm, model, [person(6), ball(6)])
  t.notSame(together.numbers, alone.numbers, 'a ball is noticed')
  const [strong] = await refineScene(wasm, model, [person(6)], { strength: 0.9 })
  t.notSame(strong.numbers, alone.numbers, 'so is a strength')
  using text = Tensor.from(wasm, new Generator(1).randn(24), [1, 2, 12])
  const [told] = await refineScene(wasm, model, [person(6)], { text })
  t.notSame(told.numbers, alone.numbers, 'and a text')
})

await t.test('where and when a motion happens makes no difference', async t => {
  using model = randomModel(wasm)
  const entity = person(6)
  const moved = { kind: 'human', numbers: entity.numbers.slice() } as const
  for (let place = 165; place < moved.numbers.length; place += 168) {
    moved.numbers[place] += 3
    moved.numbers[place + 2] -= 5
  }
  const [[here], [there]] = [await refineScene(wasm, model, [entity]), await refineScene(wasm, model, [moved])]
  for (let place = 165; place < moved.numbers.length; place += 168) {
    there.numbers[place] -= 3
    there.numbers[place + 2] += 5
  }
  close(t, there.numbers, here.numbers, 1e-4, 'the same motion elsewhere')
})

await t.test('any length', t =>
  onRuntimes(t, [wasm], async (t, runtime) => {
    using model = randomModel(runtime)
    for (const frames of [1, 2, 33, 128]) {
      const [mended] = await refineScene(runtime, model, [person(frames)])
      t.equal(mended.numbers.length, frames * 168)
      t.ok(mended.numbers.every(Number.isFinite), `${frames} frames`)
    }
  }),
)

await t.test('longer motions keep the frames that were there', t => {
  const entity = person(4)
  const frame = (numbers: Float32Array, i: number) => numbers.subarray(168 * i, 168 * (i + 1))
  const between = spreadFrames([entity], 7, true)
  t.same([...between.known], [1, 0, 1, 0, 1, 0, 1])
  t.same(frame(between.entities[0].numbers, 2), frame(entity.numbers, 1))
  t.same(frame(between.entities[0].numbers, 3), frame(entity.numbers, 1), 'a frame to be made repeats the one before')
  const after = spreadFrames([entity], 6, false)
  t.same([...after.known], [1, 1, 1, 1, 0, 0])
  t.same(frame(after.entities[0].numbers, 5), frame(entity.numbers, 3))
  t.throws(() => spreadFrames([entity], 3, false), /fewer than there are; expected 4 or more; got 3/)
  t.end()
})

await t.test('strength is how much moves', t => {
  t.equal(motionStrength({ kind: 'human', numbers: new Float32Array(3 * 168) }), 0)
  const [slow, fast] = [0.5, 2].map(rhythm => motionStrength(person(30, rhythm)))
  t.ok(slow > 0 && fast > 2 * slow && fast <= 1, `${slow} and ${fast}`)
  t.equal(motionStrength(person(1)), 0)
  // About y, by vectors no longer than pi, as rotations come from networks and files.
  const swaying = (middle: number) => {
    const numbers = new Float32Array(20 * 168)
    for (let frame = 0; frame < 20; frame++) {
      const angle = middle + (frame % 2 ? 0.04 : -0.04)
      numbers[168 * frame + 1] = angle > Math.PI ? angle - 2 * Math.PI : angle
    }
    return motionStrength({ kind: 'human', numbers })
  }
  t.ok(Math.abs(swaying(0) - 0.08 / 22 / 0.08) < 1e-6, `${swaying(0)}`)
  t.ok(Math.abs(swaying(Math.PI) - swaying(0)) < 1e-5, 'the same whichever way a body looks')
  t.end()
})

await t.test('a motion is brought to a strength: larger swings about the same way, feet as high as they were', t => {
  const given = person(40)
  const frame = ({ numbers }: EntityMotion, i: number) => numbers.subarray(168 * i, 168 * (i + 1))
  const own = motionStrength(given)
  for (const share of [0.6, 1.6]) {
    const known = Float32Array.from({ length: 40 }, (_, i) => Number(i === 17))
    const made = bringToStrength(given, share * own, known)
    t.ok(Math.abs(motionStrength(made) / own - share) < 0.02, `${motionStrength(made) / own} times as strong`)
    for (const i of [0, 17, 39]) t.same(frame(made, i), frame(given, i), `frame ${i} is kept`)
    const lowest = ({ numbers }: EntityMotion, i: number) =>
      Math.min(...[7, 8, 10, 11].map(joint => jointPositions(numbers)[3 * (22 * i + joint) + 1]))
    t.ok(Math.abs(lowest(made, 9) - lowest(given, 9)) < 1e-4, 'on the floor')
  }
  const head = Float32Array.from({ length: 40 }, (_, i) => Number(i < 28))
  const longer = bringToStrength(given, 1.5 * motionStrength(given, head), head)
  const grown = motionStrength(longer, head) / motionStrength(given, head)
  t.ok(Math.abs(grown - 1.5) < 0.03, `of a motion that goes on, what is new is ${grown} times as strong`)
  const thrown = ball(9)
  t.equal(bringToStrength(thrown, 0.9), thrown, 'a ball does as it does')
  t.ok(motionStrength(bringToStrength(given, 1, [])) > own, 'as far as it goes')
  t.end()
})

await t.test('configurations go through their files; sizes are as told', t => {
  for (const config of [tiny, pppmConfigs['pppm-base']])
    t.same(parsePPPMConfig('config.json', formatPPPMConfig(config)), config)
  t.throws(
    () => parsePPPMConfig('c', '{"width": 30, "layers": 1, "heads": 4, "text_channels": 1, "max_entities": 1}'),
    {
      message: 'c: bad configuration: width must be a multiple of twice the 4 heads, not 30',
    },
  )
  const sizes = Object.values(pppmConfigs).map(config => new PPPM(config).weights.size)
  t.ok(sizes[0] > 1e6 && sizes[0] < 3e6, `pppm-small has ${sizes[0]} weights`)
  t.ok(sizes[1] > 25e6 && sizes[1] < 35e6, `pppm-base has ${sizes[1]} weights`)
  t.end()
})

await t.test('says what does not fit', async t => {
  using model = randomModel(wasm)
  const features = (entities: number, frames: number) =>
    Tensor.zeros(wasm, [1, entities, frames, featuresOf('human')], 'f32')
  const strength = Tensor.from(wasm, strengthFeatures([undefined]), [1, strengthWidth])
  t.throws(() => model.forward({}, { strength }), /PPPM: no entities/)
  t.throws(
    () => model.forward({ human: features(4, 2) }, { strength }),
    /human does not fit; .*E in 1..3; got \[1, 4, 2/,
  )
  const object = Tensor.zeros(wasm, [1, 1, 3, featuresOf('object')], 'f32')
  t.throws(() => model.forward({ human: features(1, 2), object }, { strength }), /object does not fit/)
  t.throws(() => model.forward({ human: features(1, 2) }, { strength: features(1, 1) }), /strength does not fit/)
  await t.rejects(refineScene(wasm, model, [person(3), person(4)]), /entities differ in length; got 3, 4 frames/)
  t.equal(parametersOf('human'), 333)
})
