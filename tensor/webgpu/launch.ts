// How a WGSL kernel says what to run: it turns operands and parameters into dispatches, as plain data. Buffers larger
// than a binding may be are reached through windows.

import { byteSize } from '../dtype.js'
import { KernelError } from '../errors.js'
import { bytesOf, type Each, type Op, type TensorSpec } from '../op.js'
import type { StoredTensor } from '../runtime.js'
import type { AdapterFacts } from './adapter.js'
import type { Uniforms } from './interface.js'
import { Pool } from './pool.js'
import type { Defines } from './preprocess.js'

/** A part of a tensor bound to a shader: bytes [offset, offset + size) of its memory. */
export interface Window {
  readonly tensor: StoredTensor
  readonly offset: number
  readonly size: number
}

/** One dispatch, as plain data. */
export interface Dispatch {
  /** File under kernels/, for example `matmul/matmul.wgsl`. */
  readonly shader: string
  readonly defines?: Defines
  /** Operands by the names the shader gives its storage bindings. */
  readonly bindings: Readonly<Record<string, StoredTensor | Window>>
  /** Fields of `struct Params`. */
  readonly uniforms: Uniforms
  /** A count, spread over the grid (see kernels/common/grid.wgsl), or the grid itself. */
  readonly workgroups: number | readonly [number, number, number]
}

/** Which variant of a kernel to take, as measured on one adapter: overrules the kernels' own rules where it speaks. */
export interface Tune {
  /** The description of the adapter that it holds for; `*` for any. */
  readonly adapter: string
  /** Variants by class of shape, or by operation for all its other classes. */
  readonly choices: ReadonlyMap<string, string>
}

/** What a kernel gets. */
export interface Call<I extends object, P> {
  readonly inputs: Each<I, StoredTensor>
  readonly outputs: readonly StoredTensor[]
  readonly params: P
  readonly facts: AdapterFacts
  readonly tune?: Tune
  /** Memory for intermediate results; given back when the kernel's dispatches are recorded. */
  scratch(shape: readonly number[], dtype: StoredTensor['dtype']): StoredTensor
}

/** A WGSL kernel: a pure function from a call to its dispatches, in order. */
export interface WebGpuKernel<I extends object = object, P = unknown> {
  readonly op: Op<I, P>
  readonly plan: (call: Call<I, P>) => Dispatch[]
}

/** Binds a WGSL kernel to the operation it computes. */
export function webgpuKernel<I extends object, P>(op: Op<I, P>, plan: WebGpuKernel<I, P>['plan']): WebGpuKernel {
  return { op, plan } as unknown as WebGpuKernel
}

/**
 * The window on elements [start, start + count) of a tensor. A window must begin at the device's offset alignment, so
 * it may begin earlier than asked; `base` is the index of element `start` inside it, for the kernel to add.
 */
export function windowOf(
  tensor: StoredTensor,
  start: number,
  count: number,
  facts: AdapterFacts,
): { window: Window; base: number } {
  const bytes = byteSize(tensor.dtype)
  const alignment = facts.limits.minStorageBufferOffsetAlignment
  const offset = Math.floor((start * bytes) / alignment) * alignment
  const size = Pool.roundUp((start + count) * bytes - offset)
  return { window: { tensor, offset, size }, base: start - offset / bytes }
}

/** Bytes that a binding of a whole tensor takes. */
export function bindingBytes(spec: TensorSpec): number {
  return Pool.roundUp(bytesOf(spec))
}

/** Largest number of elements that any window of this dtype can be sure to hold, whatever its start. */
export function windowElements(dtype: StoredTensor['dtype'], facts: AdapterFacts): number {
  const { maxStorageBufferBindingSize, minStorageBufferOffsetAlignment } = facts.limits
  // Some devices allow 2^32 - 4 bytes, which are not whole vec4s.
  const largest = Math.floor(maxStorageBufferBindingSize / 16) * 16
  return Math.floor((largest - minStorageBufferOffsetAlignment) / byteSize(dtype))
}

/** The whole of a tensor as a window. */
export function wholeWindow(tensor: StoredTensor): Window {
  return { tensor, offset: 0, size: bindingBytes(tensor) }
}

/** Spreads a count of workgroups over a grid within the device's limit; at least as many as asked for. */
export function gridOf(
  where: string,
  workgroups: Dispatch['workgroups'],
  facts: AdapterFacts,
): [number, number, number] {
  const limit = facts.limits.maxComputeWorkgroupsPerDimension
  if (typeof workgroups === 'number') {
    const x = Math.min(workgroups, limit)
    const y = Math.min(Math.ceil(workgroups / Math.max(1, x)), limit)
    const z = Math.ceil(workgroups / Math.max(1, x * y))
    if (z <= limit) return [x, y, z]
  } else if (workgroups.every(n => n <= limit)) return [...workgroups]
  throw new KernelError({
    where,
    what: 'grid too large',
    expected: `at most ${limit} on each axis`,
    got: String(workgroups),
  })
}
