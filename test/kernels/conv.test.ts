// Convolution against torch's numbers and against its own plain loops.

import t from 'tap'
import { conv2d, conv3d, type Conv2dOptions } from '../../kernels/index.js'
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
import { forced, matrixRuntime, smallMatrices } from '../support/variants.js'

const reference = await referenceRuntime()
const webgpu = await webgpuRuntime()
const shrunk = await webgpuRuntime({ limits: shrunkLimits })
const direct = await webgpuRuntime({ tune: forced('direct') })
const subgroup = await webgpuRuntime({ tune: forced('subgroup') })
const wasm = await wasmRuntime()

await t.test('agrees with torch', t => agreeWithTorch(t, [reference, webgpu, shrunk, wasm], ['conv2d', 'conv3d']))

interface Case {
  x: Shape
  weight: Shape
  padding?: Conv2dOptions['padding'] | [number, number, number]
  stride?: number
  groups?: number
  dtype?: DType
  /** Of x, the bias, the shift and the residual; f32 if not given. */
  others?: DType
  activation?: Conv2dOptions['activation']
  bias?: boolean
  /** Rows of shift. */
  shift?: number
  residual?: Shape
}

const twoEdges = { top: 0, bottom: 1, left: 0, right: 1 }

// Around the edges of tiles of 8 pixels x 8 channels, 8 x 16 and 32 x 32; channels around multiples of four; every
// epilogue. Five axes are a video.
const edges: Case[] = [
  { x: [1, 1, 1, 1], weight: [1, 3, 3, 1], padding: 1 },
  { x: [1, 3, 3, 8], weight: [9, 3, 3, 8], padding: 1, bias: true },
  { x: [3, 2, 4, 5], weight: [7, 2, 3, 5], bias: true, activation: 'silu' },
  { x: [2, 1, 9, 12], weight: [8, 1, 2, 12], residual: [2, 1, 8, 8] },
  { x: [2, 9, 12, 6], weight: [8, 3, 3, 6], padding: twoEdges, stride: 2, bias: true },
  { x: [1, 8, 7, 4], weight: [4, 4, 2, 4], padding: { top: 3, bottom: 2, left: 0, right: 1 }, stride: 3 },
  { x: [6, 5, 4, 12], weight: [20, 3, 3, 12], padding: 1, bias: true, shift: 2, activation: 'silu' },
  { x: [6, 5, 4, 12], weight: [20, 1, 1, 12], shift: 6, residual: [6, 5, 4, 20], activation: 'relu' },
  { x: [2, 5, 4, 12], weight: [20, 1, 1, 12], bias: true, residual: [2, 5, 4, 20], activation: 'gelu' },
  { x: [1, 9, 6, 8], weight: [12, 3, 3, 4], padding: 1, groups: 2, bias: true, activation: 'quick_gelu' },
  { x: [2, 4, 5, 10], weight: [15, 2, 2, 2], groups: 5, shift: 1, residual: [2, 3, 4, 15], activation: 'gelu_tanh' },
  { x: [1, 6, 6, 33], weight: [17, 3, 3, 33], padding: 1, dtype: 'f16', bias: true },
  { x: [1, 6, 6, 36], weight: [17, 3, 3, 36], padding: 1, dtype: 'f16', shift: 1, bias: true },
  { x: [2, 6, 6, 8], weight: [16, 3, 3, 8], padding: 1, dtype: 'bf16', residual: [2, 6, 6, 16] },
  { x: [1, 5, 1, 77, 16], weight: [16, 3, 1, 1, 16], padding: [1, 0, 0], bias: true, shift: 1 },
  { x: [2, 3, 2, 7, 9], weight: [5, 3, 1, 1, 9], padding: [1, 0, 0], residual: [2, 3, 2, 7, 5], activation: 'silu' },
  { x: [2, 4, 5, 6, 4], weight: [6, 3, 3, 3, 4], padding: [1, 1, 1], dtype: 'f16', shift: 2, bias: true },
  { x: [2, 4, 5, 6, 4], weight: [6, 1, 1, 1, 4], bias: true },
  { x: [1, 4, 4, 8], weight: [33, 1, 1, 8], activation: 'relu' },
  { x: [1, 11, 3, 7], weight: [32, 2, 2, 7], padding: { top: 1, bottom: 0, left: 1, right: 0 } },
]

