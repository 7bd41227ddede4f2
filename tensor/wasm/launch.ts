// How a WebAssembly kernel says what to run: it turns operands and parameters into launches, as plain data.

import type { Each, Op } from '../op.js'
import type { StoredTensor } from '../runtime.js'

/** A parameter of a kernel: a number, a tensor's address, or a list of i32 that the kernel gets the address of. */
export type WasmParam = number | readonly number[] | StoredTensor

/** One run of a kernel over its units, as plain data. */
export interface Launch {
  /** The name of an exported AssemblyScript function. */
  readonly kernel: string
  /** Values for all fields of its parameter class. */
  readonly params: Readonly<Record<string, WasmParam>>
  /**
   * How many independent pieces of work there are. Threads take them in runs; a unit's result must not depend on which
   * units are done in the same run.
   */
  readonly units: number
  /** Units that a thread takes at a time; default: a fraction of all that keeps threads evenly busy. */
  readonly grain?: number
  /** Bytes of private memory for each thread. */
  readonly scratch?: number
}

/** What a kernel gets. */
export interface WasmCall<I extends object, P> {
  readonly inputs: Each<I, StoredTensor>
  readonly outputs: readonly StoredTensor[]
  readonly params: P
  /** Memory for intermediate results, seen by all threads; given back when the kernel's launches are recorded. */
  scratch(shape: readonly number[], dtype: StoredTensor['dtype']): StoredTensor
}

/**
 * A WebAssembly kernel: a pure function from a call to its launches, in order; undefined for a call that is left to the
 * plain loops.
 */
export interface WasmKernel<I extends object = object, P = unknown> {
  readonly op: Op<I, P>
  readonly plan: (call: WasmCall<I, P>) => Launch[] | undefined
}

/** Binds a WebAssembly kernel to the operation it computes. */
export function wasmKernel<I extends object, P>(op: Op<I, P>, plan: WasmKernel<I, P>['plan']): WasmKernel {
  return { op, plan } as unknown as WasmKernel
}
