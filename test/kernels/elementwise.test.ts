// Elementwise operations against torch's numbers, against their own plain loops, and at the numbers that are none.

import t from 'tap'
import * as k from '../../kernels/index.js'
import { f16ToF32, f32ToBf16, f32ToF16, Tensor, type DType, type Runtime, type Shape } from '../../tensor/index.js'
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
      'silu',
      'relu',
      'gelu_erf',
      'gelu_tanh',
      'quick_gelu',
      'sigmoid',
      'tanh',
      'sin',
      'cos',
      'erf',
      'neg',
      'square',
      'softplus',
      'abs',
      'exp',
      'log',
      'sqrt',
      'rsqrt',
      'reciprocal',
      'log2',
      'floor',
      'ceil',
      'round_half_even',
      'sign',
      'clamp',
      'pow',
      'add',
      'sub',
      'mul',
      'div',
      'maximum',
      'atan2',
      'where(cond>0, a, b)',
    ],
    1e-6,
  ),
)

const spread = (from: number, to: number, count = 4001) =>
  Float32Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1))

// Every single element: the error relative to its own value, or to `floor` where that is larger.
const ranges: { run: (x: Tensor) => Tensor; from: number; to: number; tolerance: number; floor?: number }[] = [
  { run: k.sin, from: -10, to: 10, tolerance: 2e-7, floor: 1 },
  { run: k.cos, from: -10, to: 10, tolerance: 2e-7, floor: 1 },
  { run: k.sin, from: -50_000, to: 50_000, tolerance: 2e-7, floor: 1 },
  { run: k.sin, from: -0.1, to: 0.1, tolerance: 3e-7 },
  { run: k.tanh, from: -12, to: 12, tolerance: 4e-7 },
  { run: k.tanh, from: -0.01, to: 0.01, tolerance: 3e-7 },
  { run: k.softplus, from: -30, to: 30, tolerance: 1e-6 },
  { run: k.sigmoid, from: -30, to: 30, tolerance: 1e-6 },
  { run: k.silu, from: -100, to: 100, tolerance: 2e-7, floor: 1 },
  { run: k.silu, from: -5, to: 5, tolerance: 1e-6 },
  { run: k.quickGelu, from: -100, to: 100, tolerance: 2e-7, floor: 1 },
  { run: k.erf, from: -5, to: 5, tolerance: 5e-7 },
  { run: k.exp, from: -80, to: 80, tolerance: 2e-6 },
  { run: k.log, from: 1e-6, to: 2, tolerance: 3e-7, floor: 1 },
  { run: k.log2, from: 1e-6, to: 1e6, tolerance: 3e-7, floor: 1 },
  { run: x => k.pow(x, 2.2), from: 1e-3, to: 1000, tolerance: 4e-6 },
  { run: x => k.pow(x, -3), from: -40, to: -1e-3, tolerance: 4e-6 },
  { run: x => k.pow(x, 0.5), from: 1e-3, to: 1e6, tolerance: 2e-6 },
  { run: k.rsqrt, from: 1e-6, to: 1e6, tolerance: 5e-7 },
]

await t.test('every element is accurate to f32, whatever its size', async t => {
  for (const { run, from, to, tolerance, floor = 0 } of ranges) {
    const x = spread(from, to)
    const expected = await run(Tensor.from(reference, x, [x.length])).floats()
    for (const runtime of [webgpu, wasm]) {
      const actual = await run(Tensor.from(runtime, x, [x.length])).floats()
      let worst = 0
      let place = 0
      expected.forEach((value, i) => {
        const error = Math.abs(actual[i] - value) / Math.max(Math.abs(value), floor, 1e-30)
        if (!(error <= worst)) [worst, place] = [error, i]
      })
      const where = `${runtime.name}: ${run.toString()} at ${x[place]}: ${actual[place]} for ${expected[place]}`
      t.ok(worst <= tolerance, `${where}, error ${worst.toExponential(1)}`)
    }
  }
})

interface Case {
  a: Shape
  b: Shape
  c?: Shape
  dtypes?: [DType, DType]
}

// Flat and repeated operands, rows of whole fours and others, axes that merge and six that do not, windows and grids
// cut.
const cases: Case[] = [
  { a: [], b: [] },
  { a: [4099], b: [4099] },
  { a: [64, 96], b: [64, 96], c: [1] },
  { a: [9, 40, 32], b: [32], c: [9, 1, 1], dtypes: ['f32', 'f16'] },
  { a: [3, 70, 33], b: [70, 1], c: [33], dtypes: ['bf16', 'f32'] },
  { a: [3, 1, 200, 8], b: [1, 5, 1, 8], c: [1, 1, 200, 1] },
  { a: [1, 9000], b: [3, 1], c: [] },
  { a: [5000, 1], b: [1, 4], dtypes: ['f16', 'bf16'] },
  { a: [2, 1, 3, 1, 4, 1], b: [1, 3, 1, 2, 1, 5] },
  { a: [0, 4], b: [4] },
]

