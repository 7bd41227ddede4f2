// The matrix product against torch's numbers and against its own plain loops.

import t from 'tap'
import { linear, matmul, permute, type MatmulOptions } from '../../kernels/index.js'
import { Tensor, type DType, type Runtime } from '../../tensor/index.js'
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

await t.test('agrees with torch', t =>
  agreeWithTorch(
    t,
    [reference, webgpu, shrunk, wasm],
    ['matmul', 'linear', 'geglu (value, gate = chunk(2, -1) of linear; value*gelu_erf(gate))'],
  ),
)

interface Case {
  m: number
  n: number
  k: number
  batch?: number
  transposed?: boolean
  weight?: DType
  /** Of a, the bias and the residual; f32 if not given. */
  others?: { a?: DType; bias?: DType; residual?: DType }
  activation?: MatmulOptions['activation']
  bias?: boolean
  residual?: boolean
}

// Around the edges of tiles of 8 x 8, 8 x 16, 16 x 32 and 32 x 32, K around multiples of four, every format of the
// weight, every epilogue.
const edges: Case[] = [
  { m: 1, n: 1, k: 1 },
  { m: 7, n: 9, k: 3, transposed: true, bias: true },
  { m: 8, n: 8, k: 8, residual: true },
  { m: 9, n: 7, k: 5, bias: true, activation: 'silu' },
  { m: 17, n: 12, k: 8, batch: 3, transposed: true },
  { m: 16, n: 33, k: 4, batch: 2, transposed: true, activation: 'relu' },
  { m: 3, n: 16, k: 9, residual: true },
  { m: 31, n: 32, k: 20, bias: true },
  { m: 5, n: 11, k: 7, batch: 2, residual: true },
  { m: 33, n: 20, k: 36, transposed: true, weight: 'f16', bias: true, activation: 'gelu' },
  { m: 10, n: 21, k: 35, transposed: true, weight: 'f16', activation: 'relu' },
  { m: 10, n: 24, k: 36, transposed: true, weight: 'bf16', activation: 'quick_gelu' },
  { m: 10, n: 24, k: 37, weight: 'bf16', activation: 'gelu_tanh' },
  { m: 19, n: 26, k: 12, transposed: true, activation: 'geglu', bias: true, residual: true },
  { m: 300, n: 70, k: 64, transposed: true, bias: true, residual: true },
  { m: 20, n: 31, k: 301, bias: true, residual: true, activation: 'silu' },
  { m: 64, n: 300, k: 64, transposed: true, weight: 'f16', bias: true },
]

// Gates begin behind an odd or an even number of columns, aligned to four or not.
const gateEdges: Case[] = [
  { m: 9, n: 12, k: 8, activation: 'geglu', bias: true },
  { m: 9, n: 20, k: 5, batch: 2, weight: 'f16', activation: 'geglu' },
  { m: 3, n: 14, k: 6, activation: 'geglu', residual: true },
  { m: 17, n: 24, k: 12, weight: 'bf16', activation: 'geglu' },
]

// Around the edges of tiles of 32 x 32, 64 x 64 and 64 x 128, K around multiples of 16 and 32.
const tileEdges: Case[] = [
  { m: 65, n: 131, k: 33, transposed: true, bias: true, residual: true },
  { m: 67, n: 136, k: 44, transposed: true, weight: 'f16', activation: 'geglu', bias: true, residual: true },
  { m: 70, n: 68, k: 18, batch: 2, weight: 'f16', activation: 'silu' },
]
// Around the edges of tiles of 4 x 8, blocks of 256 x 128 and parts of the sum of 512, in WebAssembly: vectors too, and
// operands of every width.
const blockEdges: Case[] = [
  { m: 1, n: 9, k: 7, transposed: true, bias: true },
  { m: 1, n: 130, k: 515, transposed: true, weight: 'f16', bias: true, activation: 'silu', residual: true },
  { m: 1, n: 14, k: 66, batch: 3, transposed: true, weight: 'bf16', activation: 'geglu', bias: true },
  { m: 1, n: 6, k: 5 },
  { m: 3, n: 1, k: 513, others: { a: 'f16' } },
  {
    m: 4,
    n: 17,
    k: 514,
    transposed: true,
    others: { a: 'bf16', bias: 'f16', residual: 'bf16' },
    bias: true,
    residual: true,
  },
  {
    m: 5,
    n: 22,
    k: 1025,
    weight: 'f16',
    others: { bias: 'bf16', residual: 'f16' },
    activation: 'geglu',
    bias: true,
    residual: true,
  },
  { m: 261, n: 131, k: 20, transposed: true, bias: true, residual: true },
  { m: 2, n: 260, k: 3, batch: 40, weight: 'bf16' },
  { m: 3, n: 5, k: 0, bias: true, activation: 'gelu' },
]
// What shrunk limits cut along K and so make by one dispatch after another.
const longSum: Case = { m: 33, n: 65, k: 150 }

