// Choosing and summing by index against torch's numbers and against plain loops.

import t from 'tap'
import { embedding, gather, indexSelect, scatterAdd } from '../../kernels/index.js'
import { Generator } from '../../tensor/random.js'
import { sizeOf, Tensor, type DType, type Runtime, type Shape } from '../../tensor/index.js'
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
    ['gather', 'index_select', 'scatter_add into zeros(6)', 'embedding'],
    1e-6,
  ),
)

/** Indices from -1 to size, so that some point outside. */
function indices(runtime: Runtime, seed: number, shape: Shape, size: number): Tensor {
  const random = new Generator(seed).randint(-1, size + 1, sizeOf(shape))
  return Tensor.from(runtime, random, shape, 'i32')
}

// Lines along every kind of axis; what shrunk limits cut into slabs, and into windows of rows and of items.
const cases: { shape: Shape; axis: number; count: number; dtype?: DType }[] = [
  { shape: [1], axis: 0, count: 1 },
  { shape: [7, 5], axis: 1, count: 9 },
  { shape: [4, 6, 8], axis: 1, count: 3, dtype: 'f16' },
  { shape: [4, 6, 3], axis: 0, count: 10, dtype: 'bf16' },
  { shape: [60, 9, 12], axis: 1, count: 14 },
  { shape: [600, 8], axis: 0, count: 5 },
  { shape: [5, 8], axis: 0, count: 600 },
  { shape: [2, 1500, 3], axis: 1, count: 1400, dtype: 'f16' },
  { shape: [9000], axis: 0, count: 12 },
  { shape: [3, 0, 4], axis: 1, count: 2 },
  { shape: [2, 0, 4], axis: 1, count: 1100 },
  { shape: [3, 4], axis: 1, count: 0 },
]

function runsOf({ shape, axis, count, dtype }: (typeof cases)[0], seed: number) {
  const chosen = shape.with(axis, count)
  return {
    gather: (runtime: Runtime) =>
      gather(new Operands(runtime, seed).normal(shape, dtype), axis, indices(runtime, seed, chosen, shape[axis])),
    indexSelect: (runtime: Runtime) =>
      indexSelect(new Operands(runtime, seed).normal(shape, dtype), axis, indices(runtime, seed, [count], shape[axis])),
    scatterAdd: (runtime: Runtime) =>
      scatterAdd(
        new Operands(runtime, seed).normal(chosen, dtype),
        axis,
        indices(runtime, seed, chosen, shape[axis]),
        shape[axis],
      ),
  }
}

await t.test('agrees with the plain loops, every output written', async t => {
  for (const [seed, each] of cases.entries())
    for (const [name, run] of Object.entries(runsOf(each, seed))) {
      const expected = await run(reference).floats()
      for (const runtime of [webgpu, shrunk, wasm]) {
        const out = await run(runtime).floats()
        close(t, out, expected, name === 'scatterAdd' ? 1e-6 : 0, `${name} ${JSON.stringify(each)}`)
      }
    }
})

// In WebAssembly: units of 4096 elements, blocks of 16 columns.
const blockEdges: typeof cases = [
  { shape: [3, 5, 4099], axis: 1, count: 4 },
  { shape: [4100, 3], axis: 1, count: 2, dtype: 'f16' },
  { shape: [2, 9, 17], axis: 1, count: 300 },
  { shape: [9, 33], axis: 0, count: 40, dtype: 'bf16' },
]

await t.test('gives the same on any number of threads', async t => {
  const others = await Promise.all([0, 1, 2, 3].map(threads => wasmRuntime({ threads })))
  for (const [seed, each] of [...cases, ...blockEdges].entries())
    for (const [name, run] of Object.entries(runsOf(each, seed))) {
      const first = await run(wasm).floats()
      const what = `${name} ${JSON.stringify(each)}`
      close(t, first, await run(reference).floats(), name === 'scatterAdd' ? 1e-6 : 0, what)
      for (const runtime of others) close(t, await run(runtime).floats(), first, 0, `${what}, ${runtime.description}`)
    }
})

