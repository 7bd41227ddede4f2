// Gradients of matrix products, reductions and softmax.

import t from 'tap'
import * as k from '../../kernels/index.js'
import type { Shape, Tensor } from '../../tensor/index.js'
import { gradientsAgree, gradientsAgreeWithTorch, type GradientCase } from '../support/gradients.js'
import { referenceRuntime, shrunkLimits, wasmRuntime, webgpuRuntime } from '../support/kernels.js'

const reference = await referenceRuntime()
const webgpu = await webgpuRuntime()
const shrunk = await webgpuRuntime({ limits: shrunkLimits })
const wasm = await wasmRuntime()
const all = [reference, webgpu, wasm]

await t.test('products agree with torch', t =>
  gradientsAgreeWithTorch(
    t,
    all,
    'matmul',
    'linear',
    'geglu (value, gate = chunk(2, -1) of linear; value*gelu_erf(gate))',
  ),
)

await t.test('reductions and softmax agree with torch', t =>
  gradientsAgreeWithTorch(
    t,
    all,
    ...['sum', 'mean', 'mean over H,W', 'amax', 'amin', 'var (unbiased=False)', 'cumsum'],
    ...['softmax', 'log_softmax', 'mse_loss mean'],
  ),
)

// Around the edges of tiles of 8, 16, 32 and 64.
const products = [
  [1, 1, 1],
  [7, 9, 5],
  [17, 33, 8],
  [65, 31, 36],
  [130, 66, 20],
]
const activations = ['silu', 'gelu', 'gelu_tanh', 'quick_gelu', 'geglu'] as const
const matrices: GradientCase[] = [
  ...products.flatMap(([m, n, p]): GradientCase[] => [
    {
      name: `${m}x${n}x${p}`,
      shapes: [
        [m, p],
        [p, n],
      ],
      f: (a, b) => k.matmul(a, b),
    },
    {
      name: `batches of ${m}x${n}x${p}`,
      shapes: [
        [2, m, p],
        [2, n, p],
      ],
      f: (a, b) => k.linear(a, b),
    },
  ]),
  ...activations.map((activation): GradientCase => {
    const columns = activation === 'geglu' ? 9 : 18
    const shapes = [[3, 5, 12], [18, 12], [18], [3, 5, columns]]
    const f = (x: Tensor, weight: Tensor, bias: Tensor, residual: Tensor) =>
      k.linear(x, weight, { bias, residual, activation })
    return { name: activation, shapes, f }
  }),
  {
    name: 'weights of half width',
    shapes: [
      [4, 20],
      [12, 20],
    ],
    dtypes: ['f32', 'f16'],
    f: (x, weight) => k.linear(x, weight, { activation: 'silu' }),
  },
  {
    name: 'both of half width',
    shapes: [
      [3, 5],
      [5, 7],
    ],
    dtypes: ['f16', 'bf16'],
    f: (a, b) => k.matmul(a, b),
  },
]

await t.test('products agree with finite differences, and the runtimes with each other', t =>
  gradientsAgree(t, reference, [webgpu, shrunk, wasm], matrices),
)

const reductions = { sum: k.sum, mean: k.mean, max: k.max, min: k.min, variance: k.variance }
const axes: { shape: Shape; axes?: number[]; keepDims?: boolean }[] = [
  { shape: [1] },
  { shape: [5, 33, 3], axes: [0, 2] },
  { shape: [5, 33, 3], axes: [1], keepDims: true },
]
const sums: GradientCase[] = [
  ...Object.entries(reductions).flatMap(([name, run]) =>
    axes.map(({ shape, ...options }): GradientCase => ({
      name: `${name} of ${shape.join('x')}`,
      shapes: [shape],
      f: x => run(x, options),
      values: 'apart',
    })),
  ),
  ...[0, 1, 2].flatMap((axis): GradientCase[] => [
    { name: `cumsum along ${axis}`, shapes: [[3, 17, 5]], f: x => k.cumsum(x, axis) },
    { name: `softmax along ${axis}`, shapes: [[3, 17, 5]], f: x => k.softmax(x, axis) },
    { name: `logSoftmax along ${axis}`, shapes: [[3, 17, 5]], f: x => k.logSoftmax(x, axis) },
  ]),
]

await t.test('reductions and softmax agree with finite differences, and the runtimes with each other', t =>
  gradientsAgree(t, reference, [webgpu, shrunk, wasm], sums),
)
