// Fused attention against torch's numbers and against its own plain loops.

import t, { type Test } from 'tap'
import { attention, matmul, softmax } from '../../kernels/index.js'
import { scope, Tensor, type DType, type Runtime, type Shape } from '../../tensor/index.js'
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
import { permuted } from '../support/layout.js'
import { forced } from '../support/variants.js'

const reference = await referenceRuntime()
const webgpu = await webgpuRuntime()
const shrunk = await webgpuRuntime({ limits: shrunkLimits })
const direct = await webgpuRuntime({ limits: shrunkLimits, tune: forced('direct') })
const wasm = await wasmRuntime()

await t.test('agrees with torch', t =>
  agreeWithTorch(t, [reference, webgpu, shrunk, wasm], ['scaled_dot_product_attention']),
)

interface Case {
  q: Shape
  k: Shape
  /** Where it differs from k. */
  v?: Shape
  heads: number
  causal?: boolean
  mask?: boolean
  scale?: number
  /** Of k and v. */
  dtype?: DType
  /** Of q and the mask. */
  others?: DType
  /** Also in the variant that by rule wide heads alone take. */
  direct?: boolean
}

const edges: Case[] = [
  // Lengths around blocks of four and sixteen keys and tiles of queries.
  { q: [1, 1, 8], k: [1, 1, 8], heads: 1 },
  { q: [1, 2, 8], k: [1, 63, 8], heads: 1 },
  { q: [2, 63, 16], k: [2, 2, 16], heads: 2, direct: true },
  { q: [1, 64, 32], k: [1, 64, 32], heads: 1, mask: true, direct: true },
  { q: [1, 65, 40], k: [1, 65, 40], heads: 1, causal: true },
  { q: [1, 300, 80], k: [1, 300, 80], heads: 2 },
  // Causal with fewer and more keys than queries, in chunks of either; with a mask besides.
  { q: [1, 300, 40], k: [1, 120, 40], heads: 1, causal: true, direct: true },
  { q: [1, 70, 128], k: [1, 150, 128], heads: 2, causal: true, mask: true, direct: true },
  // Every width of a head: the sizes compiled for, between them, not in fours, and several slices.
  { q: [1, 9, 24], k: [1, 13, 24], heads: 1 },
  { q: [2, 9, 15], k: [2, 13, 15], heads: 3, direct: true },
  { q: [1, 12, 26], k: [1, 9, 26], v: [1, 9, 14], heads: 2, causal: true, direct: true },
  { q: [1, 12, 16], k: [1, 9, 16], v: [1, 9, 10], heads: 2 },
  { q: [1, 10, 144], k: [1, 10, 144], heads: 2 },
  { q: [1, 10, 320], k: [1, 20, 320], heads: 2 },
  { q: [1, 20, 512], k: [1, 35, 512], heads: 1 },
  { q: [1, 5, 271], k: [1, 7, 271], heads: 1 },
  { q: [1, 5, 20], k: [1, 150, 20], v: [1, 150, 1028], heads: 1 },
  // Shared keys and values, narrow operands, a scale.
  { q: [6, 20, 32], k: [2, 30, 32], heads: 2, mask: true, direct: true },
  { q: [6, 70, 64], k: [1, 70, 64], heads: 1, scale: 0.5 },
  { q: [2, 17, 48], k: [2, 33, 48], heads: 3, dtype: 'f16', mask: true, direct: true },
  { q: [2, 17, 30], k: [1, 33, 30], heads: 2, dtype: 'f16' },
  { q: [1, 9, 32], k: [1, 11, 32], heads: 1, dtype: 'bf16', causal: true, direct: true },
  { q: [2, 21, 44], k: [2, 130, 44], heads: 4, dtype: 'bf16', others: 'f16', mask: true },
  // Blocks of 256 queries and 128 keys in WebAssembly; blocks of keys that all, some and none of the queries see.
  { q: [1, 258, 72], k: [1, 129, 72], v: [1, 129, 36], heads: 9, others: 'bf16', mask: true },
  { q: [1, 420, 10], k: [1, 390, 10], heads: 1, causal: true, dtype: 'f16' },
  { q: [40, 130, 8], k: [40, 131, 8], heads: 1, causal: true, mask: true },
  // Positions: frames attend at every pixel, to their own context or a shared one.
  { q: [2, 5, 12, 32], k: [2, 5, 12, 32], heads: 2 },
  { q: [1, 14, 60, 48], k: [1, 14, 60, 48], heads: 3, causal: true, direct: true },
  { q: [4, 6, 7, 18], k: [2, 9, 1, 18], heads: 3, mask: true, direct: true },
  { q: [2, 3, 40, 64], k: [2, 1, 1, 64], heads: 1 },
  { q: [0, 3, 8], k: [1, 3, 8], heads: 1 },
]

