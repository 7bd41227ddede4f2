// Gradients of the norms.

import t from 'tap'
import * as k from '../../kernels/index.js'
import type { Shape } from '../../tensor/index.js'
import { gradientsAgree, gradientsAgreeWithTorch, type GradientCase } from '../support/gradients.js'
import { referenceRuntime, shrunkLimits, wasmRuntime, webgpuRuntime } from '../support/kernels.js'

const reference = await referenceRuntime()
const webgpu = await webgpuRuntime()
const shrunk = await webgpuRuntime({ limits: shrunkLimits })
const wasm = await wasmRuntime()

await t.test('agrees with torch', t =>
  gradientsAgreeWithTorch(t, [reference, webgpu, wasm], 'layer_norm', 'group_norm'),
)

const ofRows: Shape[] = [
  [1, 3],
  [65, 5],
  [2, 9, 33],
  [3, 1, 2, 320],
]
const ofGroups: { shape: Shape; groups: number }[] = [
  { shape: [2, 12], groups: 3 },
  { shape: [1, 67, 6], groups: 6 },
  { shape: [2, 9, 7, 33], groups: 11 },
  { shape: [2, 3, 5, 4, 64], groups: 32 },
  { shape: [2, 300, 66], groups: 6 },
]
const cases: GradientCase[] = [
  ...ofRows.map((shape): GradientCase => ({
    name: `layerNorm of ${shape.join('x')}`,
    shapes: [shape, shape.slice(-1), shape.slice(-1)],
    f: (x, weight, bias) => k.layerNorm(x, weight, bias, { eps: 1e-2 }),
  })),
  ...ofGroups.flatMap(({ shape, groups }) =>
    (['none', 'silu'] as const).map((activation): GradientCase => ({
      name: `groupNorm of ${shape.join('x')}, ${activation}`,
      shapes: [shape, shape.slice(-1), shape.slice(-1)],
      f: (x, weight, bias) => k.groupNorm(x, weight, bias, { groups, eps: 1e-2, activation }),
    })),
  ),
  {
    name: 'layerNorm of f16',
    shapes: [[5, 37], [37], [37]],
    dtypes: ['f16', 'f16', 'bf16'],
    f: (x, weight, bias) => k.layerNorm(x, weight, bias, { eps: 1e-2 }),
  },
]

await t.test('agrees with finite differences, and the runtimes with each other', t =>
  gradientsAgree(t, reference, [webgpu, shrunk, wasm], cases),
)
