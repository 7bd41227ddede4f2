// Capture: work recorded once and run again. Matrix products stand in for any work.

import t from 'tap'
import { linear, openWebGpu, slice } from '../../kernels/index.js'
import { capture, overwrite, readAll, scope, Tensor, type Runtime } from '../../tensor/index.js'
import { onRuntimes, Operands, referenceRuntime, webgpuRuntime } from '../support/kernels.js'
import { watchedRuntime } from '../support/watched-device.js'

const runtimes = [await referenceRuntime(), await webgpuRuntime()]
const adapter = process.env.REVISION_ADAPTER ? undefined : ('swiftshader' as const)

const size = 8
const square = [size, size]

/** `links` products in a row, each intermediate released when the next is made; entries stay near 1. */
function chain(x: Tensor, weight: Tensor, links: number): Tensor {
  let h = x.share()
  for (let i = 0; i < links; i++) {
    const next = linear(h, weight, { residual: x })
    h.dispose()
    h = next
  }
  return h
}

const small = (runtime: Runtime) => Tensor.from(runtime, new Array<number>(size * size).fill(1 / 64), square)

void t.test('replays give what fresh runs give, without new memory', t =>
  onRuntimes(t, runtimes, async (t, runtime) => {
    const random = new Operands(runtime, 1)
    using weight = small(runtime)
    using x = random.normal(square)
    const inputs = [random.normal(square), random.normal(square), random.normal(square)]
    const fresh = await readAll(inputs.map(input => chain(input, weight, 100)))
    using step = capture(runtime, () => chain(x, weight, 100))
    const before = runtime.statistics()
    for (const [i, input] of inputs.entries()) {
      overwrite(x, i === 1 ? await input.data() : input)
      t.same(await step.replay().data(), fresh[i], `input ${i}, from ${i === 1 ? 'the host' : 'the device'}`)
    }
    const after = runtime.statistics()
    t.equal(after.dispatches - before.dispatches, 300)
    for (const figure of ['misses', 'hits', 'live', 'idle', 'pipelines'] as const)
      t.equal(after[figure], before[figure], figure)
  }),
)

void t.test('a capture holds what the work takes at once, not all it ever made, and gives it back', t =>
  onRuntimes(t, runtimes, async (t, runtime) => {
    using weight = small(runtime)
    using x = small(runtime)
    const before = runtime.statistics().live
    const step = capture(runtime, () => chain(x, weight, 50))
    t.equal(runtime.statistics().live - before, 2 * x.bytes, 'two intermediates take turns')
    const shared = step.replay().share()
    const expected = await shared.data()
    step.dispose()
    step.dispose()
    t.equal(runtime.statistics().live - before, x.bytes, 'a result that somebody shares stays')
    t.same(await shared.data(), expected)
    shared.dispose()
    t.equal(runtime.statistics().live, before)
    t.throws(() => step.replay(), { name: 'LifetimeError', message: /^capture: replayed after it was released/ })
  }),
)

void t.test('intermediates of different sizes share memory where their lives do not overlap', t =>
  onRuntimes(t, runtimes, async (t, runtime) => {
    using x = small(runtime)
    const narrowing = [8, 4, 4, 4].map((rows, i) =>
      Tensor.from(runtime, new Array<number>(rows * (i < 2 ? 8 : 4)).fill(i + 1), [rows, i < 2 ? 8 : 4]),
    )
    const work = () => {
      let h = x.share()
      for (const [i, weight] of narrowing.entries()) {
        const rows = size >> Math.max(0, i - 1)
        using top = slice(h, 0, 0, rows)
        h.dispose()
        h = linear(top, weight)
      }
      return h
    }
    using fresh = work()
    const before = runtime.statistics().live
    using step = capture(runtime, work)
    const held = runtime.statistics().live - before
    t.equal(held, 1.5 * x.bytes, 'the two largest have a place each, which the smaller ones share')
    t.same(await step.replay().data(), await fresh.data())
    for (const weight of narrowing) weight.dispose()
  }),
)

void t.test('memory of a capture is nobody else’s', t =>
  onRuntimes(t, runtimes, async (t, runtime) => {
    const weight = small(runtime)
    const x = small(runtime)
    using expected = chain(x, weight, 3)
    using step = capture(runtime, () => chain(x, weight, 3))
    // Released, but still an input; and others of the same sizes come.
    weight.dispose()
    x.dispose()
    const others = Array.from({ length: 8 }, (_, i) => Tensor.from(runtime, new Array<number>(64).fill(i), square))
    t.same(await step.replay().data(), await expected.data())
    const seen = await readAll(others)
    for (const [i, data] of seen.entries()) t.ok(data.every(value => value === i))
    for (const other of others) other.dispose()
  }),
)