function run(
  runtime: Runtime,
  seed: number,
  { q, k, v = k, heads, causal, mask, scale, dtype, others }: Case,
): Promise<Float32Array> {
  const operands = new Operands(runtime, seed)
  const out = scope(() =>
    attention(operands.normal(q, others), operands.normal(k, dtype), operands.normal(v, dtype), {
      heads,
      causal,
      scale,
      mask: mask ? operands.normal([q[1], k[1]], others) : undefined,
    }),
  )
  return out.floats()
}

await t.test('agrees with the plain loops at edges and in chunks, every output written', async t => {
  for (const [seed, edge] of edges.entries()) {
    const expected = await run(reference, seed, edge)
    close(t, await run(webgpu, seed, edge), expected, 2e-6, `webgpu ${JSON.stringify(edge)}`)
    close(t, await run(shrunk, seed, edge), expected, 2e-6, `webgpu in chunks ${JSON.stringify(edge)}`)
    if (edge.direct) close(t, await run(direct, seed, edge), expected, 2e-6, `direct in chunks ${JSON.stringify(edge)}`)
    close(t, await run(wasm, seed, edge), expected, 2e-6, `wasm ${JSON.stringify(edge)}`)
  }
})

await t.test('gives the same on any number of threads', async t => {
  for (const threads of [0, 1, 2, 3]) {
    const runtime = await wasmRuntime({ threads })
    for (const [seed, edge] of edges.entries())
      close(t, await run(runtime, seed, edge), await run(wasm, seed, edge), 0, `${threads} ${JSON.stringify(edge)}`)
  }
})

await t.test('needs no fused multiply-add', async t => {
  const plain = await wasmRuntime({ relaxed: false })
  for (const [seed, edge] of edges.entries())
    close(t, await run(plain, seed, edge), await run(reference, seed, edge), 2e-6, JSON.stringify(edge))
})

await t.test('is softmax(q k^T / sqrt(width)) v', t =>
  onRuntimes(t, [reference, webgpu, wasm], async (t, runtime) => {
    const operands = new Operands(runtime, 1)
    const q = operands.normal([3, 20, 16])
    const kTransposed = operands.normal([3, 16, 33])
    const v = operands.normal([3, 33, 16])
    const unfused = matmul(softmax(matmul(q, kTransposed)), v)
    const k = Tensor.from(runtime, permuted(await kTransposed.floats(), [3, 16, 33], [0, 2, 1]).data, [3, 33, 16])
    close(t, await attention(q, k, v, { heads: 1, scale: 1 }).data(), await unfused.floats(), 2e-6, 'in one step')
  }),
)

