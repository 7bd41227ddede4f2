// Reading safetensors files of any size: the header is read and checked at once, tensors one by one and in pieces.

import { allocateHost, byteSize } from '../dtype.js'
import { FileError } from '../errors.js'
import { sizeOf } from '../shape.js'
import { quote } from './quote.js'
import { type PlacedTensor, readHeader } from './safetensors-header.js'
import { type ByteSource, maxChunkBytes } from './source.js'
import { decodeStored, storedBytes } from './stored.js'
import type { LoadedTensor, TensorChunk, TensorFile } from './tensor-file.js'

/** Largest tensor that is read as a whole, in bytes of host memory; larger arrays are not had everywhere. */
const maxWholeBytes = 2 ** 32

/** Throws a FileError saying that a file has no such tensor. */
export function missingTensor(where: string, name: string): FileError {
  return new FileError({ where, what: `no tensor ${quote(name)}` })
}

/** One open safetensors file. */
export class SafetensorsFile implements TensorFile {
  readonly name: string
  readonly metadata: ReadonlyMap<string, string>
  readonly tensors: ReadonlyMap<string, PlacedTensor>
  private readonly source: ByteSource

  private constructor(
    source: ByteSource,
    metadata: ReadonlyMap<string, string>,
    tensors: ReadonlyMap<string, PlacedTensor>,
  ) {
    this.name = source.name
    this.source = source
    this.metadata = metadata
    this.tensors = tensors
  }

  /** Checks the whole header; throws a FileError on any flaw. The file owns its source: close() closes both. */
  static async open(source: ByteSource): Promise<SafetensorsFile> {
    try {
      const { metadata, tensors } = await readHeader(source)
      return new SafetensorsFile(source, metadata, tensors)
    } catch (error) {
      await source.close()
      throw error
    }
  }

  async read(name: string): Promise<LoadedTensor> {
    const { dtype, shape } = this.find(name)
    const hostBytes = sizeOf(shape) * byteSize(dtype)
    if (hostBytes > maxWholeBytes)
      throw new FileError({
        where: this.name,
        what: `tensor ${quote(name)}: too large to be read at once`,
        expected: `at most ${maxWholeBytes} bytes`,
        got: String(hostBytes),
        hint: 'chunks()',
      })
    const data = allocateHost(dtype, sizeOf(shape))
    for await (const chunk of this.chunks(name)) data.set(chunk.data, chunk.start)
    return { dtype, shape, data }
  }

  async *chunks(name: string): AsyncGenerator<TensorChunk, void, undefined> {
    const { stored, byteSize: size, offset } = this.find(name)
    for (let done = 0; done < size; done += maxChunkBytes) {
      const bytes = await this.source.read(offset + done, Math.min(maxChunkBytes, size - done))
      const start = done / storedBytes(stored)
      yield { start, data: decodeStored(`${this.name}: tensor ${quote(name)} from ${start}`, stored, bytes) }
    }
  }

  close(): Promise<void> {
    return this.source.close()
  }

  private find(name: string): PlacedTensor {
    const info = this.tensors.get(name)
    if (!info) throw missingTensor(this.name, name)
    return info
  }
}
