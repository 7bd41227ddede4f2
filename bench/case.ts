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

/** The operands' elements on the host, widened to f32, by name. */
export type HostOperands = Readonly<Record<string, Float32Array>>

/** Element `index` of the output in double precision, from the operands alone. */
export type Expected = (index: number) => number

/** Operands and what is done with them. */
export interface Computation {
  readonly operands: Readonly<Record<string, OperandSpec>>
  /**
   * Called once for each set of operands, before its first run: for modules that take weights in, and give them back.
   */
  setup?(operands: Readonly<Record<string, Tensor>>): Disposable
  /** Records one run. */
  run(operands: Readonly<Record<string, Tensor>>): Tensor
}

export interface Case extends Computation {
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
}