const cases = [...edges, ...tileEdges, longSum, ...blockEdges, ...gateEdges]

async function run(runtime: Runtime, index: number): Promise<Float32Array> {
  const { m, n, k, transposed = false, activation = 'none', ...rest } = cases[index]
  const { a: aType, bias: biasType, residual: residualType } = rest.others ?? {}
  const operands = new Operands(runtime, index)
  const lead = rest.batch ? [rest.batch] : []
  const columns = activation === 'geglu' ? n / 2 : n
  using a = operands.normal([...lead, m, k], aType)
  using b = operands.normal(transposed ? [...lead, n, k] : [...lead, k, n], rest.weight)
  using out = (transposed ? linear : matmul)(a, b, {
    activation,
    bias: rest.bias ? operands.normal([n], biasType) : undefined,
    residual: rest.residual ? operands.normal([...lead, m, columns], residualType) : undefined,
  })
  return out.floats()
}

await t.test('agrees with the plain loops at tile edges, every output written', async t => {
  for (const [index, each] of cases.entries()) {
    const expected = await run(reference, index)
    close(t, await run(wasm, index), expected, 2e-6, `wasm ${JSON.stringify(each)}`)
    if (blockEdges.includes(each)) continue
    close(t, await run(direct, index), expected, 2e-6, `direct ${JSON.stringify(each)}`)
    close(t, await run(subgroup, index), expected, 2e-6, `subgroup ${JSON.stringify(each)}`)
    close(t, await run(shrunk, index), expected, 2e-6, `webgpu in chunks ${JSON.stringify(each)}`)
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

await t.test('needs no fused multiply-add', async t => {
  const plain = await wasmRuntime({ relaxed: false })
  for (const each of blockEdges) {
    const index = cases.indexOf(each)
    close(t, await run(plain, index), await run(reference, index), 2e-6, JSON.stringify(each))
  }
})

// Few cases: a shader with barriers takes a software adapter seconds to compile.
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
  await check('tiled in chunks', await webgpuRuntime({ tune: forced('tiled'), limits: shrunkLimits }), [longSum])
  await check('matrices', await matrixRuntime(smallMatrices[0]), tileEdges.slice(0, 2))
  await check('wider matrices', await matrixRuntime(smallMatrices[1]), tileEdges.slice(2))
})

await t.test('infinity in the last term stays infinity, beside what shaders fill up to four', t =>
  onRuntimes(t, [reference, direct, subgroup, wasm], async (t, runtime) => {
    const a = Tensor.from(runtime, [1, 2, 3, 4, 5, -1, -2, -3, -4, -5], [2, 5])
    const b = Tensor.from(runtime, [...new Array<number>(40).fill(1), ...new Array<number>(10).fill(Infinity)], [5, 10])
    using transposed = permute(b, [1, 0])
    const expected = Array.from({ length: 20 }, (_, i) => (i < 10 ? Infinity : -Infinity))
    close(t, await matmul(a, b).floats(), expected, 0, 'matmul')
    close(t, await linear(a, transposed).floats(), expected, 0, 'linear')
  }),
)

await t.test('says what does not fit', t => {
  const operands = new Operands(reference, 0)
  const a = operands.normal([4, 6])
  t.throws(() => matmul(a, operands.normal([5, 3])), {
    message: 'matmul: inner sizes differ; expected 6, the last axis of a [4, 6]; got [5, 3]',
  })
  t.throws(
    () => linear(a, operands.normal([3, 6]), { bias: operands.normal([4]) }),
    /bias does not fit; expected \[3\]/,
  )
  t.throws(() => linear(a, operands.normal([3, 6]), { activation: 'geglu' }), /even number of columns/)
  t.end()
})
