// The norms against torch's numbers and against their own plain loops.

import t from 'tap'
import { groupNorm, layerNorm, type GroupNormOptions } from '../../kernels/index.js'
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

await t.test('group norm agrees with torch', t => agreeWithTorch(t, [reference, webgpu, shrunk, wasm], ['group_norm']))

await t.test('layer norm agrees with torch', t => agreeWithTorch(t, [reference, webgpu, shrunk, wasm], ['layer_norm']))

interface Case {
  shape: Shape
  dtype?: DType
  /** dtype of weight and bias */
  weights?: DType
}

const operandsOf = (runtime: Runtime, seed: number, { shape, dtype, weights }: Case): [Tensor, Tensor, Tensor] => {
  const operands = new Operands(runtime, seed)
  const channels = [shape[shape.length - 1]]
  return [operands.normal(shape, dtype), operands.normal(channels, weights), operands.normal(channels, weights)]
}

// Channels in fours and not, one channel a group and all in one, slices cut short, batches and rows in several windows.
const groupCases: (Case & Partial<GroupNormOptions> & { groups: number })[] = [
  { shape: [1, 32], groups: 32 },
  { shape: [3, 1, 6], groups: 2 },
  { shape: [2, 17, 12], groups: 4, activation: 'silu' },
  { shape: [1, 33, 3, 96], groups: 32, dtype: 'f16', weights: 'f16' },
  { shape: [1, 40, 41, 32], groups: 32, activation: 'silu' },
  { shape: [2, 3, 19, 23, 20], groups: 5, weights: 'bf16' },
  { shape: [3, 50, 9, 15], groups: 1, activation: 'silu', dtype: 'bf16' },
  { shape: [40, 5, 5, 8], groups: 2 },
  { shape: [1, 2, 640], groups: 32, weights: 'f16' },
  { shape: [2, 1100, 33], groups: 11, activation: 'gelu' },
  { shape: [2, 0, 8], groups: 2 },
]

function runGroup(runtime: Runtime, seed: number): Promise<Float32Array> {
  const { groups, activation, ...given } = groupCases[seed]
  return groupNorm(...operandsOf(runtime, seed, given), { groups, eps: 1e-5, activation }).floats()
}

await t.test('group norm agrees with the plain loops, every output written', async t => {
  for (const [seed, each] of groupCases.entries()) {
    const expected = await runGroup(reference, seed)
    for (const runtime of [webgpu, shrunk, wasm])
      close(t, await runGroup(runtime, seed), expected, 3e-6, JSON.stringify(each))
  }
})

// Rows of a vector, of odd length, too few for a CPU's cores; rows in several windows.
const layerCases: Case[] = [
  { shape: [1] },
  { shape: [5, 1] },
  { shape: [13, 64], weights: 'f16' },
  { shape: [3, 7, 33], dtype: 'f16' },
  { shape: [2, 1280], weights: 'bf16' },
  { shape: [7, 301], dtype: 'bf16' },
  { shape: [70, 320] },
  { shape: [0, 8] },
]

function runLayer(runtime: Runtime, seed: number): Promise<Float32Array> {
  return layerNorm(...operandsOf(runtime, seed, layerCases[seed]), { eps: 1e-6 }).floats()
}

await t.test('layer norm agrees with the plain loops, every output written', async t => {
  for (const [seed, each] of layerCases.entries()) {
    const expected = await runLayer(reference, seed)
    for (const runtime of [webgpu, shrunk, wasm])
      close(t, await runLayer(runtime, seed), expected, 3e-6, JSON.stringify(each))
  }
})

await t.test('norms give the same on any number of threads', async t => {
  for (const threads of [0, 1, 2, 3]) {
    const runtime = await wasmRuntime({ threads })
    for (const [seed, each] of groupCases.entries())
      close(t, await runGroup(runtime, seed), await runGroup(wasm, seed), 0, `${threads} ${JSON.stringify(each)}`)
    for (const [seed, each] of layerCases.entries())
      close(t, await runLayer(runtime, seed), await runLayer(wasm, seed), 0, `${threads} ${JSON.stringify(each)}`)
  }
})

