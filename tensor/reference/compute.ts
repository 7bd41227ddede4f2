// Plain loops over memory of the host's: what the reference runtime runs, and others where they have nothing better.

import { fromFloat32, hostArray, toFloat32, type DType, type HostArray } from '../dtype.js'
import type { Each, Op, TensorSpec } from '../op.js'
import { sizeOf, type Shape } from '../shape.js'

/** A tensor as plain loops see it: floats of every width as f32, integers as they are. */
export interface HostTensor {
  readonly shape: Shape
  readonly dtype: DType
  readonly data: Exclude<HostArray, Uint16Array>
}

/** Plain loops that fill every element of the outputs. */
export interface ReferenceKernel<I extends object = object, P = unknown> {
  readonly op: Op<I, P>
  readonly run: (inputs: Each<I, HostTensor>, outputs: readonly HostTensor[], params: P) => void
}

/** Binds plain loops to the operation they compute. */
export function referenceKernel<I extends object, P>(op: Op<I, P>, run: ReferenceKernel<I, P>['run']): ReferenceKernel {
  return { op, run } as unknown as ReferenceKernel
}

/** A tensor and the memory that its elements are in. */
export interface Placed extends TensorSpec {
  readonly memory: Uint8Array
}

const isNarrowFloat = (dtype: DType) => dtype === 'f16' || dtype === 'bf16'

function elementsOf({ shape, dtype, memory }: Placed): HostArray {
  return hostArray(dtype, memory.buffer, memory.byteOffset, sizeOf(shape))
}

function open(tensor: Placed): HostTensor {
  const { shape, dtype } = tensor
  const raw = elementsOf(tensor)
  const data = isNarrowFloat(dtype) ? toFloat32(dtype, raw) : raw
  return { shape, dtype, data: data as HostTensor['data'] }
}

/** Runs a kernel: reads its operands, absent ones left out, and fills its outputs. */
export function compute(
  kernel: ReferenceKernel,
  operands: readonly (readonly [string, Placed | undefined])[],
  outputs: readonly Placed[],
  params: unknown,
): void {
  const results = outputs.map(open)
  kernel.run(Object.fromEntries(operands.map(([name, tensor]) => [name, tensor && open(tensor)])), results, params)
  results.forEach(({ dtype, data }, i) => {
    if (isNarrowFloat(dtype)) elementsOf(outputs[i]).set(fromFloat32(dtype, data as Float32Array))
  })
}