/** Attention over the second axis of [B, N, P, C] and over that of [B P, N, C] must be the same. */
async function sameAsPermuted(t: Test, runtime: Runtime): Promise<void> {
  const [batch, frames, pixels, channels] = [2, 5, 12, 32]
  const operands = new Operands(runtime, 2)
  const video = [0, 1, 2].map(() => operands.normal([batch, frames, pixels, channels]))
  const lines = await Promise.all(
    video.map(async x => {
      const data = permuted(await x.floats(), x.shape, [0, 2, 1, 3]).data // [B,P,N,C]
      return Tensor.from(runtime, data, [batch * pixels, frames, channels])
    }),
  )
  const [q, k, v] = video
  const temporal = await attention(q, k, v, { heads: 2 }).floats()
  const spatial = await attention(lines[0], lines[1], lines[2], { heads: 2 }).floats()
  const back = permuted(spatial, [batch, pixels, frames, channels], [0, 2, 1, 3]).data // [B,N,P,C]
  close(t, temporal, back, 1e-6, 'over frames at every pixel')
}

await t.test('positions spare a permutation', t => onRuntimes(t, [reference, webgpu, shrunk, wasm], sameAsPermuted))

await t.test('heads are runs of channels', t =>
  onRuntimes(t, [reference, webgpu, wasm], async (t, runtime) => {
    const [length, heads, width] = [11, 3, 8]
    const operands = new Operands(runtime, 3)
    const tokens = [0, 1, 2].map(() => operands.normal([1, length, heads * width]))
    const split = await Promise.all(
      tokens.map(async x => {
        const data = permuted(await x.floats(), [length, heads, width], [1, 0, 2]).data // [H,N,D]
        return Tensor.from(runtime, data, [heads, length, width])
      }),
    )
    const together = await attention(tokens[0], tokens[1], tokens[2], { heads }).floats()
    const apart = await attention(split[0], split[1], split[2], { heads: 1 }).floats()
    close(t, together, permuted(apart, [heads, length, width], [1, 0, 2]).data, 1e-6, 'interleaved in [B,N,H D]')
  }),
)

await t.test('a context of one token gives its value, whatever the query', t =>
  onRuntimes(t, [reference, webgpu, wasm], async (t, runtime) => {
    const operands = new Operands(runtime, 4)
    const v = operands.normal([1, 1, 24])
    const out = attention(operands.normal([1, 9, 24]), operands.normal([1, 1, 24]), v, { heads: 2 })
    const value = Array.from(await v.floats())
    close(t, await out.data(), new Array(9).fill(value).flat() as number[], 0, 'to the bit')
  }),
)

await t.test('large logits and hidden keys', t =>
  onRuntimes(t, [reference, webgpu, shrunk, direct, wasm], async (t, runtime) => {
    const [length, width] = [600, 8]
    const operands = new Operands(runtime, 5)
    const v = operands.normal([1, length, width])
    const values = await v.floats()
    const row = (data: Float32Array, n: number) => data.subarray(n * width, (n + 1) * width)

    // Key 333 outweighs all by far, after hundreds that seemed large.
    const spike = new Float32Array(length * width).map((_, i) =>
      i >= 333 * width && i < 334 * width ? 1e4 : i / width,
    )
    const k = Tensor.from(runtime, spike, [1, length, width])
    const ones = Tensor.from(runtime, new Float32Array(2 * width).fill(1), [1, 2, width])
    const large = await attention(ones, k, v, { heads: 1 }).floats()
    close(t, row(large, 0), row(values, 333), 1e-6, 'the largest logit takes all')

    // Query 0 sees only key 7, query 1 nothing before key 590, query 2 nothing at all.
    const hidden = new Float32Array(3 * length).fill(-Infinity)
    hidden[7] = 0
    hidden.fill(0, length + 590, 2 * length)
    const mask = Tensor.from(runtime, hidden, [3, length])
    const zeros = Tensor.zeros(runtime, [1, 3, width])
    const out = await attention(zeros, k, v, { heads: 1, mask }).floats()
    close(t, row(out, 0), row(values, 7), 1e-6, 'one key is seen')
    const mean = Array.from({ length: width }, (_, c) => {
      let sum = 0
      for (let key = 590; key < length; key++) sum += values[key * width + c]
      return sum / 10
    })
    close(t, row(out, 1), mean, 1e-6, 'keys at the end are seen')
    t.ok(row(out, 2).every(Number.isNaN), 'no key is seen: NaN, as in torch')
  }),
)

