// Reductions against torch's numbers and against their own plain loops.

import t from 'tap'
import { argmax, argmin, cumsum, max, mean, min, sum, variance, type ReduceOptions } from '../../kernels/index.js'
import { readAll, Tensor, type DType, type Runtime, type Shape } from '../../tensor/index.js'
import { close } from '../support/compare.js'
import {
  agreeWithTorch,
  onRuntimes,
  Operands,
  referenceRuntime,
  shrunkLimits,
  wasmRuntime,
  webgpuRuntime,
} from '../support/kernels.js'

const reference = await referenceRuntime()
const webgpu = await webgpuRuntime()
const shrunk = await webgpuRuntime({ limits: shrunkLimits })
const wasm = await wasmRuntime()

await t.test('agrees with torch', t =>
  agreeWithTorch(
    t,
    [reference, webgpu, shrunk, wasm],
    ['sum', 'mean', 'mean over H,W', 'amax', 'amin', 'var (unbiased=False)', 'argmax', 'argmin', 'cumsum'],
  ),
)

// One result of many elements and many of few; axes apart, out of order, of size 1; operands in several pieces, cut
// along kept axes, reduced ones, and both.
const cases: (ReduceOptions & { shape: Shape; dtype?: DType })[] = [
  { shape: [] },
  { shape: [3, 4], axes: [] },
  { shape: [129] },
  { shape: [20000], keepDims: true },
  { shape: [3, 7000], axes: [1] },
  { shape: [7000, 3], axes: [0], dtype: 'f16' },
  { shape: [5, 1000, 3], axes: [0, 2] },
  { shape: [2, 5000, 2], axes: [-1, 0], keepDims: true },
  { shape: [3, 2, 1500, 2], axes: [0, 2], dtype: 'bf16' },
  { shape: [300, 40], axes: [1] },
  { shape: [6, 1, 5, 1, 4], axes: [1, 4], keepDims: true },
  { shape: [2, 3, 2, 3, 2, 3, 2, 3], axes: [1, 3, 5, 7] },
  { shape: [2, 3, 2, 3, 2, 3, 2, 3], axes: [0, 2, 4, 6], dtype: 'f16' },
]

await t.test('agrees with the plain loops over any axes, every output written', async t => {
  const kinds = [sum, mean, max, min, variance]
  for (const [seed, { shape, dtype, ...options }] of cases.entries()) {
    const run = async (runtime: Runtime) => {
      const x = new Operands(runtime, seed).normal(shape, dtype)
      const outs = kinds.map(kind => kind(x, options))
      return { shapes: outs.map(out => out.shape), data: await readAll(outs) }
    }
    const expected = await run(reference)
    for (const runtime of [webgpu, shrunk, wasm]) {
      const { shapes, data } = await run(runtime)
      const name = JSON.stringify({ shape, dtype, ...options })
      t.same(shapes, expected.shapes, name)
      kinds.forEach((kind, i) => {
        const tolerance = kind === max || kind === min ? 0 : 1e-5
        close(t, data[i], expected.data[i], tolerance, `${kind.name} ${name}`)
      })
    }
  }
})

const lines: { shape: Shape; axis: number; dtype?: DType }[] = [
  { shape: [1], axis: 0 },
  { shape: [700], axis: 0, dtype: 'f16' },
  { shape: [50, 300], axis: 1 },
  { shape: [9, 31, 33], axis: 1, dtype: 'bf16' },
  { shape: [64, 5, 7], axis: 0 },
]

await t.test('works along any axis', async t => {
  const kinds = [argmax, argmin, cumsum]
  for (const [seed, { shape, axis, dtype }] of lines.entries()) {
    const run = (runtime: Runtime) => {
      const x = new Operands(runtime, seed).normal(shape, dtype)
      return readAll(kinds.map(kind => kind(x, axis)))
    }
    const expected = await run(reference)
    for (const runtime of [webgpu, shrunk, wasm]) {
      const data = await run(runtime)
      kinds.forEach((kind, i) => {
        const name = `${kind.name} ${JSON.stringify({ shape, axis, dtype })}`
        close(t, data[i], expected[i], kind === cumsum ? 1e-5 : 0, name)
      })
    }
  }
})

// In WebAssembly: blocks of 64 and 256 columns, and results cut into parts.
const blockEdges: (ReduceOptions & { shape: Shape; dtype?: DType })[] = [
  { shape: [40, 2, 500], axes: [0, 2], dtype: 'f16' },
  { shape: [130, 257], axes: [0] },
  { shape: [30, 2, 30, 20], axes: [0, 2], dtype: 'bf16' },
  { shape: [4, 5, 9, 7], axes: [1, 3] },
  { shape: [31, 67], axes: [0] },
]

