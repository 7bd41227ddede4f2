// Softmax against torch's numbers and against its own plain loops.

import t from 'tap'
import { logSoftmax, softmax } from '../../kernels/index.js'
import { Tensor, type DType, type Shape } from '../../tensor/index.js'
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

await t.test('agrees with torch', t => agreeWithTorch(t, [reference, webgpu, shrunk, wasm], ['softmax', 'log_softmax']))

// Lines shorter and longer than a workgroup, alone and many, along every axis; lines so many that they go in chunks.
const cases: { shape: Shape; axis: number; dtype?: DType }[] = [
  { shape: [1], axis: 0 },
  { shape: [63], axis: -1 },
  { shape: [257], axis: 0 },
  { shape: [2, 1000], axis: 1 },
  { shape: [9, 300], axis: 1 },
  { shape: [70, 65], axis: 1 },
  { shape: [61, 65], axis: 0 },
  { shape: [3, 7, 5, 11], axis: 2, dtype: 'f16' },
  { shape: [40, 5, 30], axis: 1, dtype: 'bf16' },
  { shape: [2, 513], axis: 1, dtype: 'f16' },
  { shape: [2, 6, 131], axis: 1 },
  { shape: [0, 4], axis: 1 },
]

await t.test('agrees with the plain loops along any axis, every output written', async t => {
  for (const [seed, { shape, axis, dtype }] of cases.entries())
    for (const run of [softmax, logSoftmax]) {
      const expected = await run(new Operands(reference, seed).normal(shape, dtype), axis).floats()
      for (const runtime of [webgpu, shrunk, wasm]) {
        const out = run(new Operands(runtime, seed).normal(shape, dtype), axis)
        close(t, await out.floats(), expected, 2e-6, `${run.name} ${JSON.stringify({ shape, axis, dtype })}`)
      }
    }
})

await t.test('gives the same on any number of threads', async t => {
  for (const threads of [0, 1, 2, 3]) {
    const runtime = await wasmRuntime({ threads })
    for (const [seed, { shape, axis, dtype }] of cases.entries()) {
      const [actual, expected] = [runtime, wasm].map(each =>
        softmax(new Operands(each, seed).normal(shape, dtype), axis),
      )
      close(
        t,
        await actual.floats(),
        await expected.floats(),
        0,
        `${threads} ${JSON.stringify({ shape, axis, dtype })}`,
      )
    }
  }
})

await t.test('large, hidden and impossible logits give what torch gives', t =>
  onRuntimes(t, [reference, webgpu, wasm], async (t, runtime) => {
    const rows = [
      [1e4, 1e4, -1e4, 9999],
      [-Infinity, 0, -Infinity, 0],
      [-3e38, 3e38, 0, 3e38],
      [-Infinity, -Infinity, -Infinity, -Infinity],
      [NaN, 0, 1, 2],
      [0, Infinity, 1, 2],
    ]
    // A long line takes the shared variant: the same logits, then hidden ones.
    for (const length of [4, 300]) {
      const lines = rows.map(row => [...row, ...new Array<number>(length - 4).fill(-Infinity)])
      const x = Tensor.from(runtime, lines.flat(), [rows.length, length])
      const out = await softmax(x).floats()
      const row = (n: number) => out.subarray(n * length, n * length + 4)
      const e = Math.exp(-1)
      close(t, row(0), [1 / (2 + e), 1 / (2 + e), 0, e / (2 + e)], 1e-6, 'large')
      close(t, row(1), [0, 0.5, 0, 0.5], 1e-6, 'hidden')
      close(t, row(2), [0, 0.5, 0, 0.5], 1e-6, 'the range of f32')
      t.ok(row(3).every(Number.isNaN), 'nothing visible: NaN')
      t.ok(out.subarray(4 * length).every(Number.isNaN), 'NaN and infinity spoil their lines')
      const log = await logSoftmax(x).floats()
      t.ok(log.subarray(3 * length).every(Number.isNaN), 'and the logarithms of all three')
      close(t, log.subarray(length, length + 4), [-Infinity, -Math.LN2, -Infinity, -Math.LN2], 1e-6, 'logarithms')
      close(t, log.subarray(0, 3), [-Math.log(2 + e), -Math.log(2 + e), -2e4 - Math.log(2 + e)], 1e-6, 'no underflow')
    }
  }),
)

await t.test('says what does not fit', t => {
  const operands = new Operands(shrunk, 0)
  t.throws(() => softmax(operands.normal([2, 3]), 2), { message: 'softmax: axis out of range; expected -2..1; got 2' })
  t.throws(() => softmax(Tensor.from(shrunk, [1, 2], [2], 'i32')), /x has the wrong dtype/)
  t.throws(() => softmax(operands.normal([5000])), /one row is larger than a binding/)
  t.end()
})
