// Gradients of attention, in all layouts that it takes.

import t from 'tap'
import * as k from '../../kernels/index.js'
import { Tensor, type Shape } from '../../tensor/index.js'
import { gradientsAgree, gradientsAgreeWithTorch, type GradientCase } from '../support/gradients.js'
import { referenceRuntime, shrunkLimits, wasmRuntime, webgpuRuntime } from '../support/kernels.js'

const reference = await referenceRuntime()
const webgpu = await webgpuRuntime()
const shrunk = await webgpuRuntime({ limits: shrunkLimits })
const wasm = await wasmRuntime()

await t.test('agrees with torch', t =>
  gradientsAgreeWithTorch(t, [reference, webgpu, wasm], 'scaled_dot_product_attention'),
)

interface Layout {
  name: string
  shapes: Shape[]
  heads: number
}

const layouts: Layout[] = [
  { name: 'one query', shapes: [[1, 1, 4], [1, 2, 4], [1, 2, 4]], heads: 2 }, // prettier-ignore
  { name: 'tokens past a tile', shapes: [[2, 35, 12], [2, 67, 12], [2, 67, 20]], heads: 2 }, // prettier-ignore
  { name: 'batches share keys', shapes: [[6, 5, 12], [2, 9, 12], [2, 9, 12]], heads: 3 }, // prettier-ignore
  { name: 'along time', shapes: [[2, 3, 7, 8], [2, 4, 7, 8], [2, 4, 7, 8]], heads: 2 }, // prettier-ignore
  { name: 'positions share keys', shapes: [[4, 3, 7, 8], [2, 5, 1, 8], [2, 5, 1, 8]], heads: 2 }, // prettier-ignore
]
const mask = (like: Tensor, queries: number, keys: number) =>
  Tensor.from(
    like.runtime,
    Array.from({ length: queries * keys }, (_, i) => (i % 3 === 1 ? -Infinity : Math.sin(i))),
    [queries, keys],
  )
const cases: GradientCase[] = [
  ...layouts.map(({ name, shapes, heads }): GradientCase => ({
    name,
    shapes,
    f: (q, key, v) => k.attention(q, key, v, { heads, scale: 0.3 }),
  })),
  {
    name: 'of narrow operands',
    shapes: [[1, 3, 6], [1, 5, 6], [1, 5, 6]], // prettier-ignore
    dtypes: ['f16', 'bf16', 'f16'],
    f: (q, key, v) => k.attention(q, key, v, { heads: 2 }),
  },
  {
    name: 'causal',
    shapes: [[2, 3, 7, 8], [2, 3, 7, 8], [2, 3, 7, 8]], // prettier-ignore
    f: (q, key, v) => k.attention(q, key, v, { heads: 2, causal: true }),
  },
  {
    name: 'masked',
    shapes: [[4, 9, 8], [2, 11, 8], [2, 11, 8]], // prettier-ignore
    f: (q, key, v) => k.attention(q, key, v, { heads: 2, mask: mask(q, 9, 11) }),
  },
  {
    name: 'masked, causal, along time',
    shapes: [[2, 4, 5, 8], [2, 4, 5, 8], [2, 4, 5, 8]], // prettier-ignore
    f: (q, key, v) => k.attention(q, key, v, { heads: 2, causal: true, mask: mask(q, 4, 4) }),
  },
  { name: 'of itself', shapes: [[2, 9, 8]], f: x => k.attention(x, x, x, { heads: 2 }) },
]

await t.test('agrees with finite differences, and the runtimes with each other', t =>
  gradientsAgree(t, reference, [webgpu, shrunk, wasm], cases),
)