async function run(
  runtime: Runtime,
  { a, b, c = b, dtypes = ['f32', 'f32'] }: Case,
  seed: number,
): Promise<Float32Array[]> {
  const operands = new Operands(runtime, seed)
  const [x, y, z] = [operands.normal(a, dtypes[0]), operands.normal(b, dtypes[1]), operands.normal(c)]
  const outs = [
    ...[k.silu(x), k.affine(y, 2, -1)],
    ...[k.add(x, y), k.mul(x, y), k.sub(x, y), k.minimum(y, x)],
    ...[k.where(z, x, y), k.mix(x, y, z)],
  ]
  return Promise.all(outs.map(out => out.floats()))
}

await t.test('agrees with the plain loops under broadcasting, every output written', async t => {
  for (const [seed, golden] of cases.entries()) {
    const expected = await run(reference, golden, seed)
    for (const runtime of [webgpu, shrunk, wasm])
      (await run(runtime, golden, seed)).forEach((actual, i) =>
        close(t, actual, expected[i], 1e-6, `${JSON.stringify(golden)}, ${i}`),
      )
  }
})

// In WebAssembly: units of 1024 elements, blocks of 4096, more axes than a shader counts with.
const blockEdges: Case[] = [
  { a: [1023], b: [1], dtypes: ['f16', 'f32'] },
  { a: [1025], b: [1025], dtypes: ['bf16', 'f16'] },
  { a: [3, 4097], b: [4097], c: [3, 1] },
  { a: [2, 130, 63], b: [2, 1, 63], c: [130, 1] },
  { a: [2, 1, 2, 1, 2, 1, 3], b: [1, 2, 1, 3, 1, 2, 1], c: [1, 3, 1, 1, 3] },
]

await t.test('gives the same on any number of threads', async t => {
  const others = await Promise.all([0, 1, 2, 3].map(threads => wasmRuntime({ threads })))
  for (const [seed, each] of [...cases, ...blockEdges].entries()) {
    const first = await run(wasm, each, seed)
    const check = (runtime: Runtime, expected: Float32Array[], tolerance: number) =>
      first.forEach((out, i) =>
        close(t, out, expected[i], tolerance, `${runtime.description} ${JSON.stringify(each)}, ${i}`),
      )
    if (blockEdges.includes(each)) check(reference, await run(reference, each, seed), 1e-6)
    for (const runtime of others) check(runtime, await run(runtime, each, seed), 0)
  }
})

await t.test('NaN and infinities give what torch gives', t =>
  onRuntimes(t, [reference, webgpu, wasm], async (t, runtime) => {
    const row = (...values: number[]) => Tensor.from(runtime, values, [values.length])
    const same = async (name: string, out: Tensor, ...expected: number[]) => {
      const actual = Array.from(await out.floats(), value => value + 0)
      close(t, Float32Array.from(actual), Float32Array.from(expected), 3e-7, `${name}: ${actual.join(' ')}`)
    }
    const ends = row(NaN, Infinity, -Infinity)
    await same('relu', k.relu(ends), NaN, Infinity, 0)
    await same('silu', k.silu(ends), NaN, Infinity, NaN)
    await same('sigmoid', k.sigmoid(ends), NaN, 1, 0)
    await same('tanh', k.tanh(ends), NaN, 1, -1)
    await same('softplus', k.softplus(ends), NaN, Infinity, 0)
    await same('erf', k.erf(ends), NaN, 1, -1)
    await same('exp', k.exp(ends), NaN, Infinity, 0)
    await same('sin', k.sin(ends), NaN, NaN, NaN)
    await same('sign', k.sign(ends), 0, 1, -1)
    await same('clamp', k.clamp(ends, -2, 3), NaN, 3, -2)
    await same('clamp, one-sided', k.clamp(row(-1e38, 2), 0, Infinity), 0, 2)
    await same('clamp, crossed', k.clamp(row(0, 9), 2, 1), 1, 1)
    await same('log', k.log(row(NaN, 0, -1, Infinity)), NaN, -Infinity, NaN, Infinity)
    await same('sqrt', k.sqrt(row(NaN, 0, -1, Infinity)), NaN, 0, NaN, Infinity)
    await same('rsqrt', k.rsqrt(row(0, -1, Infinity)), Infinity, NaN, 0)
    await same('round', k.round(row(-2.5, -1.5, 0.5, 1.5, 2.5, 8388609)), -2, -2, 0, 2, 2, 8388609)
    await same('pow 3', k.pow(row(-2, 0, NaN, 2), 3), -8, 0, NaN, 8)
    await same('pow 2.5', k.pow(row(-2, 0, 4), 2.5), NaN, 0, 32)
    await same('pow 0', k.pow(row(-2, 0, NaN), 0), 1, 1, 1)
    await same('pow -1', k.pow(row(-2, 0, -0, Infinity), -1), -0.5, Infinity, -Infinity, 0)
    const a = row(NaN, 1, Infinity, -Infinity, 2)
    const b = row(1, NaN, 0, 0, -3)
    await same('maximum', k.maximum(a, b), NaN, NaN, Infinity, 0, 2)
    await same('minimum', k.minimum(a, b), NaN, NaN, 0, -Infinity, -3)
    await same('div', k.div(row(1, -1, 0, 1), row(0, 0, 0, Infinity)), Infinity, -Infinity, NaN, 0)
    await same('where', k.where(a, row(7), row(8)), 8, 7, 7, 8, 7)
    const angles = [0, Math.PI / 2, Math.PI, -Math.PI / 2, Math.PI / 4, (-3 * Math.PI) / 4, 0]
    const y = row(0, 1, 0, -1, Infinity, -Infinity, 1)
    await same('atan2', k.atan2(y, row(0, 0, -1, 0, Infinity, -Infinity, Infinity)), ...angles)
    await same('atan2 of signed zeros', k.atan2(row(-0, 0, NaN), row(-1, -0, 1)), -Math.PI, Math.PI, NaN)
  }),
)

