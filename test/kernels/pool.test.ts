// Pooling against torch's numbers and against its own plain loops.

import t from 'tap'
import { avgPool2d, maxPool2d, type AvgPoolOptions } from '../../kernels/index.js'
import { Tensor, type DType, type Runtime, type Shape } from '../../tensor/index.js'
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
  agreeWithTorch(t, [reference, webgpu, shrunk, wasm], ['avg_pool2d', 'max_pool2d'], 1e-6),
)

// Channels in fours and not, and in several parts; overlapping, touching and skipping windows; pictures in runs, and
// one picture in rows.
const cases: (AvgPoolOptions & { shape: Shape; dtype?: DType })[] = [
  { shape: [1, 1, 1, 1], kernel: 1 },
  { shape: [2, 7, 9, 4], kernel: 3, padding: 1 },
  { shape: [2, 7, 9, 5], kernel: 4, stride: 1, padding: 2, dtype: 'f16' },
  { shape: [1, 2, 3, 4], kernel: 6, padding: 3 },
  { shape: [3, 11, 8, 8], kernel: 2, stride: 3, dtype: 'bf16' },
  { shape: [9, 12, 11, 6], kernel: 3, stride: 2, padding: 1 },
  { shape: [2, 70, 33, 4], kernel: 3, stride: 2, padding: 1 },
  { shape: [1, 70, 61, 3], kernel: 5, stride: 1, padding: 2 },
  { shape: [1, 9, 5, 130], kernel: 4, stride: 3, padding: 2, dtype: 'f16' },
  { shape: [0, 4, 4, 2], kernel: 2 },
]

async function run(runtime: Runtime, index: number) {
  const { shape, dtype, ...options } = cases[index]
  using x = new Operands(runtime, index).normal(shape, dtype)
  using mean = avgPool2d(x, options)
  using inside = avgPool2d(x, { ...options, countIncludePad: false })
  using most = maxPool2d(x, options)
  return { mean: await mean.floats(), inside: await inside.floats(), most: await most.floats() }
}

await t.test('agrees with the plain loops, every output written', async t => {
  for (const [index, each] of cases.entries()) {
    const expected = await run(reference, index)
    for (const runtime of [webgpu, shrunk, wasm]) {
      const { mean, inside, most } = await run(runtime, index)
      const name = `${runtime.name} ${JSON.stringify(each)}`
      close(t, mean, expected.mean, 1e-6, `mean ${name}`)
      close(t, inside, expected.inside, 1e-6, `mean of the inside ${name}`)
      close(t, most, expected.most, 0, `largest ${name}`)
    }
  }
})

await t.test('gives the same on any number of threads', async t => {
  for (const threads of [0, 1, 2, 3]) {
    const runtime = await wasmRuntime({ threads })
    for (const [index, each] of cases.entries()) {
      const expected = await run(wasm, index)
      const { mean, inside } = await run(runtime, index)
      close(t, mean, expected.mean, 0, `${threads} threads, mean ${JSON.stringify(each)}`)
      close(t, inside, expected.inside, 0, `${threads} threads, mean of the inside ${JSON.stringify(each)}`)
    }
  }
})

await t.test('padding, NaN and infinity go as in torch', t =>
  onRuntimes(t, [reference, webgpu, wasm], async (t, runtime) => {
    const x = (values: number[]) => Tensor.from(runtime, values, [1, 1, values.length, 1])
    const options = { kernel: 2, stride: 1, padding: 1 }
    close(t, await maxPool2d(x([-3, -1]), options).floats(), [-3, -1, -1, -3, -1, -1], 0, 'padding is never largest')
    close(t, await avgPool2d(x([-4, 8]), options).floats(), [-1, 1, 2, -1, 1, 2], 0, 'padding counts as zero')
    const inside = await avgPool2d(x([-4, 8]), { ...options, countIncludePad: false }).floats()
    close(t, inside, [-4, 2, 8, -4, 2, 8], 0, 'or not at all')
    const row = { kernel: 1, stride: 1 }
    close(t, await maxPool2d(x([-Infinity, NaN]), row).floats(), [-Infinity, NaN], 0, 'infinities and NaN stay')
    const square = Tensor.from(runtime, [NaN, 9, 1, Infinity], [1, 2, 2, 1])
    close(t, await maxPool2d(square, { kernel: 2 }).floats(), [NaN], 0, 'NaN is larger than all')
    const last = Tensor.from(runtime, [1, 9, 1, NaN], [1, 2, 2, 1])
    close(t, await maxPool2d(last, { kernel: 2 }).floats(), [NaN], 0, 'wherever it stands')
  }),
)

await t.test('says what does not fit', t => {
  const x = new Operands(shrunk, 0).normal([1, 4, 5, 1])
  t.throws(() => maxPool2d(x, { kernel: 2, padding: 2 }), {
    message: "maxPool2d: padding is impossible; expected a whole number from 0, at most half the kernel's 2; got 2",
  })
  t.throws(
    () => avgPool2d(x, { kernel: 0 }),
    /avgPool2d: no such kernel; expected a whole number from 1 to 4096; got 0/,
  )
  t.throws(() => avgPool2d(x, { kernel: 1e9, padding: 5e8 }), /no such kernel/)
  t.throws(() => avgPool2d(x, { kernel: 2, stride: 0.5 }), /no such stride/)
  t.throws(() => avgPool2d(x, { kernel: 5 }), /kernel is larger than the padded picture; .*got 5/)
  t.throws(() => avgPool2d(x.reshape([4, 5]), { kernel: 2 }), /x has the wrong axes; expected \[B, H, W, C\]/)
  t.throws(() => avgPool2d(Tensor.zeros(shrunk, [1, 4, 2000, 2]), { kernel: 2 }), {
    message:
      'avgPool2d: one row is larger than a binding may be; expected at most 16384 bytes; got 2 rows of 4000 f32 for one of 2000 f32; try narrower tiles',
  })
  t.end()
})
