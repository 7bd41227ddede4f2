// Gradients of convolutions, pooling and resizing.

import t from 'tap'
import * as k from '../../kernels/index.js'
import { Tensor } from '../../tensor/index.js'
import { gradientsAgree, gradientsAgreeWithTorch, type GradientCase } from '../support/gradients.js'
import { referenceRuntime, shrunkLimits, wasmRuntime, webgpuRuntime } from '../support/kernels.js'

const reference = await referenceRuntime()
const webgpu = await webgpuRuntime()
const shrunk = await webgpuRuntime({ limits: shrunkLimits })
const wasm = await wasmRuntime()
const all = [reference, webgpu, wasm]

await t.test('convolutions agree with torch', t =>
  gradientsAgreeWithTorch(t, all, 'conv2d', 'conv3d', 'conv_transpose2d'),
)

await t.test('pooling and resizing agree with torch', t =>
  gradientsAgreeWithTorch(
    t,
    all,
    ...['avg_pool2d', 'max_pool2d', 'upsample_nearest2x', 'upsample_nearest_to_size', 'interpolate'],
    'interpolate scale_factor given (DINOv2 pos embed: the given scale factor, not out/in, enters the coordinate map)',
  ),
)

const fused = { padding: 1, activation: 'silu' } as const
const cases: GradientCase[] = [
  {
    name: 'conv2d with shift, SiLU and residual',
    shapes: [[4, 5, 6, 3], [8, 3, 3, 3], [8], [2, 8], [4, 5, 6, 8]],
    f: (x, weight, bias, shift, residual) => k.conv2d(x, weight, { ...fused, bias, shift, residual }),
  },
  {
    name: 'conv2d of groups, strides and one-sided padding',
    shapes: [
      [2, 9, 7, 6],
      [4, 3, 2, 3],
    ],
    f: (x, weight) => k.conv2d(x, weight, { groups: 2, stride: 2, padding: { top: 0, bottom: 2, left: 1, right: 0 } }),
  },
  {
    name: 'conv2d whose stride leaves pixels out',
    shapes: [
      [1, 8, 9, 5],
      [7, 2, 1, 5],
    ],
    f: (x, weight) => k.conv2d(x, weight, { stride: 3 }),
  },
  {
    name: 'conv2d with f16 weights',
    shapes: [
      [1, 6, 9, 17],
      [33, 3, 3, 17],
    ],
    dtypes: ['f32', 'f16'],
    f: (x, weight) => k.conv2d(x, weight, { padding: 1 }),
  },
  {
    name: 'conv2d of narrow operands, with strides',
    shapes: [
      [1, 7, 6, 4],
      [6, 3, 3, 4],
    ],
    dtypes: ['f16', 'f16'],
    f: (x, weight) => k.conv2d(x, weight, { stride: 2, padding: 1 }),
  },
  {
    name: 'conv3d over time with SiLU',
    shapes: [[2, 4, 3, 2, 5], [6, 3, 1, 1, 5], [6]],
    f: (x, weight, bias) => k.conv3d(x, weight, { bias, padding: [1, 0, 0], activation: 'silu' }),
  },
  {
    name: 'convTranspose2d',
    shapes: [[2, 4, 5, 3], [9, 3, 4, 3], [9]],
    f: (x, weight, bias) => k.convTranspose2d(x, weight, { bias, stride: 2, padding: 1 }),
  },
  {
    name: 'convTranspose2d of narrow operands',
    shapes: [
      [1, 3, 4, 3],
      [5, 2, 2, 3],
    ],
    dtypes: ['f16', 'f16'],
    f: (x, weight) => k.convTranspose2d(x, weight, { stride: 2 }),
  },
  {
    name: 'avgPool2d without the padding',
    shapes: [[2, 7, 8, 5]],
    f: x => k.avgPool2d(x, { kernel: 3, stride: 2, padding: 1, countIncludePad: false }),
  },
  {
    name: 'avgPool2d whose stride leaves pixels out',
    shapes: [[1, 8, 9, 2]],
    f: x => k.avgPool2d(x, { kernel: 2, stride: 3 }),
  },
  {
    name: 'maxPool2d of windows that overlap',
    shapes: [[2, 7, 8, 5]],
    values: 'apart',
    f: x => k.maxPool2d(x, { kernel: 3, stride: 2, padding: 1 }),
  },
  ...(['nearest', 'bilinear', 'bicubic'] as const).map((mode): GradientCase => ({
    name: `resize of several bands, ${mode}`,
    shapes: [[1, 70, 5, 3]],
    f: x => k.resize(x, { size: [33, 9], mode, antialias: mode === 'bicubic' }),
  })),
]

await t.test('agrees with finite differences, and the runtimes with each other', t =>
  gradientsAgree(t, reference, [webgpu, shrunk, wasm], cases),
)

await t.test('the first of equal pixels is the largest', async t => {
  for (const runtime of all) {
    const x = k.expand(Tensor.from(runtime, [1], [1]), [1, 3, 3, 1])
    const [slope] = k.differentiate([x], () => k.sum(k.maxPool2d(x, { kernel: 2, stride: 1 }))).gradients
    t.same([...(await slope!.floats())], [1, 1, 0, 1, 1, 0, 0, 0, 0], runtime.name)
  }
})
