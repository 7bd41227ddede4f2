// Chunks of rows: how many rows of several operands fit their bindings at once.

import { KernelError, type DType, type TensorSpec } from '../../tensor/index.js'
import type { AdapterFacts } from '../../tensor/webgpu/adapter.js'
import { bindingBytes, windowElements } from '../../tensor/webgpu/launch.js'

/** A run of rows: indices [start, start + count). */
export interface Rows {
  readonly start: number
  readonly count: number
}

/** The indices [0, count). */
export function whole(count: number): Rows {
  return { start: 0, count }
}

/** Splits `count` indices into runs of at most `most`, which must be positive. */
export function runsOf(count: number, most: number): Rows[] {
  const runs: Rows[] = []
  for (let start = 0; start < count; start += most) runs.push({ start, count: Math.min(most, count - start) })
  return runs
}

/** Whether every given operand (absent ones are left out) fits a binding as a whole. */
export function allFit(operands: readonly (TensorSpec | undefined)[], facts: AdapterFacts): boolean {
  return operands.every(spec => !spec || bindingBytes(spec) <= facts.limits.maxStorageBufferBindingSize)
}

/**
 * Splits `rows` rows into runs, each of which fits a binding for every operand given by its dtype and elements per row.
 * Throws a KernelError when not even one row does.
 */
export function chunkRows(
  where: string,
  rows: number,
  operands: readonly { dtype: DType; perRow: number }[],
  facts: AdapterFacts,
): Rows[] {
  const most = Math.min(rows, ...operands.map(({ dtype, perRow }) => Math.floor(windowElements(dtype, facts) / perRow)))
  if (most < 1 && rows > 0)
    throw new KernelError({
      where,
      what: 'one row is larger than a binding may be',
      expected: `at most ${facts.limits.maxStorageBufferBindingSize} bytes`,
      got: `rows of ${operands.map(({ dtype, perRow }) => `${perRow} ${dtype}`).join(', ')}`,
      hint: 'smaller tensors, or a device with larger bindings',
    })
  return runsOf(rows, most)
}
