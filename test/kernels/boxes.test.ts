// Boxes as the shaders walk them: every element once, every access inside its window.

import t from 'tap'
import { boxLaunches, type Strided } from '../../kernels/common/boxes.js'
import { allFit } from '../../kernels/common/rows.js'
import { offsetOf, walk } from '../../kernels/common/walk.js'
import { byteSize, sizeOf, type DType, type Shape } from '../../tensor/index.js'
import type { AdapterFacts } from '../../tensor/webgpu/adapter.js'
import { bindingBytes, windowElements, windowOf } from '../../tensor/webgpu/launch.js'

const facts = {
  limits: { maxStorageBufferBindingSize: 1024, minStorageBufferOffsetAlignment: 256 },
} as unknown as AdapterFacts

const operand = (size: number, start: number, strides: number[], dtype: DType = 'f32'): Strided => ({
  tensor: { shape: [size], dtype, storage: { bytes: size * byteSize(dtype), label: 'x' } },
  start,
  strides,
})

// What box.wgsl does, in numbers: the element of each whole operand that every index touches.
function visits(shape: Shape, operands: readonly Strided[], facts: AdapterFacts, turning = false): string[] {
  const visited: string[] = []
  for (const { windows, aligned, defines, uniforms, workgroups } of boxLaunches(
    'test',
    shape,
    operands,
    facts,
    turning,
  )) {
    const {
      columns,
      runs,
      runs_per_row,
      turn = 0,
      sizes,
      strides,
      steps,
      bases,
    } = uniforms as Record<string, number[]> & {
      columns: number
      runs: number
      runs_per_row: number
      turn: number
    }
    const { EACH, AXES, WORKGROUP } = defines as Record<string, number>
    const block = defines.TURNED ? 4 : 1
    if (workgroups * WORKGROUP < runs) throw new Error('too few workgroups')
    for (let group = 0; group < runs * EACH; group++) {
      const run = Math.floor(group / EACH)
      const column = ((run % runs_per_row) * EACH + (group % EACH)) * 4
      let row = Math.floor(run / runs_per_row)
      const at = bases.map((base, k) => (base + column * steps[k]) >>> 0)
      for (let axis = 0; axis < AXES; axis++) {
        at.forEach((_, k) => (at[k] = (at[k] + (row % sizes[axis]) * strides[4 * axis + k]) >>> 0))
        row = Math.floor(row / sizes[axis])
      }
      for (let j = 0; j < Math.min(4, columns - column); j++)
        for (let i = 0; i < block; i++) {
          const elements = operands.map(({ tensor }, k) => {
            const bytes = byteSize(tensor.dtype)
            const index = (at[k] + j * steps[k] + i * (k === 0 ? turn : 1)) >>> 0
            const { offset, size } = windows[k]
            if ((index + 1) * bytes > size) throw new Error(`index ${index} outside a window of ${size} bytes`)
            if (size > 1024 || offset % 256 !== 0) throw new Error(`window of ${size} bytes at ${offset}`)
            if (aligned[k] && (columns % 4 !== 0 || at[k] % 4 !== 0 || steps[k] !== 1)) throw new Error('not aligned')
            if (block > 1 && index % 4 !== (k === 0 ? j : i)) throw new Error('not aligned')
            return offset / bytes + index
          })
          visited.push(elements.join(' '))
        }
    }
  }
  return visited.sort()
}

