// Operands made of random numbers, the same in every process: ours and the peers'.

import { fromFloat32, sizeOf, Tensor, toFloat32, type HostArray, type Runtime } from '../tensor/index.js'
import { Generator } from '../tensor/random.js'
import type { HostOperands, OperandSpec } from './case.js'

// A prime number of values is drawn and repeated: no row or tile of a real shape is a multiple of it, so a kernel that
// reads the wrong place reads another value.
const period = 999_983

/** The elements of an operand as they are stored; `seed` tells operands apart. */
function elements({ shape, dtype = 'f32', scale = 1 }: OperandSpec, seed: number): HostArray {
  const size = sizeOf(shape)
  const drawn = new Generator(seed).randn(Math.min(size, period)).map(value => value * scale)
  const values = fromFloat32(dtype, drawn)
  if (size <= period) return values
  const all = new (values.constructor as new (length: number) => HostArray)(size)
  for (let start = 0; start < size; start += period) all.set(values.subarray(0, Math.min(period, size - start)), start)
  return all
}

const listOf = (specs: Readonly<Record<string, OperandSpec>>) =>
  Object.entries(specs).map(([name, spec], seed) => ({ name, spec, seed }))

/** The operands' elements widened to f32. */
export function hostOperands(specs: Readonly<Record<string, OperandSpec>>): HostOperands {
  return Object.fromEntries(
    listOf(specs).map(({ name, spec, seed }) => [name, toFloat32(spec.dtype ?? 'f32', elements(spec, seed))]),
  )
}

/** The operands on a runtime. */
export function uploadOperands(runtime: Runtime, specs: Readonly<Record<string, OperandSpec>>): Record<string, Tensor> {
  return Object.fromEntries(
    listOf(specs).map(({ name, spec, seed }) => {
      const { shape, dtype = 'f32' } = spec
      return [name, Tensor.from(runtime, elements(spec, seed), shape, dtype, name)]
    }),
  )
}