// What shrunk limits cut into parts.
const large: Case[] = [
  // Batches, and output channels.
  { x: [5, 8, 8, 20], weight: [70, 3, 3, 20], padding: 1, bias: true, shift: 5, residual: [5, 8, 8, 70] },
  // Groups.
  { x: [1, 4, 4, 60], weight: [120, 3, 3, 5], padding: 1, groups: 12, bias: true, shift: 1 },
  // Frames with their neighbours.
  { x: [1, 7, 5, 9, 16], weight: [16, 3, 3, 1, 16], padding: [1, 1, 0], bias: true, residual: [1, 7, 5, 9, 16] },
  // Rows with their neighbours.
  { x: [2, 40, 30, 4], weight: [8, 3, 3, 4], padding: 1, bias: true, shift: 2, activation: 'silu' },
  { x: [1, 41, 30, 8], weight: [4, 3, 3, 8], padding: twoEdges, stride: 2, bias: true },
  { x: [3, 3, 37, 7, 5], weight: [3, 1, 3, 3, 5], padding: [0, 1, 1] },
  // Rows, one frame of the kernel at a time.
  { x: [1, 3, 1, 400, 12], weight: [12, 3, 1, 1, 12], padding: [1, 0, 0], bias: true, shift: 1, activation: 'silu' },
  { x: [1, 2, 20, 30, 8], weight: [5, 3, 3, 3, 8], padding: [2, 1, 1], bias: true, residual: [1, 4, 20, 30, 5] },
  // Rows, one row of the kernel at a time.
  { x: [1, 9, 100, 20], weight: [8, 3, 3, 20], padding: 1, bias: true, residual: [1, 9, 100, 8], activation: 'silu' },
  { x: [1, 9, 100, 20], weight: [8, 5, 3, 20], padding: { top: 1, bottom: 4, left: 1, right: 1 }, stride: 2 },
]

// Around the edges of tiles of 32 x 32, 64 x 64 and 64 x 128, channels around multiples of 16 and 32.
const tileEdges: Case[] = [
  { x: [3, 6, 5, 20], weight: [70, 3, 3, 20], padding: 1, bias: true, shift: 3, residual: [3, 6, 5, 70] },
  { x: [2, 9, 11, 66], weight: [36, 3, 2, 33], padding: twoEdges, stride: 2, groups: 2, dtype: 'f16' },
]
// Frames, one of the kernel at a time.
const longSum: Case = { x: [1, 3, 1, 100, 36], weight: [9, 3, 1, 1, 36], padding: [1, 0, 0] }

// Around the edges of tiles of 4 x 8, blocks of 256 x 128 and parts of the sum of 512, in WebAssembly; operands of
// every width; groups of few output channels.
const blockEdges: Case[] = [
  // Groups of three channels, whose first and last are as far apart as four outputs' channels side by side.
  { x: [1, 4, 5, 6], weight: [6, 3, 3, 3], groups: 2 },
  { x: [1, 4, 5, 6], weight: [4, 3, 3, 3], groups: 2 },
  { x: [1, 4, 5, 9], weight: [6, 3, 3, 3], groups: 3 },
  { x: [1, 3, 5, 58], weight: [9, 3, 3, 58], padding: 1, bias: true },
  { x: [3, 10, 9, 17], weight: [131, 3, 3, 17], padding: 1, bias: true, shift: 3, residual: [3, 10, 9, 131] },
  { x: [1, 31, 30, 3], weight: [12, 14, 14, 3], stride: 14, bias: true, dtype: 'f16' },
  {
    x: [1, 12, 13, 40],
    weight: [16, 5, 4, 40],
    padding: twoEdges,
    stride: 2,
    others: 'f16',
    dtype: 'bf16',
    bias: true,
  },
  { x: [2, 3, 4, 5, 20], weight: [8, 3, 3, 3, 20], padding: [1, 1, 1], others: 'bf16', shift: 2, activation: 'silu' },
  { x: [2, 5, 4, 530], weight: [7, 1, 1, 530], shift: 1, residual: [2, 5, 4, 7], others: 'f16' },
  { x: [1, 6, 5, 48], weight: [20, 3, 2, 24], padding: 1, groups: 2, bias: true, activation: 'relu' },
  { x: [1, 9, 17, 13], weight: [13, 3, 3, 1], padding: 1, groups: 13, bias: true, shift: 1, activation: 'gelu' },
  { x: [2, 9, 17, 6], weight: [9, 2, 3, 2], padding: twoEdges, stride: 2, groups: 3, others: 'bf16', dtype: 'f16' },
]

