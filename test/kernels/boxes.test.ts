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
function visits(shape: Shape, operands: readonly Strided[]): string[] {
  const visited: string[] = []
  for (const { windows, aligned, groups, uniforms } of boxLaunches('test', shape, operands, facts)) {
    const { columns, axes, sizes, strides, steps, bases } = uniforms as Record<string, number[]> & {
      columns: number
      axes: number
    }
    for (let group = 0; group < groups; group++) {
      const perRow = Math.ceil(columns / 4)
      let row = Math.floor(group / perRow)
      const column = (group % perRow) * 4
      const at = bases.map((base, k) => (base + column * steps[k]) >>> 0)
      for (let axis = 0; axis < axes; axis++) {
        at.forEach((_, k) => (at[k] = (at[k] + (row % sizes[axis]) * strides[4 * axis + k]) >>> 0))
        row = Math.floor(row / sizes[axis])
      }
      for (let j = 0; j < Math.min(4, columns - column); j++) {
        const elements = operands.map(({ tensor }, k) => {
          const bytes = byteSize(tensor.dtype)
          const index = (at[k] + j * steps[k]) >>> 0
          const { offset, size } = windows[k]
          if ((index + 1) * bytes > size) throw new Error(`index ${index} outside a window of ${size} bytes`)
          if (size > 1024 || offset % 256 !== 0) throw new Error(`window of ${size} bytes at ${offset}`)
          if (aligned[k] && (columns % 4 !== 0 || at[k] % 4 !== 0 || steps[k] !== 1)) throw new Error('not aligned')
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
    t.same(visits(shape, operands), expected.sort(), name)
  }
  t.end()
})

await t.test('axes that every operand walks as one cost nothing', t => {
  const flat = [operand(24_000, 0, [12_000, 4000, 1]), operand(24_000, 0, [12_000, 4000, 1])]
  const wide = { limits: { ...facts.limits, maxStorageBufferBindingSize: 2 ** 20 } } as unknown as AdapterFacts
  const [{ uniforms, groups, aligned }, ...rest] = boxLaunches('test', [2, 3, 4000], flat, wide)
  t.same([uniforms.columns, uniforms.axes, groups, aligned, rest], [24_000, 0, 6000, [true, true], []])
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
