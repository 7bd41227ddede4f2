// Data movement, exactly: against torch's results and against plain loops.

import t from 'tap'
import { cat, expand, pad, permute, slice } from '../../kernels/index.js'
import { sizeOf, Tensor, type DType, type Runtime, type Shape } from '../../tensor/index.js'
import { close } from '../support/compare.js'
import {
  agreeWithTorch,
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
    ['permute', 'permute(0,2,1) then reshape(2,-1)', 'cat', 'slice', 'chunk(2,-1)[1]', 'pad'],
  ),
)

// 0, 1, 2, ...: an element tells where it came from. Bits of i32 and of f32 alike must stay.
function counting(runtime: Runtime, shape: Shape, dtype: DType): Tensor {
  return Tensor.from(
    runtime,
    Array.from({ length: sizeOf(shape) }, (_, i) => i % 2000),
    shape,
    dtype,
  )
}

interface Case {
  shape: Shape
  dtype?: DType
  run: (x: Tensor) => Tensor
}

// Rows of whole fours and others, axes that merge and six that do not, windows and grids cut on either side, narrow
// dtypes.
const cases: Case[] = [
  { shape: [70, 90], run: x => permute(x, [1, 0]) },
  { shape: [3, 20, 40, 8], run: x => permute(x, [0, 2, 1, 3]) },
  { shape: [2, 8, 12, 20], run: x => permute(x, [0, 3, 1, 2]) },
  { shape: [68, 132], run: x => permute(x, [1, 0]) },
  { shape: [12, 8, 36], dtype: 'i32', run: x => permute(x, [2, 1, 0]) },
  { shape: [5, 31, 37], dtype: 'i32', run: x => permute(x, [2, 0, 1]) },
  { shape: [2, 3, 4, 5, 6, 7], run: x => permute(x, [5, 4, 3, 2, 1, 0]) },
  { shape: [2, 3, 1, 4, 2, 5, 1], run: x => permute(x, [6, 4, 3, 2, 1, 0, 5]) },
  { shape: [6, 10, 8], dtype: 'f16', run: x => permute(x, [1, 0, 2]) },
  { shape: [6, 10, 8], dtype: 'u8', run: x => permute(x, [1, 0, 2]) },
  { shape: [40, 300], run: x => slice(x, 1, 5, 298, 3) },
  { shape: [3, 50, 64], run: x => slice(x, 1, -10, -1) },
  { shape: [9, 16], dtype: 'bf16', run: x => slice(x, 1, 4, 12) },
  { shape: [9, 16], run: x => slice(x, 0, 4, 4) },
  { shape: [1, 40, 1, 12], run: x => expand(x, [7, 40, 5, 12]) },
  { shape: [33, 1], run: x => expand(x, [2, 33, 150]) },
  { shape: [], dtype: 'u32', run: x => expand(x, [3, 3]) },
  { shape: [8], dtype: 'u8', run: x => expand(x, [3, 8]) },
  { shape: [4, 30, 50], run: x => cat([x, slice(x, 1, 0, 7), x], 1) },
  { shape: [40, 60], run: x => cat([x, slice(x, 1, 0, 3), slice(x, 1, 2, 2), x], -1) },
  { shape: [4, 6], dtype: 'f16', run: x => cat([x, x], 0) },
  {
    shape: [20, 33, 9],
    run: x =>
      pad(
        x,
        [
          [0, 0],
          [2, 1],
          [0, 3],
        ],
        { value: -1.5 },
      ),
  },
  {
    shape: [3, 40, 44, 4],
    run: x =>
      pad(x, [
        [0, 0],
        [0, 1],
        [0, 1],
        [0, 0],
      ]),
  },
  {
    shape: [9, 7],
    dtype: 'i32',
    run: x =>
      pad(
        x,
        [
          [3, 0],
          [0, 2],
        ],
        { value: 16777217 },
      ),
  },
  {
    shape: [9, 8],
    dtype: 'f16',
    run: x =>
      pad(
        x,
        [
          [3, 0],
          [4, 2],
        ],
        { value: 0.5 },
      ),
  },
  {
    shape: [2, 40, 50, 3],
    run: x =>
      pad(
        x,
        [
          [0, 0],
          [39, 4],
          [2, 49],
          [0, 0],
        ],
        { mode: 'reflect' },
      ),
  },
  {
    shape: [2, 40, 50, 3],
    run: x =>
      pad(
        x,
        [
          [1, 0],
          [60, 4],
          [2, 49],
          [0, 0],
        ],
        { mode: 'replicate' },
      ),
  },
  {
    shape: [0, 3],
    run: x =>
      pad(
        x,
        [
          [2, 0],
          [1, 1],
        ],
        { value: 7 },
      ),
  },
  { shape: [0, 3], run: x => permute(x, [1, 0]) },
]

await t.test('agrees with the plain loops, every output written', async t => {
  for (const { shape, dtype = 'f32', run } of cases) {
    const expected = run(counting(reference, shape, dtype))
    for (const runtime of [webgpu, shrunk, wasm]) {
      const out = run(counting(runtime, shape, dtype))
      t.same([out.shape, out.dtype], [expected.shape, expected.dtype], 'shape and dtype')
      const name = `${run.toString()} of ${dtype} [${shape.join(', ')}]`
      close(t, await out.data(), await expected.data(), 0, name)
    }
  }
})

