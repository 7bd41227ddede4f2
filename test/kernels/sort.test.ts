// Sorting against torch's numbers and against the host's stable sort.

import t from 'tap'
import { sort, topK } from '../../kernels/index.js'
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

await t.test('agrees with torch', t => agreeWithTorch(t, [reference, webgpu, shrunk, wasm], ['sort ascending']))

// Around stretches of 64 and their doubles, along every kind of axis; around the 48 elements that WebAssembly inserts.
const cases: { shape: Shape; axis: number; dtype?: DType }[] = [
  { shape: [1], axis: 0 },
  { shape: [20, 48], axis: 1 },
  { shape: [49, 5], axis: 0 },
  { shape: [3, 64, 5], axis: 1 },
  { shape: [65], axis: 0 },
  { shape: [40, 128], axis: -1 },
  { shape: [129, 7], axis: 0, dtype: 'f16' },
  { shape: [2, 3, 257], axis: 2, dtype: 'bf16' },
  { shape: [1000, 3], axis: 0 },
  { shape: [5, 2047], axis: 1 },
  { shape: [4, 0], axis: 1 },
  { shape: [0, 4], axis: 1 },
]

await t.test('agrees with the plain loops, every output written', async t => {
  for (const [seed, { shape, axis, dtype }] of cases.entries())
    for (const descending of [false, true]) {
      const run = (runtime: Runtime) => {
        const { values, indices } = sort(new Operands(runtime, seed).normal(shape, dtype), axis, { descending })
        return readAll([values, indices])
      }
      const expected = await run(reference)
      for (const runtime of [webgpu, shrunk, wasm]) {
        const [values, indices] = await run(runtime)
        const name = JSON.stringify({ shape, axis, dtype, descending })
        close(t, values, expected[0], 0, `values ${name}`)
        close(t, indices, expected[1], 0, `indices ${name}`)
      }
    }
})

await t.test('gives the same on any number of threads', async t => {
  for (const threads of [0, 1, 2, 3]) {
    const runtime = await wasmRuntime({ threads })
    for (const [seed, { shape, axis, dtype }] of cases.entries()) {
      const run = (each: Runtime) => sort(new Operands(each, seed).normal(shape, dtype), axis).indices.data()
      close(t, await run(runtime), await run(wasm), 0, `${threads} ${JSON.stringify({ shape, axis, dtype })}`)
    }
  }
})

await t.test('a long line is sorted as well', t =>
  onRuntimes(t, [webgpu, wasm], async (t, runtime) => {
    const x = new Operands(runtime, 1).normal([50000])
    const { values, indices } = sort(x)
    const expected = (await x.floats()).toSorted()
    close(t, await values.floats(), expected, 0, 'values')
    t.equal(new Set(await indices.data()).size, 50000, 'every index once')
  }),
)

await t.test('equals stay in order, NaN comes last, zeros are equal', t =>
  onRuntimes(t, [reference, webgpu, wasm], async (t, runtime) => {
    const line = [NaN, 0, -Infinity, 3, -0, NaN, Infinity, -3, 0, 1e-45, -1e-45, 3]
    const x = Tensor.from(runtime, line, [line.length])
    const up = sort(x)
    const order = [2, 7, 10, 1, 4, 8, 9, 3, 11, 6, 0, 5]
    close(t, await up.indices.data(), order, 0, 'ascending')
    const values = order.map(i => Math.fround(line[i]))
    t.ok(
      (await up.values.floats()).every((value, i) => Object.is(value, values[i])),
      'values keep their signs',
    )
    close(t, await sort(x, 0, { descending: true }).indices.data(), [0, 5, 6, 3, 11, 9, 1, 4, 8, 10, 7, 2], 0, 'down')
    // Few different numbers over several merges.
    const many = Array.from({ length: 700 }, (_, i) => (i * i) % 3)
    const sorted = many.map((_, i) => i).sort((a, b) => many[a] - many[b])
    close(t, await sort(Tensor.from(runtime, many, [700])).indices.data(), sorted, 0, 'many equals')
  }),
)

await t.test('the largest k', t =>
  onRuntimes(t, [reference, webgpu, wasm], async (t, runtime) => {
    const x = Tensor.from(runtime, [1, 5, 5, -2, NaN, 0, 3, 3], [2, 4])
    const rows = topK(x, 2)
    t.same(rows.values.shape, [2, 2])
    close(t, await rows.values.floats(), [5, 5, NaN, 3], 0, 'of rows')
    close(t, await rows.indices.data(), [1, 2, 0, 2], 0, 'where')
    close(t, await topK(x, 1, 0).values.floats(), [NaN, 5, 5, 3], 0, 'of columns')
    t.same(topK(x, 0).values.shape, [2, 0])
  }),
)

await t.test('says what does not fit', t => {
  const x = new Operands(shrunk, 0).normal([2, 3])
  t.throws(() => sort(x, 2), { message: 'sort: axis out of range; expected -2..1; got 2' })
  t.throws(() => sort(Tensor.from(shrunk, [1], [1], 'i32')), /sort: x has the wrong dtype/)
  t.throws(() => topK(x, 4), { message: 'topK: no such k; expected 0..3; got 4' })
  t.throws(() => topK(x, NaN), /topK: no such k/)
  t.throws(() => sort(Tensor.zeros(shrunk, [5000])), /sort: one row is larger than a binding/)
  t.end()
})
