// What verifying tells: a verdict on each tensor that was compared, and what was passed over and why.

import { relativeError } from '../../kernels/common/relative-error.js'
import type { TensorFile } from '../../tensor/files/index.js'
import {
  DeviceLostError,
  FileError,
  RevisionError,
  sameShape,
  showShape,
  Tensor,
  toFloat32,
  type DType,
  type HostArray,
  type Runtime,
  type Shape,
} from '../../tensor/index.js'

/** One tensor compared with its golden numbers. */
export interface VerifyCase {
  /** Folder and file, or operator case: `svd-unet-tiny/io`, `ops/conv2d.0`. */
  readonly name: string
  readonly tensor: string
  /** ||a - b|| / ||b|| over the whole tensor, or the largest |a - b| if `absolute`; infinite without a result. */
  readonly error: number
  readonly tolerance: number
  readonly ok: boolean
  readonly absolute?: true
  /** Why there is no result. */
  readonly message?: string
}

/** Golden numbers that nothing was compared with. */
export interface VerifySkip {
  readonly name: string
  readonly reason: string
}

/** A verdict, or what was passed over. */
export type VerifyOutcome = VerifyCase | VerifySkip

/** Whether an outcome tells of something that was passed over. */
export function isSkip(outcome: VerifyOutcome): outcome is VerifySkip {
  return 'reason' in outcome
}

/** A golden tensor, or a result to compare with one; halves are widened to f32. */
export interface Numbers {
  readonly data: HostArray
  readonly shape: Shape
}

/** A tensor of a golden file; throws a FileError if there is none. */
export async function readNumbers(file: TensorFile, name: string): Promise<Numbers & { readonly dtype: DType }> {
  const { dtype, data, shape } = await file.read(name)
  if (dtype === 'f16' || dtype === 'bf16') return { dtype: 'f32', data: toFloat32(dtype, data), shape }
  return { dtype, data, shape }
}

/** The same on a runtime. */
export async function readTensor(runtime: Runtime, file: TensorFile, name: string): Promise<Tensor> {
  const { dtype, data, shape } = await readNumbers(file, name)
  return Tensor.from(runtime, data, shape, dtype, name)
}

/** What a tensor on a runtime holds; the tensor is released. */
export async function take(tensor: Tensor): Promise<Numbers> {
  try {
    return { data: await tensor.data(), shape: tensor.shape }
  } finally {
    tensor.dispose()
  }
}

/** How far a result is from what it should be, by the relative error over the whole. */
export function compare(
  name: string,
  tensor: string,
  actual: Numbers,
  expected: Numbers,
  tolerance: number,
): VerifyCase {
  const shapes = sameShape(actual.shape, expected.shape)
  const error = shapes ? relativeError(actual.data, expected.data) : Infinity
  const message = shapes ? undefined : `expected shape ${showShape(expected.shape)}; got ${showShape(actual.shape)}`
  return { name, tensor, error, tolerance, ok: error <= tolerance, message }
}

/** The same by the largest difference of two elements. */
export function compareAbsolutely(
  name: string,
  tensor: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
): VerifyCase {
  let error = actual.length === expected.length ? 0 : Infinity
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i] - expected[i])
    // Not by Math.max alone: NaN is as wrong as can be.
    error = Math.max(error, Number.isNaN(difference) ? Infinity : difference)
  }
  return { name, tensor, error, tolerance, ok: error <= tolerance, absolute: true }
}

/**
 * The outcomes of some work; a refusal to compute becomes a case that fails. A file that cannot be read and a lost
 * device end everything: those errors are thrown.
 */
export async function* attempt(
  name: string,
  work: () => AsyncIterable<VerifyOutcome> | Promise<Iterable<VerifyOutcome>>,
): AsyncGenerator<VerifyOutcome, void, undefined> {
  try {
    const outcomes = work()
    yield* outcomes instanceof Promise ? await outcomes : outcomes
  } catch (error) {
    if (!(error instanceof RevisionError) || error instanceof FileError || error instanceof DeviceLostError) throw error
    yield { name, tensor: '', error: Infinity, tolerance: 0, ok: false, message: error.message }
  }
}