await t.test('norms need no fused multiply-add', async t => {
  const plain = await wasmRuntime({ relaxed: false })
  for (const [seed, each] of groupCases.entries())
    close(t, await runGroup(plain, seed), await runGroup(reference, seed), 3e-6, JSON.stringify(each))
  for (const [seed, each] of layerCases.entries())
    close(t, await runLayer(plain, seed), await runLayer(reference, seed), 3e-6, JSON.stringify(each))
})

await t.test('a large mean does not eat a small deviation', async t => {
  // 1000 +- 0.01: f32 has 160 steps to a standard deviation there. One row begins far from its own mean.
  const wave = Array.from({ length: 60 * 32 }, (_, i) => 1000 + 0.01 * Math.sin(i * i))
  const values = [...wave.slice(0, 32 * 59), -4, ...wave.slice(1, 32)]
  const run = async (runtime: Runtime) => {
    const affine = (channels: number): [Tensor, Tensor] => [
      Tensor.from(runtime, new Float32Array(channels).fill(1), [channels]),
      Tensor.zeros(runtime, [channels]),
    ]
    const x = Tensor.from(runtime, values, [60, 32])
    const group = groupNorm(x.reshape([2, 30, 32]), ...affine(32), { groups: 4, eps: 1e-6 })
    const narrow = layerNorm(x, ...affine(32), { eps: 1e-6 })
    const wide = layerNorm(x.reshape([2, 960]), ...affine(960), { eps: 1e-6 })
    return { group: await group.floats(), narrow: await narrow.floats(), wide: await wide.floats() }
  }
  const expected = await run(reference)
  for (const runtime of [webgpu, shrunk, wasm]) {
    const actual = await run(runtime)
    for (const name of ['group', 'narrow', 'wide'] as const) close(t, actual[name], expected[name], 1e-5, name)
  }
})

await t.test('NaN and infinity spoil their own group only', t =>
  onRuntimes(t, [reference, webgpu, wasm], async (t, runtime) => {
    const [weight, bias] = [
      [1, 1, 1, 1],
      [0, 0, 0, 0],
    ].map(values => Tensor.from(runtime, values, [4]))
    const x = Tensor.from(runtime, [1, 2, NaN, 4, 5, 7, 8, 9, 1, 2, 3, 4, Infinity, 7, 8, 9], [2, 2, 4])
    const out = await groupNorm(x, weight, bias, { groups: 2, eps: 1e-5 }).floats()
    const spoiled = Array.from(out, value => Number(Number.isNaN(value)))
    t.same(spoiled, [0, 0, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0, 0])
    const rows = await layerNorm(x, weight, bias, { eps: 1e-5 }).floats()
    t.same(
      [0, 4, 8, 12].map(row => rows.subarray(row, row + 4).every(Number.isNaN)),
      [true, false, false, true],
    )
  }),
)

await t.test('says what does not fit', t => {
  const [x, weight, bias] = operandsOf(shrunk, 0, { shape: [2, 3, 6] })
  const options = { groups: 2, eps: 1e-5 }
  t.throws(() => groupNorm(x, weight, bias, { ...options, groups: 4 }), {
    message: 'groupNorm: groups do not divide the channels; expected a divisor of 6; got 4',
  })
  t.throws(() => groupNorm(x, weight, bias, { ...options, groups: 0 }), /groups do not divide/)
  t.throws(() => groupNorm(weight, weight, bias, options), /x has too few axes; expected \[B, ..., C\]; got \[6\]/)
  t.throws(() => groupNorm(x, x, bias, options), /weight does not fit; expected \[6\]; got \[2, 3, 6\]/)
  t.throws(() => layerNorm(x, weight, x, { eps: 1e-5 }), /bias does not fit/)
  t.throws(
    () => layerNorm(x, weight, bias, { eps: NaN }),
    /eps is not usable; expected a number of at least 0; got NaN/,
  )
  t.throws(
    () => layerNorm(...operandsOf(shrunk, 0, { shape: [1, 5000] }), { eps: 1 }),
    /one row is larger than a binding/,
  )
  t.end()
})