await t.test('gives the same on any number of threads', async t => {
  const others = await Promise.all([0, 1, 2, 3].map(threads => wasmRuntime({ threads })))
  for (const [seed, { shape, dtype, ...options }] of [...cases, ...blockEdges].entries()) {
    const run = (runtime: Runtime) => {
      const x = new Operands(runtime, seed).normal(shape, dtype)
      const alongLines = shape.flatMap((_, axis) => [argmax(x, axis), argmin(x, axis), cumsum(x, axis)])
      return readAll([...[sum, mean, max, min, variance].map(kind => kind(x, options)), ...alongLines])
    }
    const first = await run(wasm)
    const check = (expected: typeof first, tolerance: number, by: Runtime) =>
      first.forEach((out, i) =>
        close(
          t,
          out,
          expected[i],
          tolerance,
          `${by.description} ${JSON.stringify({ shape, dtype, ...options })}, ${i}`,
        ),
      )
    if (seed >= cases.length) check(await run(reference), 1e-6, reference)
    for (const runtime of others) check(await run(runtime), 0, runtime)
  }
})

await t.test('a large mean does not eat a small deviation', t =>
  onRuntimes(t, [reference, webgpu, shrunk, wasm], async (t, runtime) => {
    // 1000 +- 0.01 as f32 holds it; a result's elements lie `step` apart.
    const values = Float32Array.from({ length: 9000 }, (_, i) => 1000 + 0.01 * Math.sin(i * i))
    const expected = (start: number, step: number): number => {
      const own = values.filter((_, i) => i % step === start)
      const middle = own.reduce((total, value) => total + value / own.length, 0)
      return own.reduce((total, value) => total + (value - middle) ** 2 / own.length, 0)
    }
    const x = Tensor.from(runtime, values, [3000, 3])
    close(t, await variance(x).floats(), [expected(0, 1)], 1e-4, 'one result')
    const columns = [0, 1, 2].map(start => expected(start, 3))
    close(t, await variance(x, { axes: [0] }).floats(), columns, 1e-4, 'three results')
  }),
)

await t.test('ties, NaN and infinity go as in torch', t =>
  onRuntimes(t, [reference, webgpu, wasm], async (t, runtime) => {
    const x = (values: number[]) => Tensor.from(runtime, values, [values.length])
    const all = async (run: (x: Tensor) => Tensor, values: number[]) => (await run(x(values)).data())[0]
    t.equal(await all(argmax, [1, 3, 3, 2]), 1, 'the first of equals')
    t.equal(await all(argmin, [5, 1, 2, 1]), 1)
    t.equal(await all(argmax, [1, NaN, 9, NaN]), 1, 'the first NaN')
    t.equal(await all(argmin, [1, NaN, -9, NaN]), 1)
    t.equal(await all(argmax, [...new Array<number>(21).fill(1), NaN, 9, NaN]), 21, 'in a longer line')
    t.equal(await all(argmax, [-Infinity, -Infinity]), 0)
    t.equal(await all(max, [-Infinity, -Infinity]), -Infinity)
    t.equal(await all(min, [Infinity, 3]), 3)
    for (const run of [sum, mean, max, min, variance])
      for (const place of [0, 1, 200])
        t.ok(Number.isNaN(await all(run, [...new Array<number>(place).fill(1), NaN, 2])), `${run.name} of NaN`)
    t.equal(await all(sum, [1, Infinity]), Infinity)
    const none = (run: typeof sum) => run(Tensor.zeros(runtime, [0, 3]), { axes: [0] }).floats()
    t.same([...(await none(sum))], [0, 0, 0], 'nothing adds up to 0')
    t.ok((await none(mean)).every(Number.isNaN), 'and has no mean')
  }),
)

await t.test('long sums keep their digits', t =>
  onRuntimes(t, [webgpu, wasm], async (t, runtime) => {
    const x = Tensor.from(runtime, new Float32Array(2 ** 20).fill(0.1), [2 ** 20])
    close(t, await sum(x).floats(), [Math.fround(0.1) * 2 ** 20], 2e-6, 'sum')
    const running = await cumsum(x).floats()
    close(t, running.subarray(-1), [Math.fround(0.1) * 2 ** 20], 1e-4, 'running sum')
  }),
)

await t.test('says what does not fit', t => {
  const x = new Operands(shrunk, 0).normal([2, 3])
  t.throws(() => sum(x, { axes: [2] }), { message: 'sum: axis out of range; expected -2..1; got 2' })
  t.throws(() => mean(x, { axes: [0, -2] }), /mean: axes do not fit; expected different axes of \[2, 3\]; got \[0, 0\]/)
  t.throws(() => max(Tensor.zeros(shrunk, [0])), /max: nothing to choose from; got \[0\]/)
  t.throws(() => argmin(Tensor.zeros(shrunk, [2, 0])), /argmin: nothing to choose from/)
  t.throws(() => sum(Tensor.from(shrunk, [1], [1], 'i32')), /x has the wrong dtype/)
  t.throws(() => sum(Tensor.zeros(shrunk, new Array<number>(9).fill(1))), /too many axes; expected at most 8/)
  t.throws(() => cumsum(Tensor.zeros(shrunk, [5000])), /one row is larger than a binding/)
  t.end()
})