void t.test('tensors made of numbers in the body are constants, even if they are released there', t =>
  onRuntimes(t, runtimes, async (t, runtime) => {
    using x = small(runtime)
    const work = () =>
      scope(() => {
        using weight = small(runtime)
        const once = linear(x, weight)
        weight.dispose()
        const twice = chain(once, x, 5) // takes memory of the weight's size
        using last = Tensor.from(runtime, new Float32Array(64).fill(3), square)
        return { sum: linear(twice, last), last: last.share() }
      })
    const fresh = work()
    using step = capture(runtime, work)
    for (let i = 0; i < 3; i++) {
      const { sum, last } = step.replay()
      t.same(await sum.data(), await fresh.sum.data())
      t.same(await last.data(), new Float32Array(64).fill(3))
    }
    for (const tensor of Object.values(fresh)) tensor.dispose()
  }),
)

void t.test('what a replay could not repeat is refused in the body, and a body that fails leaves nothing', t =>
  onRuntimes(t, runtimes, async (t, runtime) => {
    using x = small(runtime)
    const before = runtime.statistics().live
    const inside = (body: () => unknown) => () => capture(runtime, () => [chain(x, x, 3), body()])
    const message = /inside a capture.*try outside its body, between replays/
    t.throws(
      inside(() => overwrite(x, new Float32Array(64))),
      { name: 'LifetimeError', message },
    )
    t.throws(
      inside(() => overwrite(x, x)),
      { name: 'LifetimeError', message },
    )
    t.throws(
      inside(() => capture(runtime, () => x.share())),
      { name: 'LifetimeError', message },
    )
    let read: Promise<unknown> | undefined
    inside(() => {
      read = x.data()
      read.catch(() => undefined)
    })().dispose()
    await t.rejects(read!, { name: 'LifetimeError', message })
    t.throws(() => capture(runtime, () => Promise.resolve()), /body is asynchronous/)
    t.equal(runtime.statistics().live, before)
    using y = linear(x, x)
    t.equal((await y.data()).length, 64, 'the runtime goes on')
    t.throws(() => overwrite(x, [1, 2]), /elements do not fill the shape/)
    t.throws(() => overwrite(x, y.reshape([64])), /does not fit; expected f32 \[8, 8\]; got f32 \[64\]/)
  }),
)

await t.test('a replay makes no buffer and no bind group, and is timed like other work', async t => {
  const { runtime, made } = await watchedRuntime()
  const x = small(runtime)
  const step = capture(runtime, () => chain(x, x, 100))
  step.replay()
  await runtime.sync()
  made.length = 0
  for (let i = 0; i < 3; i++) step.replay()
  await runtime.sync()
  t.same(made, [])
  step.dispose()

  const profiled = await openWebGpu({ adapter, profile: true })
  const weight = small(profiled)
  using timed = capture(profiled, () => chain(weight, weight, 100))
  timed.replay()
  const timings = await profiled.timings()
  t.equal(timings.length, 100)
  t.ok(timings.every(({ op }) => op === 'matmul'))
  await profiled.close()
})

await t.test('a warm-up compiles in the background what the work needs, and runs nothing', async t => {
  const runtime = await openWebGpu({ adapter })
  const use = (runtime: Runtime) => {
    scope(() => chain(Tensor.allocate(runtime, square, 'f32'), Tensor.allocate(runtime, square, 'f32'), 4))
  }
  const dry = runtime.dryRun(use)
  t.equal(dry.peak, 4 * 4 * size * size, 'two operands and two intermediates')
  await runtime.warmUp(use)
  const warm = runtime.statistics()
  t.match(warm, { live: 0, peak: 0, dispatches: 0, submits: 0, pipelines: dry.pipelines })
  t.ok(dry.pipelines > 0)
  use(runtime)
  await runtime.sync()
  t.equal(runtime.statistics().pipelines, warm.pipelines)
  t.equal(runtime.statistics().peak, dry.peak)
  await t.rejects(
    runtime.warmUp(runtime => linear(small(runtime), Tensor.zeros(runtime, [3, 3]))),
    { name: 'ShapeError' },
  )
  let read: Promise<unknown> | undefined
  runtime.dryRun(runtime => {
    read = small(runtime).data()
  })
  await t.rejects(read!, { name: 'LifetimeError', message: /nothing to read in a dry run/ })
  await runtime.close()
  await t.rejects(runtime.warmUp(use), { name: 'LifetimeError' })
})
