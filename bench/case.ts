// What a benchmark case is: operands as plain data, one run, and how its output is known to be right.

import type { DType, Shape, Tensor } from '../tensor/index.js'
import type { PeerTask } from './peers/protocol.js'

/** `full` is what the model really computes, for a GPU; `software` is scaled down to what a CPU driver can bear. */
export const sizeClasses = ['full', 'software'] as const
export type SizeClass = (typeof sizeClasses)[number]

/**
 * An operand of random numbers: normal, of mean 0 and the given scale (default 1), rounded to the dtype (default f32).
 */
export interface OperandSpec {
  readonly shape: Shape
  readonly dtype?: DType
  readonly scale?: number
}

export type OperandSpecs = Readonly<Record<string, OperandSpec>>

/** Operands on a runtime. */
export type Operands = Readonly<Record<string, Tensor>>

/** The operands' elements on the host, widened to f32, by name. */
export type HostOperands = Readonly<Record<string, Float32Array>>

/** Element `index` of the output in double precision, from the operands alone. */
export type Expected = (index: number) => number

/** Work with its operands in place. */
export interface Ready extends Disposable {
  /** Records one run. */
  run(): Tensor
}

/** What is done with operands: at once, or after what is not measured, such as filling modules with weights. */
export type Work = { run(operands: Operands): Tensor } | { setup(operands: Operands): Ready }

/** Puts the operands in place. */
export function makeReady(work: Work, operands: Operands): Ready {
  if ('setup' in work) return work.setup(operands)
  return { run: () => work.run(operands), [Symbol.dispose]: () => undefined }
}

/** Operands and what is done with them. */
export type Computation = Work & { readonly operands: OperandSpecs }

export type Case = Computation & {
  /** The family it belongs to, for --kernel: `matmul`, `conv2d`, ... */
  readonly kernel: string
  /** Shapes and switches, for people. */
  readonly name: string
  /** What bounds it, and so what its rate is told in. */
  readonly unit: 'GFLOP/s' | 'GB/s'
  /**
   * What the output must be: a function for single elements, computed apart from all kernels; or the same on small
   * operands, where the reference runtime tells the truth.
   */
  readonly check: ((host: HostOperands) => Expected) | Computation
  /** Largest relative error allowed in the check; default 1e-4. */
  readonly tolerance?: number
  /** The same work for other libraries, where they can do it. */
  readonly peer?: PeerTask
  /** The same output from the same operands without what the case is about: what that brings. */
  readonly plain?: Work
}
