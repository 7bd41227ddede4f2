// What every file of named tensors looks like to its readers, whichever format or number of files is behind it.

import type { DType, HostArray } from '../dtype.js'
import type { Shape } from '../shape.js'
import type { StoredDType } from './stored.js'

/** What a file says of a tensor before any of its elements is read. */
export interface TensorInfo {
  /** The dtype that reading gives. */
  readonly dtype: DType
  /** The element type in the file. */
  readonly stored: StoredDType
  readonly shape: Shape
  /** Bytes in the file. */
  readonly byteSize: number
}

/** A whole tensor in host memory. */
export interface LoadedTensor {
  readonly dtype: DType
  readonly shape: Shape
  readonly data: HostArray
}

/** Consecutive elements of a tensor; `start` counts elements. */
export interface TensorChunk {
  readonly start: number
  readonly data: HostArray
}

/** A file, or several that act as one, of named tensors. */
export interface TensorFile {
  /** What messages call it. */
  readonly name: string
  readonly metadata: ReadonlyMap<string, string>
  readonly tensors: ReadonlyMap<string, TensorInfo>
  /** A whole tensor; throws a FileError if there is none of that name or it cannot be read. */
  read(name: string): Promise<LoadedTensor>
  /** The same elements in order, in pieces of at most 64 MiB of the file. */
  chunks(name: string): AsyncGenerator<TensorChunk, void, undefined>
  close(): Promise<void>
}
