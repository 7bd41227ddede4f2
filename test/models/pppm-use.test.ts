// What mending a scene refuses: scenes that are too long or too full, and models that give no numbers.

import t from 'tap'
import { numbersOf, type EntityMotion } from '../../models/pppm/encoding.js'
import { maxFrames, spreadFrames } from '../../models/pppm/extend.js'
import { PPPM } from '../../models/pppm/pppm.js'
import { refineScene } from '../../models/pppm/refine.js'
import { initializeWeights } from '../../nn/index.js'
import { Generator, keep, Tensor, UsageError } from '../../tensor/index.js'
import { wasmRuntime } from '../support/kernels.js'

const runtime = await wasmRuntime()
const model = new PPPM({ width: 32, layers: 1, heads: 2, textChannels: 8, maxEntities: 2 })
t.teardown(() => model.dispose())
initializeWeights(runtime, model.weights, new Generator(1))

/** Somebody who stands still. */
const person = (frames: number): EntityMotion => ({
  kind: 'human',
  numbers: new Float32Array(frames * numbersOf('human')),
})

await t.test('scenes that are too long are refused before anything is made for them', async t => {
  await t.rejects(refineScene(runtime, model, [person(maxFrames + 1)]), {
    name: 'UsageError',
    message: /frames: too many at once; expected at most 4096; got 4097/,
  })
  for (const frames of [maxFrames + 1, 1e12, NaN, 1.5])
    t.throws(() => spreadFrames([person(1)], frames, false), UsageError, String(frames))
  t.throws(() => spreadFrames([person(1)], 1.5, false), /frames: not a whole number; expected 1 or more; got 1.5/)
  t.equal(spreadFrames([person(1)], maxFrames, true).known.length, maxFrames)
})

await t.test('more entities of a kind than a model tells apart are refused', t =>
  t.rejects(refineScene(runtime, model, [person(2), person(2), person(2)]), {
    name: 'UsageError',
    message: /too many entities of the kind human; expected at most 2; got 3/,
  }),
)

await t.test('weights that give no numbers are told, and nothing is left in memory', async t => {
  using spoilt = new PPPM(model.config)
  initializeWeights(runtime, spoilt.weights, new Generator(1))
  const { weight } = spoilt.norm_out
  weight.replace(keep(Tensor.from(runtime, new Float32Array(32).fill(NaN), [32])))
  const before = runtime.statistics().live
  await t.rejects(refineScene(runtime, spoilt, [person(3)]), { name: 'NumberError', message: /not finite/ })
  t.equal(runtime.statistics().live, before)
})
