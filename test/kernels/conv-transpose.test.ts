// Transposed convolution against torch's numbers and against its own plain loops.

import t from 'tap'
import { convTranspose2d, type ConvTranspose2dOptions } from '../../kernels/index.js'
import { type DType, type Runtime, type Shape } from '../../tensor/index.js'
import { close } from '../support/compare.js'
import {
  agreeWithTorch,
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

await t.test('agrees with torch', t => agreeWithTorch(t, [reference, webgpu, shrunk, wasm], ['conv_transpose2d']))

interface Case {
  x: Shape
  weight: Shape
  stride?: number
  padding?: number
  /** Of x; f32 if not given. */
  input?: DType
  /** Of the weight and the bias. */
  dtype?: DType
  bias?: boolean
}

// Around a tile of 8 pixels x 8 channels, channels around multiples of four; phases with as many pixels and with fewer,
// with as many taps and with fewer.
const edges: Case[] = [
  { x: [1, 1, 1, 1], weight: [1, 1, 1, 1] },
  { x: [2, 1, 1, 3], weight: [5, 4, 4, 3], stride: 4, bias: true },
  { x: [1, 3, 3, 8], weight: [8, 2, 2, 8], stride: 2 },
  { x: [2, 5, 4, 12], weight: [9, 3, 3, 12], stride: 2, padding: 1, bias: true },
  { x: [1, 4, 5, 6], weight: [4, 5, 3, 6], stride: 3, bias: true },
  { x: [1, 4, 6, 5], weight: [7, 3, 4, 5], padding: 2 },
  { x: [3, 2, 9, 4], weight: [17, 4, 5, 4], stride: 3, padding: 3, bias: true },
  { x: [1, 4, 4, 33], weight: [12, 4, 4, 33], stride: 2, padding: 1, dtype: 'f16', bias: true },
  { x: [1, 4, 4, 16], weight: [12, 2, 2, 16], stride: 2, dtype: 'bf16' },
  { x: [0, 4, 4, 16], weight: [12, 2, 2, 16], stride: 2 },
]

// What shrunk limits cut into parts: pictures, rows, output channels, rows and output channels.
const large: Case[] = [
  { x: [7, 6, 6, 12], weight: [8, 4, 4, 12], stride: 2, padding: 1, bias: true },
  { x: [2, 11, 12, 8], weight: [12, 4, 4, 8], stride: 4, bias: true },
  { x: [1, 3, 4, 20], weight: [33, 3, 3, 20], bias: true },
  { x: [1, 40, 20, 16], weight: [60, 3, 2, 16], stride: 2, padding: 1, dtype: 'f16', bias: true },
]

// Around the edges of tiles of 4 x 8, blocks of 256 x 128 and parts of the sum of 512, in WebAssembly; operands of
// every width; more phases than outputs.
const blockEdges: Case[] = [
  { x: [3, 20, 19, 60], weight: [131, 5, 4, 60], stride: 2, padding: 1, bias: true },
  { x: [1, 3, 4, 300], weight: [9, 6, 7, 300], stride: 3, padding: 2, input: 'f16', dtype: 'bf16', bias: true },
  { x: [2, 5, 3, 4], weight: [3, 3, 3, 4], stride: 3, padding: 2, input: 'bf16' },
  { x: [1, 1, 1, 17], weight: [10, 9, 9, 17], stride: 9, padding: 4, bias: true },
]

const cases = [...edges, ...large, ...blockEdges]

async function run(runtime: Runtime, index: number): Promise<Float32Array> {
  const { x, weight, input, dtype, bias, stride, padding } = cases[index]
  const operands = new Operands(runtime, index)
  const options: ConvTranspose2dOptions = { stride, padding }
  using picture = operands.normal(x, input)
  using kernel = operands.normal(weight, dtype)
  if (bias) options.bias = operands.normal([weight[0]], dtype)
  using out = convTranspose2d(picture, kernel, options)
  return out.floats()
}

await t.test('agrees with the plain loops at edges and in parts, every output written', async t => {
  for (const [index, each] of cases.entries()) {
    const expected = await run(reference, index)
    const name = JSON.stringify(each)
    close(t, await run(wasm, index), expected, 2e-6, `wasm ${name}`)
    if (blockEdges.includes(each)) continue
    close(t, await run(webgpu, index), expected, 2e-6, `webgpu ${name}`)
    const { dispatches } = shrunk.statistics()
    close(t, await run(shrunk, index), expected, 2e-6, `webgpu in parts ${name}`)
    if (large.includes(each)) t.ok(shrunk.statistics().dispatches > dispatches + 1, 'in several parts indeed')
  }
})

await t.test('gives the same on any number of threads', async t => {
  for (const threads of [0, 1, 2, 3]) {
    const runtime = await wasmRuntime({ threads })
    for (const each of blockEdges) {
      const index = cases.indexOf(each)
      close(t, await run(runtime, index), await run(wasm, index), 0, `${threads} threads ${JSON.stringify(each)}`)
    }
  }
})
await t.test('says what does not fit', t => {
  const operands = new Operands(shrunk, 0)
  const x = operands.normal([1, 3, 3, 4])
  const weight = operands.normal([5, 3, 3, 4])
  t.throws(() => convTranspose2d(x, weight, { stride: 4 }), {
    message: "convTranspose2d: stride is impossible; expected a whole number from 1 to the kernel's 3; got 4",
  })
  t.throws(() => convTranspose2d(x, weight, { padding: 3 }), /padding is impossible; .*below the kernel's 3; got 3/)
  t.throws(() => convTranspose2d(x, weight, { stride: NaN }), /stride is impossible/)
  t.throws(() => convTranspose2d(x, operands.normal([4, 3, 3, 5])), /channels of the weight do not fit; expected 4/)
  t.throws(() => convTranspose2d(x.reshape([3, 3, 4]), weight), /x has the wrong axes; expected \[B, H, W, I\]/)
  t.throws(() => convTranspose2d(x, weight.reshape([5, 9, 4])), /weight has the wrong axes; expected \[O, kh, kw, I\]/)
  t.throws(() => convTranspose2d(operands.normal([1, 1, 1, 4]), weight, { padding: 2 }), /padding cuts everything away/)
  t.throws(() => convTranspose2d(x, weight, { bias: operands.normal([4]) }), /bias does not fit; expected \[5\]/)
  t.throws(() => convTranspose2d(operands.normal([1, 2, 1025, 4]), weight), /one row is larger than a binding/)
  t.end()
})
