// What a computation costs, by running it on a runtime that has no memory and computes nothing.

import { bytesOf, scope, Tensor, type Each, type Op, type Storage, type StoredTensor } from '../tensor/index.js'
import { ReferenceRuntime } from '../tensor/reference/runtime.js'
import type { Computation } from './case.js'

export interface Cost {
  /** Of all operations of one run; a multiply-add counts two. */
  readonly flops: number
  /** The operands read once and the output written once: what no fusion can save. */
  readonly bytes: number
}

class CountingRuntime extends ReferenceRuntime {
  flops = 0

  override allocate(bytes: number, label: string): Storage {
    return { bytes, label }
  }

  override run<I extends object, P>(
    op: Op<I, P>,
    inputs: Each<I, StoredTensor>,
    outputs: readonly StoredTensor[],
    params: P,
  ): void {
    this.flops += op.flops(inputs, outputs, params)
  }

  override upload(): void {}
  override copy(): void {}
  override release(): void {}
}

/** What one run takes. */
export function costOfRun(subject: Computation): Cost {
  const runtime = new CountingRuntime([])
  const bytes = scope(() => {
    const operands = Object.fromEntries(
      Object.entries(subject.operands).map(([name, { shape, dtype = 'f32' }]) => [
        name,
        Tensor.allocate(runtime, shape, dtype, name),
      ]),
    )
    const module = subject.setup?.(operands)
    const tensors = [...Object.values(operands), subject.run(operands)]
    module?.[Symbol.dispose]()
    return tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0)
  })
  return { flops: runtime.flops, bytes }
}