const cases: { name: string; shape: Shape; operands: Strided[] }[] = [
  { name: 'one element', shape: [], operands: [operand(1, 0, [])] },
  { name: 'flat', shape: [3, 1000], operands: [operand(3000, 0, [1000, 1]), operand(3000, 0, [1000, 1], 'f16')] },
  { name: 'transposed', shape: [41, 37], operands: [operand(1517, 0, [37, 1]), operand(1517, 0, [1, 41])] },
  { name: 'turned', shape: [3, 12, 20], operands: [operand(720, 0, [240, 20, 1]), operand(720, 0, [240, 1, 12])] },
  { name: 'turned from 8', shape: [4, 4], operands: [operand(16, 0, [4, 1]), operand(48, 8, [1, 8])] },
  { name: 'repeated', shape: [5, 70, 8], operands: [operand(2800, 0, [560, 8, 1]), operand(8, 0, [0, 0, 1])] },
  { name: 'backwards', shape: [30, 40], operands: [operand(1200, 0, [40, 1]), operand(1300, 1299, [-40, -1])] },
  { name: 'far apart', shape: [2, 2, 3], operands: [operand(12, 0, [6, 3, 1]), operand(9000, 7, [4000, 900, 5])] },
]

await t.test('a box is walked once, inside its windows', t => {
  for (const { name, shape, operands } of cases) {
    const expected: string[] = []
    walk(shape, index =>
      expected.push(operands.map(({ start, strides }) => start + offsetOf(index, strides)).join(' ')),
    )
    t.equal(expected.length, sizeOf(shape))
    t.same(visits(shape, operands, facts), expected.sort(), name)
    t.same(visits(shape, operands, { ...facts, isFallback: true }), expected, `${name}, in runs of several groups`)
    t.same(visits(shape, operands, facts, true), expected, `${name}, turning blocks`)
  }
  t.end()
})

await t.test('blocks are turned where they are whole', t => {
  const isTurned = (shape: Shape, x: Strided) => {
    const [rows, columns] = shape
    const launches = boxLaunches('test', shape, [operand(rows * columns, 0, [columns, 1]), x], facts, true)
    return launches.some(({ defines }) => defines.TURNED)
  }
  t.equal(isTurned([12, 20], operand(240, 0, [1, 12])), true)
  t.equal(isTurned([12, 18], operand(216, 0, [1, 12])), false, 'columns')
  t.equal(isTurned([10, 20], operand(200, 0, [1, 10])), false, 'rows')
  t.equal(isTurned([12, 20], operand(260, 0, [1, 13])), false, 'distances')
  t.equal(isTurned([12, 20], operand(241, 1, [1, 12])), false, 'the beginning')
  t.equal(isTurned([12, 20], operand(240, 0, [20, 1])), false, 'nothing to turn')
  t.end()
})

await t.test('axes that every operand walks as one cost nothing', t => {
  const flat = [operand(24_000, 0, [12_000, 4000, 1]), operand(24_000, 0, [12_000, 4000, 1])]
  const wide = { limits: { ...facts.limits, maxStorageBufferBindingSize: 2 ** 20 } } as unknown as AdapterFacts
  const [{ uniforms, defines, aligned }, ...rest] = boxLaunches('test', [2, 3, 4000], flat, wide)
  t.same([uniforms.columns, uniforms.runs, defines.AXES, aligned, rest], [24_000, 6000, 0, [true, true], []])
  t.end()
})

await t.test('what is planned to fit a binding does, also where the limit is no whole number of vec4s', t => {
  for (const limit of [1024, 1020, 1016, 1012]) {
    const odd = { limits: { ...facts.limits, maxStorageBufferBindingSize: limit } } as unknown as AdapterFacts
    for (const dtype of ['f32', 'f16', 'u8'] as const) {
      const { tensor } = operand(5000, 0, [1], dtype)
      const most = windowElements(dtype, odd)
      const sizes = Array.from({ length: 300 }, (_, start) => windowOf(tensor, start, most, odd).window.size)
      t.ok(Math.max(...sizes) <= limit, `windows of ${most} ${dtype} within ${limit} bytes`)
    }
    for (let n = 240; n <= 256; n++) {
      const spec = { shape: [n], dtype: 'f32' } as const
      if (allFit([spec], odd)) t.ok(bindingBytes(spec) <= limit, `${n} elements within ${limit} bytes`)
    }
    t.ok(allFit([{ shape: [252], dtype: 'f32' }], odd))
  }
  t.end()
})