await t.test('indices that point nowhere give NaN, and add nothing', t =>
  onRuntimes(t, [reference, webgpu, wasm], async (t, runtime) => {
    const wild = Tensor.from(runtime, [-1, 0, 3, 2 ** 31 - 1, -(2 ** 31), 2], [6], 'i32')
    const x = Tensor.from(runtime, [5, 6, 7], [3])
    close(t, await indexSelect(x, 0, wild).floats(), [NaN, 5, NaN, NaN, NaN, 7], 0, 'chosen')
    const six = Tensor.from(runtime, [1, 2, 4, 8, 16, 32], [6])
    close(t, await scatterAdd(six, 0, wild, 3).floats(), [2, 0, 32], 0, 'summed')
    const hard = Tensor.from(runtime, [Infinity, NaN, 1], [3])
    const places = Tensor.from(runtime, [0, 1, 2], [3], 'i32')
    close(t, await scatterAdd(hard, 0, places, 4).floats(), [Infinity, NaN, 1, 0], 0, 'each to its own place')
  }),
)

await t.test('looks up rows of any float, and tells of ids that have none', t =>
  onRuntimes(t, [reference, webgpu, shrunk, wasm], async (t, runtime) => {
    for (const dtype of ['f32', 'f16', 'bf16'] as const)
      for (const width of [5, 8]) {
        const weight = new Operands(runtime, 1).normal([900, width], dtype)
        const table = await weight.floats()
        const wanted = [899, 0, -1, 450, 900, 2 ** 31 - 1, -(2 ** 31), 17, 17, 600, 1, 2]
        const out = embedding(weight, Tensor.from(runtime, wanted, [3, 4], 'i32'))
        t.same(out.shape, [3, 4, width])
        const row = (id: number): number[] =>
          id >= 0 && id < 900
            ? Array.from(table.subarray(id * width, (id + 1) * width))
            : new Array<number>(width).fill(NaN)
        close(t, await out.floats(), wanted.flatMap(row), 0, `${dtype}, ${width} wide`)
      }
    const many = Array.from({ length: 5000 }, (_, i) => (i * 7) % 3)
    const rows = embedding(Tensor.from(runtime, [1, 2, 3, 4, 5, 6], [3, 2]), Tensor.from(runtime, many, [5000], 'i32'))
    const expected = many.flatMap(id => [2 * id + 1, 2 * id + 2])
    close(t, await rows.floats(), expected, 0, 'more ids than a window holds')
    const none = embedding(Tensor.zeros(runtime, [0, 3]), Tensor.from(runtime, [0, 1], [2], 'i32'))
    t.ok((await none.floats()).every(Number.isNaN), 'an empty table')
  }),
)

await t.test('says what does not fit', t => {
  const x = new Operands(webgpu, 0).normal([2, 3])
  const index = Tensor.zeros(webgpu, [2, 3], 'i32')
  t.throws(() => gather(x, 1, Tensor.zeros(webgpu, [3, 3], 'i32')), {
    message: "gather: index does not fit; expected x's [2, 3] but for axis 1; got [3, 3]",
  })
  t.throws(() => gather(x, 1, Tensor.zeros(webgpu, [2], 'i32')), /gather: index does not fit/)
  t.throws(() => embedding(x, x), /embedding: ids has the wrong dtype; expected i32; got f32/)
  t.throws(
    () => embedding(Tensor.zeros(webgpu, [4]), index),
    /embedding: weight is not a table; expected \[V, D\]; got \[4\]/,
  )
  t.throws(() => gather(x, 2, index), /gather: axis out of range; expected -2..1; got 2/)
  t.throws(() => gather(x, 0, x), /gather: index has the wrong dtype; expected i32; got f32/)
  t.throws(() => gather(index, 0, index), /gather: x has the wrong dtype/)
  t.throws(() => indexSelect(x, 0, index), /indexSelect: index has the wrong axes; expected \[N\]; got \[2, 3\]/)
  t.throws(() => scatterAdd(x, 0, Tensor.zeros(webgpu, [2], 'i32'), 4), /scatterAdd: index does not fit/)
  t.throws(() => scatterAdd(x, 0, index, -1), /scatterAdd: no such size; expected 0..2147483648; got -1/)
  t.throws(() => scatterAdd(x, 0, index, 2 ** 31), /out of memory/)
  t.throws(
    () => gather(Tensor.zeros(shrunk, [1, 5000]), 0, Tensor.zeros(shrunk, [1, 5000], 'i32')),
    /one row is larger/,
  )
  t.end()
})