await t.test('NaN and infinity travel as in plain loops', async t => {
  // In the middle, and in the last channel of the last key, beside what shaders fill up to four.
  const spots = [
    { width: 8, at: 9 },
    { width: 6, at: 17 },
  ]
  for (const { width, at } of spots)
    for (const place of [0, 1, 2])
      for (const bad of [NaN, Infinity]) {
        const outputs = [webgpu, direct, wasm, reference].map(runtime => {
          const operands = [0, 1, 2].map(operand => {
            const data = Float32Array.from({ length: 3 * width }, (_, i) => Math.sin(7 * i))
            if (operand === place) data[at] = bad
            return Tensor.from(runtime, data, [1, 3, width])
          })
          return attention(operands[0], operands[1], operands[2], { heads: 1 }).floats()
        })
        const [onWebgpu, onDirect, onWasm, expected] = await Promise.all(outputs)
        const name = `${bad} in ${'qkv'[place]} at ${at}`
        close(t, onWebgpu, expected, 2e-6, name)
        close(t, onDirect, expected, 2e-6, `${name}, direct`)
        close(t, onWasm, expected, 2e-6, `${name}, wasm`)
      }
})

await t.test('what a causal query does not see has no part in it, not even NaN', t =>
  onRuntimes(t, [reference, wasm], async (t, runtime) => {
    const [length, width] = [140, 8]
    const operands = new Operands(runtime, 7)
    const [q, k] = [operands.normal([1, length, width]), operands.normal([1, length, width])]
    const values = Float32Array.from({ length: length * width }, (_, i) => (i < 137 * width ? 1 : NaN))
    const out = await attention(q, k, Tensor.from(runtime, values, [1, length, width]), {
      heads: 1,
      causal: true,
    }).floats()
    close(t, out, values, 1e-6, 'queries before 137 give ones, those from there on NaN')
  }),
)

await t.test('says what does not fit', t => {
  const operands = new Operands(shrunk, 6)
  const q = operands.normal([4, 6, 12])
  const say = (k: Shape, v: Shape, options: { heads: number; mask?: Tensor; scale?: number }, message: RegExp) =>
    t.throws(() => attention(q, operands.normal(k), operands.normal(v), options), message)
  t.throws(() => attention(q, q, q, { heads: 5 }), {
    message: 'attention: channels of q do not divide; expected a multiple of 5 heads; got [4, 6, 12]',
  })
  say([4, 3, 8], [4, 3, 8], { heads: 1 }, /channels of k differ from those of q; expected 12; got \[4, 3, 8\]/)
  say([4, 3, 12], [4, 2, 12], { heads: 1 }, /k and v differ/)
  say([3, 3, 12], [3, 3, 12], { heads: 1 }, /batches of k do not fit; expected a divisor of 4; got 3/)
  say([4, 0, 12], [4, 0, 12], { heads: 1 }, /nothing to attend to/)
  say([4, 3, 2, 12], [4, 3, 2, 12], { heads: 1 }, /k has other axes than q/)
  say([4, 3, 12], [4, 3, 12], { heads: 1.5 }, /heads cannot be counted/)
  say([4, 3, 12], [4, 3, 12], { heads: 1, scale: NaN }, /scale is not finite/)
  say([4, 3, 12], [4, 3, 12], { heads: 1, mask: operands.normal([3, 6]) }, /mask does not fit; expected \[6, 3\]/)
  const wide = operands.normal([1, 1, 5000])
  t.throws(() => attention(wide, wide, wide, { heads: 1 }), /one row is larger than a binding/)
  t.end()
})
