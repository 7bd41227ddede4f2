// Opening checkpoints where they lie: on disk by path, on a server by an http or https URL.

import { type HttpOptions, HttpSource } from './http.js'
import { NodeFileSource } from './node.js'
import { SafetensorsFile } from './safetensors.js'
import { ShardedFile } from './shards.js'
import type { ByteSource } from './source.js'
import type { TensorFile } from './tensor-file.js'

const isUrl = (location: string) => /^https?:\/\//i.test(location)

function openSource(location: string, http: HttpOptions): Promise<ByteSource> {
  return isUrl(location) ? HttpSource.open(location, http) : NodeFileSource.open(location)
}

/** Opens `<name>.safetensors`, a path or a URL; throws a FileError if it is malformed. */
export async function openSafetensors(location: string, http: HttpOptions = {}): Promise<SafetensorsFile> {
  return SafetensorsFile.open(await openSource(location, http))
}

/**
 * Opens a checkpoint in one file or in shards: `location` is the path or URL of `<name>.safetensors` or of its index,
 * `<name>.safetensors.index.json`. If the one file cannot be opened but its index can, the index is taken.
 */
export async function openCheckpoint(location: string, http: HttpOptions = {}): Promise<TensorFile> {
  const path = isUrl(location) ? location.split(/[?#]/, 1)[0] : location
  const openShards = async (index: string, source: ByteSource) =>
    ShardedFile.open(source, async name => openSource(await beside(index, name), http))
  if (path.endsWith('.json')) return openShards(location, await openSource(location, http))
  let source: ByteSource
  try {
    source = await openSource(location, http)
  } catch (error) {
    const index = indexOf(location)
    const indexSource = await openSource(index, http).catch(() => undefined)
    if (!indexSource) throw error
    return openShards(index, indexSource)
  }
  return SafetensorsFile.open(source)
}

/** The ending goes before the query of a URL. */
function indexOf(location: string): string {
  return isUrl(location) ? location.replace(/(?=[?#]|$)/, '.index.json') : `${location}.index.json`
}

/** Where a file of the same folder lies. */
async function beside(location: string, fileName: string): Promise<string> {
  if (isUrl(location)) return new URL(fileName, location).href
  const { dirname, join } = await import('node:path')
  return join(dirname(location), fileName)
}