// In WebAssembly elements of any width move singly: squares of 4 x 4, strips of 16 x 1024, units of 4096 elements, runs
// that are long and short.
const everyEdge = [
  [0, 1],
  [2, 4],
  [1, 0],
  [2, 1],
] as const
const singly: Case[] = [
  { shape: [130, 67], run: x => permute(x, [1, 0]) },
  { shape: [1029, 21], run: x => permute(x, [1, 0]) },
  { shape: [2, 2050, 17], dtype: 'f16', run: x => permute(x, [0, 2, 1]) },
  { shape: [3, 66, 2, 69], run: x => permute(x, [0, 3, 2, 1]) },
  { shape: [70, 3], run: x => permute(x, [1, 0]) },
  { shape: [131, 69], dtype: 'f16', run: x => permute(x, [1, 0]) },
  { shape: [2, 5, 66], dtype: 'bf16', run: x => permute(x, [2, 0, 1]) },
  { shape: [9, 70], dtype: 'u8', run: x => permute(x, [1, 0]) },
  { shape: [5, 9, 7], dtype: 'u8', run: x => permute(x, [1, 0, 2]) },
  { shape: [300, 23], dtype: 'f16', run: x => slice(x, 1, 1, 22, 2) },
  { shape: [30, 9], dtype: 'u8', run: x => slice(x, 1, 2, 9, 3) },
  { shape: [7, 1], dtype: 'f16', run: x => expand(x, [2, 7, 13]) },
  { shape: [7, 1], dtype: 'u8', run: x => expand(x, [7, 21]) },
  { shape: [2, 1], run: x => expand(x, [2, 9001]) },
  { shape: [1, 9001], run: x => expand(x, [3, 9001]) },
  { shape: [5, 7], dtype: 'bf16', run: x => cat([x, slice(x, 1, 0, 2), x], 1) },
  { shape: [5, 9], dtype: 'u8', run: x => cat([slice(x, 0, 0, 2), x], 0) },
  { shape: [3, 6000], run: x => cat([x, x], 1) },
  ...(['constant', 'reflect', 'replicate'] as const).flatMap(mode =>
    (['f32', 'f16', 'u8'] as const).map(dtype => ({
      shape: [2, 5, 7, 3],
      dtype,
      run: (x: Tensor) => pad(x, everyEdge, { mode, value: 3 }),
    })),
  ),
]

await t.test('moves elements of any width, the same on any number of threads', async t => {
  const others = await Promise.all([0, 1, 2, 3].map(threads => wasmRuntime({ threads })))
  for (const { shape, dtype = 'f32', run } of [...cases, ...singly]) {
    const expected = await run(counting(reference, shape, dtype)).data()
    const name = `${run.toString()} of ${dtype} [${shape.join(', ')}]`
    for (const runtime of [wasm, ...others])
      close(t, await run(counting(runtime, shape, dtype)).data(), expected, 0, `${name}, ${runtime.description}`)
  }
})

await t.test('what does not move shares its memory', t => {
  const x = new Operands(webgpu, 0).normal([1, 4, 1, 6])
  for (const same of [
    permute(x, [2, 1, 0, 3]),
    slice(x, 1, 0, 4),
    expand(x, [1, 4, 1, 6]),
    pad(x, [
      [0, 0],
      [0, 0],
      [0, 0],
      [0, 0],
    ]),
  ])
    t.equal(same.storage, x.storage)
  t.end()
})

await t.test('says what does not fit', t => {
  const x = new Operands(webgpu, 0).normal([2, 3])
  t.throws(() => permute(x, [0, 0]), {
    message: 'permute: not a permutation of the axes; expected each of 0..1 once; got 0, 0',
  })
  t.throws(() => slice(x, 1, 0, 4), {
    message: 'slice: range outside axis 1; expected 0 <= start <= end <= 3; got 0..4',
  })
  t.throws(() => slice(x, 1, 0, 3, 0), /slice: no such step/)
  t.throws(() => expand(x, [3, 3]), /expand: shapes do not broadcast/)
  t.throws(() => expand(x, [3]), /expand: does not expand to the shape; .*got \[3\]/)
  t.throws(() => expand(x, [1e9, 2, NaN]), /expand: does not expand/)
  t.throws(() => cat([], 0), /cat: no tensors/)
  t.throws(() => cat([x, Tensor.zeros(webgpu, [2, 3], 'i32')], 0), /cat: dtypes differ; expected f32; got i32/)
  t.throws(() => cat([x, Tensor.zeros(webgpu, [3, 2])], 0), /cat: shapes do not fit; expected \[2, 3\] but for axis 0/)
  t.throws(() => pad(x, [[1, 1]]), /pad: widths do not fit the axes; expected 2 pairs/)
  t.throws(
    () =>
      pad(x, [
        [0, 0],
        [0, -1],
      ]),
    /pad: width out of range/,
  )
  t.throws(
    () =>
      pad(
        x,
        [
          [2, 0],
          [0, 0],
        ],
        { mode: 'reflect' },
      ),
    /pad: reflects past the far end/,
  )
  t.throws(() => permute(Tensor.zeros(webgpu, [4, 6], 'f16'), [1, 0]), {
    message:
      'permute: f16 elements cannot be moved singly; expected runs of whole 32-bit words; got runs of 4; try f32, by cast',
  })
  t.end()
})
