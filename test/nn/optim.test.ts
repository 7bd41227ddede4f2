// Optimisers against torch's traces, their state in files, schedules, and fresh weights.

import { join } from 'node:path'
import t from 'tap'
import { differentiate, linear, mul, square, sum } from '../../kernels/index.js'
import {
  AdamW,
  checkpointEntries,
  clipScale,
  Conv2d,
  Ema,
  globalNorm,
  GradientSum,
  GroupNorm,
  initializeWeights,
  Linear,
  loadWeights,
  saveWeights,
  warmupCosine,
  Weights,
  type Parameter,
} from '../../nn/index.js'
import { compareTrace } from '../../pipeline/verify/trace.js'
import { openSafetensors, writeSafetensors } from '../../tensor/files/index.js'
import { capture, Generator, keep, overwrite, scope, Tensor, type DType, type Runtime } from '../../tensor/index.js'
import { close } from '../support/compare.js'
import {
  goldenCases,
  onRuntimes,
  referenceRuntime,
  shrunkLimits,
  wasmRuntime,
  webgpuRuntime,
} from '../support/kernels.js'
import { assertOutcomes } from '../support/verify.js'

const reference = await referenceRuntime()
const webgpu = await webgpuRuntime()
const shrunk = await webgpuRuntime({ limits: shrunkLimits })
const wasm = await wasmRuntime()
const runtimes = [reference, webgpu, wasm]

/** One loaded parameter. */
function parameter(runtime: Runtime, values: ArrayLike<number>, dtype: DType = 'f32'): Parameter {
  const made = new Weights().scope().parameter('p', [values.length])
  made.replace(keep(Tensor.from(runtime, Array.from(values), [values.length], dtype)))
  return made
}

await t.test("AdamW follows torch's traces, step by step and captured", t =>
  onRuntimes(t, runtimes, async (t, runtime) => {
    for (const item of goldenCases('torch.optim.AdamW'))
      for (const captured of [false, true]) await assertOutcomes(t, await compareTrace(item, runtime, { captured }))
    t.equal(runtime.statistics().live, 0, 'nothing is left in memory')
  }),
)

await t.test('every element moves, whatever the size, as the plain loops say', async t => {
  for (const size of [1, 3, 1023, 1025, 5000]) {
    const run = async (runtime: Runtime) => {
      const random = new Generator(size)
      const p = parameter(runtime, random.randn(size))
      using optimiser = new AdamW([p], { weightDecay: 0.1 })
      using mean = new Ema([p])
      for (let i = 0; i < 3; i++) {
        using gradient = Tensor.from(runtime, random.randn(size), [size])
        using scale = Tensor.from(runtime, [0.5], [1])
        optimiser.step([gradient], 0.1, scale)
        mean.advance()
        mean.apply()
      }
      return Promise.all([p.value.floats(), mean.values.get('p')!.floats()])
    }
    const [weights, means] = await run(reference)
    for (const runtime of [webgpu, shrunk, wasm]) {
      const [actual, mean] = await run(runtime)
      close(t, actual, weights, 1e-6, `${size} weights on ${runtime.name}`)
      close(t, mean, means, 1e-6, 'and their means')
    }
  }
})

await t.test('narrow weights have masters of full width', t =>
  onRuntimes(t, runtimes, async (t, runtime) => {
    for (const dtype of ['f16', 'bf16'] as const) {
      const narrow = parameter(runtime, [1, -2, 3], dtype)
      const wide = parameter(runtime, [1, -2, 3])
      using optimiser = new AdamW([narrow], { weightDecay: 0 })
      using other = new AdamW([wide], { weightDecay: 0 })
      // Steps too small for the narrow weights to see each of them.
      for (let i = 0; i < 40; i++) {
        using gradient = Tensor.from(runtime, [1, 1, -1], [3])
        for (const each of [optimiser, other]) each.step([gradient], 1e-4)
      }
      const expected = await wide.value.floats()
      t.ok(expected.every((x, i) => Math.abs(x - [1, -2, 3][i]) > 3e-3))
      close(t, await narrow.value.floats(), expected, dtype === 'f16' ? 5e-4 : 4e-3, `${dtype} weights`)
      const master = optimiser.entries().find(({ name }) => name === 'master.p')!.data as () => Promise<Float32Array>
      close(t, await master(), expected, 0, 'masters')
    }
  }),
)

await t.test('a run that is stopped and taken up ends the same to the bit', async t => {
  const folder = t.testdir()
  const random = new Generator(5)
  const [start, ...gradients] = Array.from({ length: 7 }, () => random.randn(50))
  const begin = (values: Float32Array) => {
    const p = parameter(wasm, values)
    return { p, optimiser: new AdamW([p]), mean: new Ema([p]) }
  }
  type Run = ReturnType<typeof begin>
  const steps = ({ optimiser, mean }: Run, from: number, to: number) => {
    for (const values of gradients.slice(from, to)) {
      using gradient = Tensor.from(wasm, values, [50])
      optimiser.step([gradient], 0.01)
      mean.advance()
      mean.apply()
    }
  }
  const whole = begin(start)
  steps(whole, 0, 6)
  const first = begin(start)
  steps(first, 0, 3)
  const path = join(folder, 'state.safetensors')
  await writeSafetensors(path, [...first.optimiser.entries(), ...first.mean.entries()])
  const second = begin(await first.p.value.floats())
  const file = await openSafetensors(path)
  await second.optimiser.load(file)
  await second.mean.load(file)
  t.equal(second.optimiser.steps, 3)
  steps(second, 3, 6)
  t.same(await second.p.value.floats(), await whole.p.value.floats())
  t.same(await second.mean.values.get('p')!.floats(), await whole.mean.values.get('p')!.floats())
  const other = new AdamW([parameter(wasm, [1])])
  await t.rejects(other.load(file), /state exp_avg.p does not fit; expected f32 \[1\]; got f32 \[50\]/)
  await file.close()
})