await t.test('casts round to the nearest, ties to even', t =>
  onRuntimes(t, [reference, webgpu, shrunk, wasm], async (t, runtime) => {
    // Every half, and the f32 numbers around the middle between it and the next.
    const halves = Uint16Array.from({ length: 65536 }, (_, i) => i)
    const wide = await k.cast(Tensor.from(runtime, halves, [65536], 'f16'), 'f32').floats()
    t.ok(
      wide.every((value, i) => Object.is(value, f16ToF32(i)) || Number.isNaN(value)),
      'every f16 widens exactly',
    )
    const bits = new Int32Array(3 * 0x7c00)
    for (let i = 0; i < 0x7c00; i++) {
      const middle = (f16ToF32(i) + f16ToF32(i + 1)) / 2
      const word = new Int32Array(Float32Array.of(Number.isFinite(middle) ? middle : 65520).buffer)[0]
      bits.set([word - 1, word, word + 1], 3 * i)
    }
    const values = new Float32Array(bits.buffer)
    const x = Tensor.from(runtime, values, [values.length])
    close(t, await k.cast(x, 'f16').data(), Array.from(values, f32ToF16), 0, 'f16 around every middle')
    close(t, await k.cast(x, 'bf16').data(), Array.from(values, f32ToBf16), 0, 'bf16')

    const odd = [NaN, Infinity, -Infinity, -0, 1.5, -1.5, 3e9, -3e9, 2147483520, 1e-9, -70000]
    const ends = Tensor.from(runtime, odd, [odd.length])
    const integers = [0, 2 ** 31 - 1, -(2 ** 31), 0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 2147483520, 0, -70000]
    close(t, await k.cast(ends, 'i32').data(), integers, 0, 'to i32')
    close(t, await k.cast(ends, 'f16').data(), odd.map(f32ToF16), 0, 'the ends in f16')
    close(t, await k.cast(ends, 'bf16').data(), odd.map(f32ToBf16), 0, 'the ends in bf16')
    const counts = Tensor.from(runtime, [-5, 0, 2049, 16777217, 70000], [5], 'i32')
    close(t, await k.cast(counts, 'f32').floats(), [-5, 0, 2049, 16777216, 70000], 0, 'from i32')
    close(t, await k.cast(counts, 'f16').floats(), [-5, 0, 2048, Infinity, Infinity], 0, 'from i32 to f16')
    t.same(k.cast(Tensor.zeros(runtime, [0]), 'f16').shape, [0], 'nothing')
  }),
)

await t.test('says what does not fit', t => {
  const operands = new Operands(webgpu, 0)
  const x = operands.normal([2, 3])
  t.throws(() => k.add(x, operands.normal([2])), {
    message: 'add: shapes do not broadcast; expected equal sizes or 1 on every axis; got [2, 3] and [2]',
  })
  t.throws(() => k.silu(Tensor.zeros(webgpu, [2], 'i32')), /silu: x has the wrong dtype; expected f32, f16, bf16/)
  t.throws(() => k.cast(Tensor.zeros(webgpu, [2], 'u8'), 'f32'), /cast: no such conversion; .*got u8/)
  t.throws(() => k.clamp(x, NaN, 1), /clamp: a constant is not a number/)
  t.throws(
    () => k.add(operands.normal([2, 1, 2, 1, 2, 1, 2]), operands.normal([1, 2, 1, 2, 1, 2, 1])),
    /add: too many axes that do not merge; expected at most 6; got \[2, 2, 2, 2, 2, 2, 2\]/,
  )
  t.end()
})