// In Winograd's way, in WebAssembly: tiles of 2 x 2 that reach over every edge, frames, several parts of the sum.
const squares: Case[] = [
  { x: [1, 6, 6, 24], weight: [16, 3, 3, 24], padding: 1 },
  { x: [2, 8, 9, 26], weight: [21, 3, 3, 26], bias: true, activation: 'silu' },
  { x: [2, 8, 7, 24], weight: [16, 3, 3, 24], padding: { top: 2, bottom: 0, left: 1, right: 2 }, shift: 1 },
  { x: [2, 3, 6, 7, 27], weight: [30, 1, 3, 3, 27], padding: [0, 1, 1], shift: 2, residual: [2, 3, 6, 7, 30] },
  { x: [1, 19, 20, 28], weight: [70, 3, 3, 28], padding: 1, others: 'bf16', dtype: 'f16', bias: true },
  { x: [1, 6, 7, 530], weight: [40, 3, 3, 530], padding: 1, bias: true, others: 'f16', residual: [1, 6, 7, 40] },
]
// More output channels, and more tiles, than intermediate memory has room for at once.
const portions: Case[] = [
  { x: [1, 1, 36, 2048], weight: [258, 3, 3, 2048], padding: 1, bias: true },
  { x: [1, 1, 386, 2048], weight: [16, 3, 3, 2048], padding: 1 },
]
blockEdges.push(...squares)

const cases = [...edges, ...large, ...tileEdges, longSum, ...blockEdges, ...portions]

async function run(runtime: Runtime, index: number): Promise<Float32Array> {
  const { x, weight, padding, stride, groups, dtype, others, activation, bias, shift, residual } = cases[index]
  const operands = new Operands(runtime, index)
  const outChannels = weight[0]
  using input = operands.normal(x, others)
  using kernel = operands.normal(weight, dtype)
  const fused = {
    activation,
    bias: bias ? operands.normal([outChannels], others) : undefined,
    shift: shift ? operands.normal([shift, outChannels], others) : undefined,
    residual: residual && operands.normal(residual, others),
  }
  using out =
    x.length === 5
      ? conv3d(input, kernel, { ...fused, padding: padding as [number, number, number] | undefined })
      : conv2d(input, kernel, { ...fused, stride, groups, padding: padding as Conv2dOptions['padding'] })
  return out.floats()
}

