// What a computation costs, by running it on a runtime that has no memory and computes nothing.

import {
  bytesOf,
  scope,
  Tensor,
  type Each,
  type Op,
  type Recording,
  type Storage,
  type StoredTensor,
} from '../tensor/index.js'
import { ReferenceRuntime } from '../tensor/reference/runtime.js'
import { makeReady, type Computation } from './case.js'

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

  /** What is recorded is done by replays. */
  override capture(body: () => void): Recording {
    const before = this.flops
    body()
    const flops = this.flops - before
    this.flops = before
    return { replay: () => (this.flops += flops), release: () => undefined }
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
    using ready = makeReady(subject, operands)
    runtime.flops = 0 // of what is not measured
    return [...Object.values(operands), ready.run()].reduce((sum, tensor) => sum + bytesOf(tensor), 0)
  })
  return { flops: runtime.flops, bytes }
}
