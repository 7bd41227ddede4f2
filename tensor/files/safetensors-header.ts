// The header of a safetensors file: 8 bytes of length, then JSON that gives each tensor's dtype, shape and place.
// The rules are those of huggingface/safetensors (README.md and safetensors/src/tensor.rs): at most 100 MB of header,
// no duplicate keys, tensors that cover the rest of the file without holes or overlaps. Stricter here: unknown fields
// and more than 64 axes are refused.

import { type DType, byteSize } from '../dtype.js'
import { FileError, UsageError } from '../errors.js'
import { type Shape, showShape, sizeOf } from '../shape.js'
import { decodeUtf8, JsonReader } from './json.js'
import { quote } from './quote.js'
import type { ByteSource } from './source.js'
import { isStoredDType, readDType, storedBytes, storedDTypes } from './stored.js'
import type { TensorInfo } from './tensor-file.js'

const maxHeaderBytes = 100_000_000
const maxRank = 64
const metadataKey = '__metadata__'

/** A tensor's description and where its bytes start in the file. */
export interface PlacedTensor extends TensorInfo {
  readonly offset: number
}

export interface SafetensorsHeader {
  metadata: Map<string, string>
  /** In the order of the header. */
  tensors: Map<string, PlacedTensor>
}

interface RawEntry {
  dtype?: string
  shape?: number[]
  offsets?: number[]
}

/** Reads and checks the whole header; nothing else of the file is read. Throws a FileError on any flaw. */
export async function readHeader(source: ByteSource): Promise<SafetensorsHeader> {
  const where = source.name
  if (source.size < 8)
    throw new FileError({ where, what: 'too short', expected: 'at least 8 bytes', got: String(source.size) })
  const prefix = await source.read(0, 8)
  const length = Number(new DataView(prefix.buffer).getBigUint64(0, true))
  if (length > maxHeaderBytes)
    throw new FileError({
      where,
      what: 'no safetensors file',
      expected: `a header of at most ${maxHeaderBytes} bytes`,
      got: String(length),
    })
  if (length > source.size - 8) throw truncated(where, `more than ${8 + length}`, source.size)
  const text = decodeUtf8(where, await source.read(8, length))
  if (text[0] !== '{')
    throw new FileError({ where, what: 'no safetensors file', expected: "a header with '{' as its first character" })

  const header: SafetensorsHeader = { metadata: new Map(), tensors: new Map() }
  const json = new JsonReader(where, text)
  json.object(key => {
    if (key === metadataKey) json.object(name => header.metadata.set(name, json.string()))
    else header.tensors.set(key, placeTensor(where, key, readEntry(where, key, json), 8 + length))
  })
  json.end()
  checkCover(where, header.tensors, 8 + length, source.size)
  return header
}

function readEntry(where: string, name: string, json: JsonReader): RawEntry {
  const entry: RawEntry = {}
  json.object(field => {
    if (field === 'dtype') entry.dtype = json.string()
    else if (field === 'shape') entry.shape = readCounts(where, name, json, maxRank)
    else if (field === 'data_offsets') entry.offsets = readCounts(where, name, json, 2)
    else throw tensorError(where, name, `unknown field ${quote(field)}`, 'dtype, shape and data_offsets')
  })
  return entry
}

function readCounts(where: string, name: string, json: JsonReader, longest: number): number[] {
  const list: number[] = []
  json.array(() => {
    if (list.push(json.count()) > longest) throw tensorError(where, name, 'list too long', `at most ${longest} numbers`)
  })
  return list
}

function placeTensor(where: string, name: string, entry: RawEntry, dataStart: number): PlacedTensor {
  const { dtype, shape, offsets } = entry
  if (dtype === undefined || shape === undefined || offsets?.length !== 2)
    throw tensorError(where, name, 'incomplete entry', 'dtype, shape and two data_offsets')
  if (!isStoredDType(dtype))
    throw tensorError(where, name, 'unknown dtype', `one of ${storedDTypes.join(', ')}`, quote(dtype))
  let size = storedBytes(dtype)
  for (const n of shape) {
    size *= n
    if (!Number.isSafeInteger(size)) throw tensorError(where, name, 'shape too large', 'less than 2^53 bytes')
  }
  const [begin, end] = offsets
  if (begin > end) throw tensorError(where, name, 'bad data_offsets', 'begin <= end', `${begin} and ${end}`)
  if (end - begin !== size)
    throw tensorError(
      where,
      name,
      'data_offsets do not fit the shape',
      `${size} bytes for ${dtype} ${showShape(shape)}`,
      String(end - begin),
    )
  return { dtype: readDType(dtype), stored: dtype, shape, byteSize: size, offset: dataStart + begin }
}

/** The tensors must follow each other without a hole or an overlap and end with the file. */
function checkCover(where: string, tensors: ReadonlyMap<string, PlacedTensor>, start: number, size: number): void {
  const order = [...tensors].sort(([, a], [, b]) => a.offset - b.offset || a.byteSize - b.byteSize)
  let end = start
  for (const [name, { offset, byteSize }] of order) {
    if (offset !== end) {
      const what = offset < end ? 'overlaps another tensor' : 'bytes before it belong to no tensor'
      throw tensorError(where, name, what, `data from byte ${end} on`, String(offset))
    }
    end += byteSize
  }
  if (end > size) throw truncated(where, String(end), size)
  if (end < size)
    throw new FileError({
      where,
      what: 'bytes at the end belong to no tensor',
      expected: `${end} bytes`,
      got: String(size),
    })
}

function truncated(where: string, expected: string, size: number): FileError {
  return new FileError({
    where,
    what: 'the file is truncated',
    expected: `${expected} bytes`,
    got: String(size),
    hint: 'downloading it again',
  })
}

function tensorError(where: string, name: string, what: string, expected: string, got?: string): FileError {
  return new FileError({ where, what: `tensor ${quote(name)}: ${what}`, expected, got })
}

/** What a header to be written says of one tensor. */
export interface HeaderEntry {
  name: string
  dtype: DType
  shape: Shape
}

/**
 * The bytes before the first tensor for tensors in the given order, padded with spaces to a multiple of 8. Throws a
 * UsageError on a name that is used twice or reserved, and if the header gets too long.
 */
export function encodeHeader(
  where: string,
  entries: readonly HeaderEntry[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  // Text is put together by hand: as keys of an object, names like "1" would change the order and "__proto__" be lost.
  const fields: string[] = []
  if (Object.keys(metadata).length > 0) fields.push(`"${metadataKey}":${JSON.stringify(metadata)}`)
  const names = new Set([metadataKey])
  let offset = 0
  for (const { name, dtype, shape } of entries) {
    if (names.has(name))
      throw new UsageError({ where, what: `tensor ${quote(name)}: name already taken`, expected: 'different names' })
    names.add(name)
    const end = offset + sizeOf(shape) * byteSize(dtype)
    const info = { dtype: dtype.toUpperCase(), shape, data_offsets: [offset, end] }
    fields.push(`${JSON.stringify(name)}:${JSON.stringify(info)}`)
    offset = end
  }
  const json = new TextEncoder().encode(`{${fields.join(',')}}`)
  const length = Math.ceil(json.length / 8) * 8
  if (length > maxHeaderBytes)
    throw new UsageError({ where, what: 'header too long', expected: `at most ${maxHeaderBytes} bytes` })
  const out = new Uint8Array(8 + length).fill(0x20)
  new DataView(out.buffer).setBigUint64(0, BigInt(length), true)
  out.set(json, 8)
  return out
}