await t.test('agrees with the plain loops at edges and in parts, every output written', async t => {
  for (const [index, each] of cases.entries()) {
    const expected = await run(reference, index)
    close(t, await run(wasm, index), expected, 2e-6, `wasm ${JSON.stringify(each)}`)
    if (blockEdges.includes(each) || portions.includes(each)) continue
    close(t, await run(direct, index), expected, 2e-6, `direct ${JSON.stringify(each)}`)
    close(t, await run(subgroup, index), expected, 2e-6, `subgroup ${JSON.stringify(each)}`)
    const { dispatches } = shrunk.statistics()
    close(t, await run(shrunk, index), expected, 2e-6, `webgpu in parts ${JSON.stringify(each)}`)
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
// Few cases: a shader with barriers takes a software adapter seconds to compile.
await t.test(
  "in Winograd's way pictures come out the same one by one, and infinity stays where it is seen",
  async t => {
    const operands = new Operands(wasm, 7)
    const [pictures, weight] = [operands.normal([3, 9, 10, 24]), operands.normal([16, 3, 3, 24])]
    using together = conv2d(pictures, weight, { padding: 1 })
    const numbers = await pictures.floats()
    for (let i = 0; i < 3; i++) {
      using picture = Tensor.from(wasm, numbers.slice(i * 2160, (i + 1) * 2160), [1, 9, 10, 24])
      using alone = conv2d(picture, weight, { padding: 1 })
      close(t, await alone.floats(), (await together.floats()).slice(i * 1440, (i + 1) * 1440), 0, `picture ${i}`)
    }
    const [row, column] = [3, 4]
    numbers[(row * 10 + column) * 24 + 23] = Infinity
    using spoilt = Tensor.from(wasm, numbers, [3, 9, 10, 24])
    using found = conv2d(spoilt, weight, { padding: 1 })
    const [before, after] = [await together.floats(), await found.floats()]
    const changed = [...after].flatMap((x, i) => (x === before[i] ? [] : [Math.floor(i / 16)]))
    const seeing = [-1, 0, 1].flatMap(down => [-1, 0, 1].map(right => (row + down) * 10 + column + right))
    t.same([...new Set(changed)], seeing)
  },
)

await t.test('variants in tiles agree with the plain loops', async t => {
  const check = async (name: string, runtime: Runtime, list: Case[]) => {
    for (const each of list) {
      const index = cases.indexOf(each)
      const { dispatches } = runtime.statistics()
      close(t, await run(runtime, index), await run(reference, index), 2e-6, `${name} ${JSON.stringify(each)}`)
      if (each === longSum) t.ok(runtime.statistics().dispatches > dispatches + 2, 'in several parts indeed')
    }
  }
  await check('tiled', await webgpuRuntime({ tune: forced('tiled') }), tileEdges)
  await check('tiled in parts', await webgpuRuntime({ tune: forced('tiled'), limits: shrunkLimits }), [longSum])
  await check('matrices', await matrixRuntime(smallMatrices[0]), tileEdges.slice(0, 1))
  await check('wider matrices', await matrixRuntime(smallMatrices[1]), tileEdges.slice(1))
})

await t.test('what lies outside the picture is zero even beside infinities', t =>
  onRuntimes(t, [reference, webgpu, wasm], async (t, runtime) => {
    // The corner pixel is seen by its four neighbours alone.
    const x = Tensor.from(runtime, [Infinity, ...new Array<number>(15).fill(1)], [1, 4, 4, 1])
    const out = await conv2d(x, Tensor.from(runtime, new Array<number>(9).fill(1), [1, 3, 3, 1]), {
      padding: 1,
    }).floats()
    const expected = [Infinity, Infinity, 6, 4, Infinity, Infinity, 9, 6, 6, 9, 9, 6, 4, 6, 6, 4]
    close(t, out, expected, 0, 'sums')
  }),
)

await t.test('infinity in the last channel stays infinity, beside what shaders fill up to four', t =>
  onRuntimes(t, [reference, direct, subgroup, wasm], async (t, runtime) => {
    const x = Tensor.from(runtime, new Array<number>(24).fill(1), [1, 2, 4, 3])
    const weight = Tensor.from(runtime, new Array(20).fill([1, 1, Infinity]).flat() as number[], [10, 1, 2, 3])
    close(t, await conv2d(x, weight).floats(), new Array<number>(60).fill(Infinity), 0, 'conv2d')
  }),
)

await t.test('an empty batch gives an empty result', async t => {
  for (const runtime of [reference, webgpu, wasm]) {
    const operands = new Operands(runtime, 0)
    const out = conv2d(operands.normal([0, 4, 4, 2]), operands.normal([3, 3, 3, 2]))
    t.same(out.shape, [0, 2, 2, 3], runtime.name)
    t.equal((await out.data()).length, 0)
  }
})

await t.test('says what does not fit', t => {
  const operands = new Operands(reference, 0)
  const x = operands.normal([2, 4, 6, 4])
  const weight = operands.normal([8, 3, 3, 4])
  const attempt = (options: Conv2dOptions, message: RegExp) => t.throws(() => conv2d(x, weight, options), message)
  t.throws(() => conv2d(x, operands.normal([8, 3, 3, 5])), {
    message: 'conv: channels of the weight do not fit; expected C / 1 with x [2, 1, 4, 6, 4]; got [8, 1, 3, 3, 5]',
  })
  t.throws(() => conv2d(operands.normal([4, 6, 4]), weight), /conv2d: x has the wrong axes; expected \[B, H, W, C\]/)
  t.throws(() => conv3d(x, weight), /conv: x has the wrong axes; expected \[B, F, H, W, C\]/)
  t.throws(() => conv2d(x, operands.normal([8, 5, 3, 4])), /kernel is larger than the padded picture/)
  attempt({ bias: operands.normal([4]) }, /bias does not fit; expected \[8\]/)
  attempt({ shift: operands.normal([3, 8]) }, /shift does not fit; expected \[S, 8\] where S divides 2/)
  attempt({ residual: x }, /residual does not fit; expected the output's \[2, 1, 2, 4, 8\]/)
  attempt({ groups: 3 }, /channels of the weight do not fit/)
  attempt({ groups: 0 }, /groups cannot be counted/)
  attempt({ stride: 0.5 }, /stride is impossible/)
  attempt(
    { padding: 1e9 },
    /padding is impossible; expected a whole number from 0, below the kernel's 3; got 1000000000/,
  )
  t.throws(() => conv2d(x, operands.normal([8, 1, 1, 4]), { padding: 1 }), /padding is impossible; .*the kernel's 1/)
  t.throws(() => conv2d(x, operands.normal([8, 1, 1, 5])), /conv: channels of the weight do not fit/)
  attempt({ padding: -1 }, /padding is impossible/)
  t.end()
})

await t.test('a row that fits no binding is refused, not cut wrongly', t => {
  const operands = new Operands(shrunk, 0)
  t.throws(
    () => conv2d(operands.normal([1, 2, 1024, 8]), operands.normal([4, 1, 3, 8])),
    /conv: one row is larger than a binding may be; expected at most 16384 bytes; got rows of 8192 f32/,
  )
  t.end()
})
