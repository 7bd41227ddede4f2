// A checkpoint in several safetensors files ("shards") with an index that tells which tensor lies in which, in the
// layout of Hugging Face: `<name>.safetensors.index.json` beside `<name>-00001-of-00003.safetensors` and so on.

import { FileError } from '../errors.js'
import { decodeUtf8, JsonReader } from './json.js'
import { quote } from './quote.js'
import { missingTensor, SafetensorsFile } from './safetensors.js'
import type { ByteSource } from './source.js'
import type { LoadedTensor, TensorChunk, TensorFile, TensorInfo } from './tensor-file.js'

const maxIndexBytes = 64 * 2 ** 20
const maxShards = 512
// A plain file name: nothing that could lead out of the folder, no hidden file, no device of any system.
const shardName = /^\w[\w.-]*\.safetensors$/

export interface ShardIndex {
  metadata: Map<string, string>
  /** Tensor name to file name. */
  weightMap: Map<string, string>
}

/** Reads and checks `<name>.safetensors.index.json`. */
export async function readIndex(source: ByteSource): Promise<ShardIndex> {
  const where = source.name
  if (source.size > maxIndexBytes)
    throw new FileError({
      where,
      what: 'index too long',
      expected: `at most ${maxIndexBytes} bytes`,
      got: String(source.size),
    })
  const json = new JsonReader(where, decodeUtf8(where, await source.read(0, source.size)))
  const metadata = new Map<string, string>()
  const weightMap = new Map<string, string>()
  json.object(key => {
    if (key === 'metadata')
      json.object(name => {
        const value = json.scalar()
        if (value !== undefined) metadata.set(name, value)
      })
    else if (key === 'weight_map')
      json.object(tensor => {
        const file = json.string()
        if (!shardName.test(file))
          throw new FileError({
            where,
            what: `tensor ${quote(tensor)}: bad shard name`,
            expected: 'a plain file name that ends in .safetensors',
            got: quote(file),
          })
        weightMap.set(tensor, file)
      })
    else json.scalar()
  })
  json.end()
  if (weightMap.size === 0) throw new FileError({ where, what: 'no tensor in the index', expected: 'a weight_map' })
  return { metadata, weightMap }
}

/** Several safetensors files that act as one. Holds the tensors that the index names, and no others. */
export class ShardedFile implements TensorFile {
  readonly name: string
  readonly metadata: ReadonlyMap<string, string>
  readonly tensors: ReadonlyMap<string, TensorInfo>
  private readonly homes: ReadonlyMap<string, SafetensorsFile>

  private constructor(
    name: string,
    metadata: ReadonlyMap<string, string>,
    tensors: ReadonlyMap<string, TensorInfo>,
    homes: ReadonlyMap<string, SafetensorsFile>,
  ) {
    this.name = name
    this.metadata = metadata
    this.tensors = tensors
    this.homes = homes
  }

  /**
   * Reads the index and closes it, opens every shard through `openShard`, which gets plain file names, and checks that
   * each tensor of the index lies in its shard. Throws a FileError on any flaw, with nothing left open.
   */
  static async open(index: ByteSource, openShard: (fileName: string) => Promise<ByteSource>): Promise<ShardedFile> {
    const where = index.name
    const { metadata, weightMap } = await readIndex(index).finally(() => index.close())
    const fileNames = new Set(weightMap.values())
    if (fileNames.size > maxShards)
      throw new FileError({
        where,
        what: 'too many shards',
        expected: `at most ${maxShards}`,
        got: String(fileNames.size),
      })
    const shards = new Map<string, SafetensorsFile>()
    try {
      for (const fileName of fileNames) shards.set(fileName, await SafetensorsFile.open(await openShard(fileName)))
      const tensors = new Map<string, TensorInfo>()
      const homes = new Map<string, SafetensorsFile>()
      for (const [tensor, fileName] of weightMap) {
        const shard = shards.get(fileName)
        const info = shard?.tensors.get(tensor)
        if (!shard || !info)
          throw new FileError({ where, what: `tensor ${quote(tensor)}: not in its shard ${quote(fileName)}` })
        tensors.set(tensor, info)
        homes.set(tensor, shard)
      }
      return new ShardedFile(where, metadata, tensors, homes)
    } catch (error) {
      await closeAll(shards.values())
      throw error
    }
  }

  async read(name: string): Promise<LoadedTensor> {
    return this.home(name).read(name)
  }

  chunks(name: string): AsyncGenerator<TensorChunk, void, undefined> {
    return this.home(name).chunks(name)
  }

  close(): Promise<void> {
    return closeAll(new Set(this.homes.values()))
  }

  private home(name: string): SafetensorsFile {
    const shard = this.homes.get(name)
    if (!shard) throw missingTensor(this.name, name)
    return shard
  }
}

async function closeAll(files: Iterable<TensorFile>): Promise<void> {
  for (const file of files) await file.close()
}
