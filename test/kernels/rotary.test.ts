// Rotary position embedding against what it is for, and against its own plain loops.

import t from 'tap'
import { differentiate, mul, rotary, sum } from '../../kernels/index.js'
import { Tensor, type DType, type Runtime, type Shape } from '../../tensor/index.js'
import { close } from '../support/compare.js'
import { onRuntimes, Operands, referenceRuntime, shrunkLimits, wasmRuntime, webgpuRuntime } from '../support/kernels.js'

const reference = await referenceRuntime()
const webgpu = await webgpuRuntime()
const shrunk = await webgpuRuntime({ limits: shrunkLimits })
const wasm = await wasmRuntime()

/** Angles n / 10^i of positions first, first + 1, ... */
function tables(runtime: Runtime, first: number, positions: number, pairs: number): { cos: Tensor; sin: Tensor } {
  const angles = Array.from(
    { length: positions * pairs },
    (_, i) => (first + Math.floor(i / pairs)) / 10 ** (i % pairs),
  )
  const table = (f: (angle: number) => number) => Tensor.from(runtime, angles.map(f), [positions, pairs])
  return { cos: table(Math.cos), sin: table(Math.sin) }
}

await t.test('products of two rows depend on their distance alone', t =>
  onRuntimes(t, [reference, webgpu, wasm], async (t, runtime) => {
    const operands = new Operands(runtime, 1)
    const [q, k] = [operands.normal([1, 6, 8]), operands.normal([1, 6, 8])]
    const products: Float32Array[] = []
    for (const first of [0, 1000]) {
      const { cos, sin } = tables(runtime, first, 6, 4)
      const [a, b] = [await rotary(q, cos, sin).floats(), await rotary(k, cos, sin).floats()]
      const dot = (n: number, m: number) =>
        a.subarray(n * 8, n * 8 + 8).reduce((total, value, i) => total + value * b[m * 8 + i], 0)
      products.push(Float32Array.from({ length: 36 }, (_, i) => dot(Math.floor(i / 6), i % 6)))
    }
    close(t, products[0], products[1], 1e-5, 'wherever the rows stand')
  }),
)

await t.test('turning back gives what was', t =>
  onRuntimes(t, [reference, webgpu, wasm], async (t, runtime) => {
    const x = new Operands(runtime, 2).normal([2, 5, 12])
    const { cos, sin } = tables(runtime, 3, 5, 3)
    const back = rotary(rotary(x, cos, sin), cos, sin, { inverse: true })
    close(t, await back.floats(), await x.floats(), 1e-6, 'the same')
  }),
)

// Heads narrower and wider than a vector, rows that repeat the table, rows so many that they go in chunks.
const cases: { shape: Shape; pairs: number; dtype?: DType }[] = [
  { shape: [1, 1, 2], pairs: 1 },
  { shape: [2, 3, 6], pairs: 3 },
  { shape: [3, 5, 24], pairs: 4, dtype: 'f16' },
  { shape: [2, 65, 70], pairs: 5, dtype: 'bf16' },
  { shape: [4, 33, 96], pairs: 16 },
  { shape: [0, 3, 8], pairs: 2 },
]

await t.test('agrees with the plain loops on any number of threads, every output written', async t => {
  const runtimes = [webgpu, shrunk, wasm, await wasmRuntime({ threads: 0 }), await wasmRuntime({ threads: 3 })]
  for (const [seed, { shape, pairs, dtype }] of cases.entries()) {
    const run = (runtime: Runtime) => {
      const operands = new Operands(runtime, seed)
      const table = () => operands.normal([shape[1], pairs])
      return rotary(operands.normal(shape, dtype), table(), table(), { inverse: seed % 2 === 1 }).floats()
    }
    const expected = await run(reference)
    for (const runtime of runtimes)
      close(t, await run(runtime), expected, 1e-6, JSON.stringify({ shape, pairs, dtype }))
  }
})

await t.test('gradients are what finite differences say, on every runtime and beyond the edges of vectors', async t => {
  for (const { shape, pairs } of cases.slice(0, 3)) {
    const lossOf = (x: Tensor, weight: Tensor, { cos, sin }: ReturnType<typeof tables>) =>
      sum(mul(rotary(x, cos, sin), weight))
    const operandsOf = (runtime: Runtime) => {
      const operands = new Operands(runtime, 5)
      return { x: operands.normal(shape), weight: operands.normal(shape), table: tables(runtime, 2, shape[1], pairs) }
    }
    const { x, weight, table } = operandsOf(reference)
    const values = await x.floats()
    const found = new Float32Array(values.length)
    // The loss is linear in every number, so steps may be large.
    for (const at of values.keys()) {
      const lossAt = async (step: number) =>
        (await lossOf(Tensor.from(reference, values.with(at, values[at] + step), shape), weight, table).floats())[0]
      found[at] = (await lossAt(0.5)) - (await lossAt(-0.5))
    }
    for (const runtime of [reference, webgpu, shrunk, wasm]) {
      const own = operandsOf(runtime)
      const { gradients } = differentiate([own.x], () => lossOf(own.x, own.weight, own.table))
      close(t, await gradients[0]!.floats(), found, 2e-5, `${runtime.name} ${String(shape)}`)
    }
  }
})

await t.test('says what does not fit', t => {
  const operands = new Operands(reference, 0)
  const [x, table, wide] = [operands.normal([1, 2, 6]), operands.normal([2, 3]), operands.normal([2, 2])]
  t.throws(() => rotary(x, wide, wide), {
    message: 'rotary: channels do not fit; expected a multiple of 2 P = 4; got [1, 2, 6]',
  })
  t.throws(() => rotary(x, table, wide), /sin does not fit/)
  t.throws(() => rotary(x, operands.normal([3, 3]), table), /cos does not fit; expected f32 \[2, P\]; got \[3, 3\]/)
  t.throws(() => rotary(operands.normal([2, 6]), table, table), /x has the wrong number of axes/)
  t.end()
})