await t.test('gradients are clipped by their common norm', t =>
  onRuntimes(t, runtimes, async (t, runtime) => {
    const gradients = [Tensor.from(runtime, [3, 0], [2]), undefined, Tensor.from(runtime, [[4]].flat(), [1, 1])]
    const norm = globalNorm(gradients)
    t.same([...(await norm.floats())], [5])
    close(t, await clipScale(norm, 1).floats(), [0.2], 1e-6, 'brought to 1')
    t.same([...(await clipScale(norm, 10).floats())], [1], 'small ones stay')
  }),
)

await t.test('gradients of several batches make their mean, captured or not', t =>
  onRuntimes(t, runtimes, async (t, runtime) => {
    const p = parameter(runtime, [1, 2])
    const x = Tensor.zeros(runtime, [2])
    using total = new GradientSum([p], 2)
    using captured = capture(runtime, () => {
      const { loss, gradients } = differentiate([p.value], () => sum(square(mul(p.value, x))))
      total.apply(gradients)
      return loss
    })
    for (const [a, b] of [
      [NaN, 1],
      [1, 2],
      [3, 5],
    ]) {
      const complete: boolean[] = []
      for (const value of [a, b]) {
        overwrite(x, [value, value])
        complete.push(total.advance())
        captured.replay()
      }
      t.same(complete, [false, true])
      const mean = (a * a + b * b) / 2
      t.same([...(await total.gradients[0].floats())], [2 * mean, 4 * mean], 'nothing stays of the batch before')
    }
  }),
)

await t.test('the rate rises, then falls as half a cosine', t => {
  const rate = warmupCosine({ rate: 2, warmup: 4, steps: 12, minimum: 0.5 })
  t.same([1, 2, 4].map(rate), [0.5, 1, 2])
  t.ok(Math.abs(rate(8) - 1.25) < 1e-12, 'half way')
  t.same([12, 100].map(rate), [0.5, 0.5])
  t.equal(warmupCosine({ rate: 3 })(1000), 3)
  t.throws(() => warmupCosine({ rate: 1, warmup: 5, steps: 5 }), /schedule: makes no sense; expected 0 <= minimum/)
  t.end()
})

/** A model of every kind of layer. */
function model() {
  const weights = new Weights()
  const scope = weights.scope()
  const conv = new Conv2d(scope.at('conv'), 3, 8, { kernel: [3, 2] })
  const norm = new GroupNorm(scope.at('norm'), 8, { groups: 2, eps: 1e-5 })
  const out = new Linear(scope.at('out'), 8, 4)
  scope.parameter('mix', [1], { init: 0.5 })
  scope.parameter('table', [100, 8], { init: { deviation: 2 } })
  return { weights, conv, norm, out }
}

await t.test('fresh weights are as torch begins, and go to a checkpoint and back', async t => {
  const { weights, conv, norm, out } = model()
  initializeWeights(wasm, weights, new Generator(1))
  const values = async (parameter: Parameter) => [...(await parameter.value.floats())]
  const within = (list: number[], bound: number) =>
    list.every(x => Math.abs(x) <= bound) && Math.max(...list) > bound / 2 && Math.min(...list) < -bound / 2
  t.ok(within(await values(conv.weight), 1 / Math.sqrt(18)), 'a kernel, by its inputs')
  t.ok(
    (await values(conv.bias!)).every(x => x !== 0 && Math.abs(x) <= 1 / Math.sqrt(18)),
    'and its bias',
  )
  t.ok(within(await values(out.weight), 1 / Math.sqrt(8)))
  t.same(await values(norm.weight), new Array(8).fill(1))
  t.same(await values(norm.bias), new Array(8).fill(0))
  t.same(await values(weights.parameters.get('mix')!), [0.5])
  const table = await values(weights.parameters.get('table')!)
  t.ok(Math.abs(Math.hypot(...table) / Math.sqrt(800) - 2) < 0.2, 'a deviation of one’s own')

  const path = join(t.testdir(), 'model.safetensors')
  await saveWeights(path, weights)
  const again = model()
  const file = await openSafetensors(path)
  await loadWeights(wasm, again.weights, file)
  await file.close()
  for (const [name, parameter] of weights.parameters)
    t.same(await values(again.weights.parameters.get(name)!), await values(parameter), name)
  t.same(checkpointEntries(weights)[0].shape, [8, 3, 3, 2], 'in the layout of checkpoints')
})

await t.test('frozen parameters stay as they are to the bit', async t => {
  const { weights, out } = model()
  initializeWeights(wasm, weights, new Generator(2))
  const before = await Promise.all([...weights.parameters.values()].map(({ value }) => value.floats()))
  const trained = [out.weight]
  using optimiser = new AdamW(trained)
  const x = Tensor.from(wasm, new Generator(3).randn(16), [2, 8])
  scope(() => {
    const values = trained.map(({ value }) => value)
    const { gradients } = differentiate(values, () => sum(square(linear(out.forward(x), Tensor.zeros(wasm, [1, 4])))))
    optimiser.step(gradients, 0.1)
  })
  for (const [i, parameter] of [...weights.parameters.values()].entries()) {
    const same = (await parameter.value.floats()).every((value, j) => value === before[i][j])
    t.equal(same, parameter !== out.weight, parameter.name)
  }
})
