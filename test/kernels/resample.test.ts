// Resizing against torch's numbers and against its own plain loops.

import t from 'tap'
import { resize, type ResizeOptions } from '../../kernels/index.js'
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
  agreeWithTorch(
    t,
    [reference, webgpu, shrunk, wasm],
    [
      'upsample_nearest2x',
      'upsample_nearest_to_size',
      'interpolate',
      'interpolate scale_factor given (DINOv2 pos embed: the given scale factor, not out/in, enters the coordinate map)',
    ],
  ),
)

// Shrinking, growing and neither, by little and by much; channels in fours and not; pictures in runs, and one picture
// in windows of rows.
const cases: (ResizeOptions & { shape: Shape; dtype?: DType })[] = [
  { shape: [1, 1, 1, 1], size: [3, 2], mode: 'bicubic' },
  { shape: [2, 5, 7, 4], size: [10, 14], mode: 'nearest', dtype: 'f16' },
  { shape: [1, 30, 40, 8], size: [60, 80], mode: 'nearest' },
  { shape: [9, 10, 11, 5], size: [6, 12], mode: 'nearest' },
  { shape: [2, 6, 5, 20], size: [9, 10], mode: 'nearest' },
  { shape: [2, 6, 5, 36], size: [9, 10], mode: 'bilinear' },
  { shape: [1, 6, 5, 17], size: [3, 4], mode: 'bicubic', antialias: true },
  { shape: [3, 9, 8, 3], size: [9, 8], mode: 'bilinear' },
  { shape: [1, 70, 60, 3], size: [33, 61], mode: 'bilinear', alignCorners: true },
  { shape: [1, 70, 60, 3], size: [31, 29], mode: 'bicubic', antialias: true },
  { shape: [2, 200, 12, 4], size: [150, 9], mode: 'bicubic', antialias: true, dtype: 'bf16' },
  { shape: [1, 30, 40, 4], size: [77, 79], mode: 'bicubic' },
  { shape: [1, 16, 16, 4], size: [40, 90], mode: 'bilinear', antialias: true, scaleFactor: [2.55, 5.65] },
  { shape: [1, 9, 40, 5], size: [12, 3], mode: 'bicubic', dtype: 'f16' },
  { shape: [2, 9, 41, 6], size: [1, 1], mode: 'bilinear', antialias: true },
  { shape: [0, 4, 4, 1], size: [2, 2], mode: 'bilinear' },
]

async function run(runtime: Runtime, index: number): Promise<Float32Array> {
  const { shape, dtype, ...options } = cases[index]
  using x = new Operands(runtime, index).normal(shape, dtype)
  using out = resize(x, options)
  return out.floats()
}

await t.test('agrees with the plain loops, every output written', async t => {
  for (const [index, each] of cases.entries()) {
    const expected = await run(reference, index)
    const tolerance = each.mode === 'nearest' ? 0 : 1e-5
    for (const runtime of [webgpu, shrunk, wasm])
      close(t, await run(runtime, index), expected, tolerance, `${runtime.name} ${JSON.stringify(each)}`)
  }
})

await t.test('gives the same on any number of threads', async t => {
  for (const threads of [0, 1, 2, 3]) {
    const runtime = await wasmRuntime({ threads })
    for (const [index, each] of cases.entries())
      close(t, await run(runtime, index), await run(wasm, index), 0, `${threads} threads ${JSON.stringify(each)}`)
  }
})

await t.test('nearest takes the same pixel everywhere, also where rounding decides', async t => {
  const sizes = [1, 2, 3, 7, 10, 41, 49, 55, 61, 83, 98, 100]
  for (const input of [3, 7, 41, 49])
    for (const output of sizes) {
      const x = Array.from({ length: input }, (_, i) => i)
      const run = (runtime: Runtime) =>
        resize(Tensor.from(runtime, x, [1, 1, input, 1]), { size: [1, output], mode: 'nearest' }).floats()
      // As torch reckons, in f32.
      const scale = Math.fround(input / output)
      const expected = Array.from({ length: output }, (_, i) => Math.min(Math.floor(Math.fround(i * scale)), input - 1))
      for (const runtime of [reference, webgpu, wasm])
        close(t, await run(runtime), expected, 0, `${input} to ${output}`)
    }
})

await t.test('a constant picture stays as it is', t =>
  onRuntimes(t, [reference, webgpu, wasm], async (t, runtime) => {
    const x = Tensor.from(runtime, new Array<number>(5 * 6).fill(0.7), [1, 5, 6, 1])
    for (const mode of ['nearest', 'bilinear', 'bicubic'] as const)
      for (const antialias of mode === 'nearest' ? [false] : [false, true]) {
        const out = await resize(x, { size: [3, 11], mode, antialias }).floats()
        close(t, out, new Array<number>(33).fill(0.7), 1e-6, `${mode}${antialias ? ', antialiased' : ''}`)
      }
  }),
)

await t.test('says what does not fit', t => {
  const x = new Operands(shrunk, 0).normal([1, 4, 4, 1])
  const size = [2, 2] as const
  t.throws(() => resize(x, { size: [0, 2], mode: 'bilinear' }), {
    message: 'resize: sizes are not usable; expected heights and widths of 1 to 1048576; got [1, 4, 4, 1] to [0, 2]',
  })
  t.throws(() => resize(x, { size: [2, NaN], mode: 'bilinear' }), /sizes are not usable/)
  t.throws(() => resize(x, { size: [2 ** 30, 2 ** 30], mode: 'nearest' }), /sizes are not usable/)
  t.throws(() => resize(x.reshape([4, 4]), { size, mode: 'nearest' }), /x has the wrong axes; expected \[B, H, W, C\]/)
  t.throws(() => resize(x, { size, mode: 'nearest', antialias: true }), /nearest has no alignCorners and no antialias/)
  t.throws(() => resize(x, { size, mode: 'bicubic', scaleFactor: [0.5, 0] }), /do not lead to the size/)
  t.throws(
    () => resize(new Operands(shrunk, 0).normal([1, 9, 1000, 4]), { size, mode: 'bilinear' }),
    /one row is larger than a binding/,
  )
  t.end()
})
