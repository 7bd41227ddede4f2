// The statement of an operation: said once, run anywhere. Names, operands, shapes, dtypes, parameters and cost stand
// here; how a runtime computes it stands in that runtime's kernel table (kernels/reference.ts, kernels/webgpu.ts, ...).

import { byteSize, type DType } from './dtype.js'
import { sizeOf, type Shape } from './shape.js'

/** Shape and element type of a tensor, without its contents. */
export interface TensorSpec {
  readonly shape: Shape
  readonly dtype: DType
}

/** The operands `I` of an operation with something else in the place of each; absent operands stay absent. */
export type Each<I, T> = { readonly [K in keyof I]: T }

/**
 * An operation over named operands `I` (an interface whose fields name them, optional ones marked `?`) and parameters
 * `P`.
 */
export interface Op<I extends object, P> {
  readonly name: string
  /** Checks operands and parameters and gives the outputs; throws a ShapeError that names the operation. */
  infer(inputs: Each<I, TensorSpec>, params: P): TensorSpec[]
  /** Floating-point operations of one run; a multiply-add counts two. */
  flops(inputs: Each<I, TensorSpec>, outputs: readonly TensorSpec[], params: P): number
}

/** Bytes of a tensor's elements. */
export function bytesOf(spec: TensorSpec): number {
  return sizeOf(spec.shape) * byteSize(spec.dtype)
}
