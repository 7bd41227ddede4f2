// Gradients of elementwise operations, data movement and choosing by index.

import t from 'tap'
import * as k from '../../kernels/index.js'
import { Tensor } from '../../tensor/index.js'
import { gradientsAgree, gradientsAgreeWithTorch, type GradientCase } from '../support/gradients.js'
import { onRuntimes, referenceRuntime, shrunkLimits, wasmRuntime, webgpuRuntime } from '../support/kernels.js'

const reference = await referenceRuntime()
const webgpu = await webgpuRuntime()
const shrunk = await webgpuRuntime({ limits: shrunkLimits })
const wasm = await wasmRuntime()
const all = [reference, webgpu, wasm]

await t.test('functions of one tensor agree with torch', t =>
  gradientsAgreeWithTorch(
    t,
    all,
    ...['silu', 'relu', 'gelu_erf', 'gelu_tanh', 'quick_gelu', 'sigmoid', 'tanh', 'sin', 'cos', 'erf', 'neg', 'square'],
    ...['softplus', 'abs', 'exp', 'log', 'sqrt', 'rsqrt', 'reciprocal', 'clamp', 'pow'],
  ),
)

await t.test('functions of two agree with torch, repeated operands too', t =>
  gradientsAgreeWithTorch(t, all, 'add', 'sub', 'mul', 'div', 'maximum', 'atan2', 'linspace(1,3,n)'),
)

await t.test('moving and choosing agree with torch', t =>
  gradientsAgreeWithTorch(
    t,
    all,
    ...['permute', 'permute(0,2,1) then reshape(2,-1)', 'cat', 'slice', 'chunk(2,-1)[1]', 'pad'],
    ...['embedding', 'gather', 'index_select', 'scatter_add into zeros(6)'],
  ),
)

const shape = [7, 33]
const unary: Record<string, (x: Tensor) => Tensor> = {
  silu: k.silu,
  relu: k.relu,
  gelu: k.gelu,
  geluTanh: k.geluTanh,
  quickGelu: k.quickGelu,
  sigmoid: k.sigmoid,
  tanh: k.tanh,
  softplus: k.softplus,
  affine: x => k.affine(x, -2, 3),
}
const ofPositive: Record<string, (x: Tensor) => Tensor> = {
  log2: k.log2,
  rsqrt: k.rsqrt,
  'pow -1.5': x => k.pow(k.affine(x, 1, 1), -1.5),
}
const index = (values: number[], like: Tensor) => Tensor.from(like.runtime, values, [values.length], 'i32')
const cases: GradientCase[] = [
  ...Object.entries(unary).map(([name, f]): GradientCase => ({ name, shapes: [shape], values: 'apart', f })),
  ...Object.entries(ofPositive).map(([name, f]): GradientCase => ({ name, shapes: [shape], values: 'positive', f })),
  { name: 'atan2', shapes: [[5, 9], [9]], values: 'positive', f: k.atan2 },
  {
    name: 'minimum',
    shapes: [
      [4, 6],
      [4, 1],
    ],
    f: (a, b) => k.minimum(a, k.affine(b, 1, 0.05)),
    values: 'apart',
  },
  { name: 'mix', shapes: [[4, 1], [3, 4, 5], [5]], f: k.mix },
  {
    name: 'cat',
    shapes: [
      [2, 3, 4],
      [2, 1, 4],
      [2, 5, 4],
    ],
    f: (...parts) => k.cat(parts, 1),
  },
  { name: 'slice by steps', shapes: [[9, 10]], f: x => k.slice(x, 1, 1, 9, 3) },
  { name: 'slice to the end by steps', shapes: [[3, 10, 2]], f: x => k.slice(x, 1, 0, 10, 3) },
  { name: 'expand', shapes: [[1, 3, 1]], f: x => k.expand(x, [4, 2, 3, 65]) },
  {
    name: 'reflect',
    shapes: [[3, 9]],
    f: x =>
      k.pad(
        x,
        [
          [2, 1],
          [0, 8],
        ],
        { mode: 'reflect' },
      ),
  },
  {
    name: 'replicate',
    shapes: [[3, 4]],
    f: x =>
      k.pad(
        x,
        [
          [2, 1],
          [0, 5],
        ],
        { mode: 'replicate' },
      ),
  },
  { name: 'narrow', shapes: [shape, [33]], dtypes: ['f16', 'bf16'], f: (a, b) => k.mul(k.silu(a), b) },
  { name: 'index select', shapes: [[4, 9, 3]], f: x => k.indexSelect(x, 1, index([8, 0, 8, 3], x)) },
  { name: 'embedding', shapes: [[6, 5]], f: x => k.embedding(x, index([1, 1, 5], x)) },
  { name: 'sort', shapes: [[3, 40]], f: x => k.sort(x, 1, { descending: true }).values, values: 'apart' },
  { name: 'topK', shapes: [[3, 40, 2]], f: x => k.topK(x, 5, 1).values, values: 'apart' },
]

await t.test('agrees with finite differences, and the runtimes with each other', t =>
  gradientsAgree(t, reference, [webgpu, shrunk, wasm], cases),
)

await t.test('edges go as in torch', t =>
  onRuntimes(t, all, async (t, runtime) => {
    const x = Tensor.from(runtime, [-1, 0, 1, 2], [4])
    const slope = async (f: (x: Tensor) => Tensor) => [
      ...(await k.differentiate([x], () => k.sum(f(x))).gradients[0]!.floats()),
    ]
    t.same(await slope(k.relu), [0, 0, 1, 1])
    t.same(await slope(k.abs), [-1, 0, 1, 1])
    t.same(await slope(x => k.clamp(x, 0, 1)), [0, 1, 1, 0], 'the bounds themselves pass')
    t.same(await slope(x => k.maximum(x, Tensor.from(runtime, [1], [1]))), [0, 0, 0.5, 1], 'equals share')
    t.same(await slope(x => k.add(k.floor(x), x)), [1, 1, 1, 1], 'steps have none')
    t.same(await slope(x => k.where(x, k.square(x), x)), [1, 1, 2, 4])
    t.same(await slope(x => k.scatterAdd(x, 0, index([0, -3, 9, 1], x), 2)), [1, 0, 0, 1], 'left out has none')
    t.same(await slope(x => k.cast(k.square(x), 'f16')), [-2, 0, 2, 4], 'rounding passes')
  }),
)
