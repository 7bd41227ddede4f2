// NumPy's array format, versions 1 to 3 (numpy/numpy: numpy/lib/format.py says what they are). The header is a literal
// of a Python dict; it is read by a small grammar of its own, never evaluated. Arrays of Python objects (pickles) are
// refused: to read one would be to run what it says.

import { allocateHost, type HostArray } from '../dtype.js'
import { FileError } from '../errors.js'
import { type Shape, showShape, stridesOf } from '../shape.js'
import { quote } from './quote.js'
import { decodeStored, readDType, storedBytes, type StoredDType } from './stored.js'
import type { ByteSource } from './source.js'
import type { LoadedTensor } from './tensor-file.js'

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] // \x93NUMPY
const maxHeaderBytes = 65_536
const maxRank = 64
const maxFileBytes = 2 ** 31

const descriptions: Record<string, StoredDType> = {
  f8: 'F64',
  f4: 'F32',
  f2: 'F16',
  i8: 'I64',
  i4: 'I32',
  i2: 'I16',
  i1: 'I8',
  u4: 'U32',
  u2: 'U16',
  u1: 'U8',
  b1: 'BOOL',
}

const tokenPattern = /\s*(?:'([^'\\]*)'|(True|False)|(\d+)|([{}():,]))/y

interface NpyHeader {
  descr: string
  fortranOrder: boolean
  shape: number[]
}

/**
 * Reads a whole .npy file of at most 2 GiB and closes it. float64 is rounded to f32, int64 must fit in i32 (2^32 - 1
 * becomes -1), bool becomes u8, Fortran order becomes C order. Throws a FileError on any flaw.
 */
export async function readNpy(source: ByteSource): Promise<LoadedTensor> {
  try {
    if (source.size > maxFileBytes)
      throw npyError(source.name, 'too large', `at most ${maxFileBytes} bytes`, String(source.size))
    return parseNpy(source.name, await source.read(0, source.size))
  } finally {
    await source.close()
  }
}

/** The array in the bytes of a .npy file, as `readNpy`; `where` names the file in messages. */
export function parseNpy(where: string, bytes: Uint8Array): LoadedTensor {
  if (bytes.length < 10 || magic.some((byte, i) => bytes[i] !== byte))
    throw npyError(where, 'not an array of NumPy', 'the bytes \\x93NUMPY at its start')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const version = bytes[6]
  if (version < 1 || version > 3 || bytes[7] !== 0)
    throw npyError(where, 'unknown version', '1.0, 2.0 or 3.0', `${version}.${bytes[7]}`)
  const headerStart = version === 1 ? 10 : 12
  if (bytes.length < headerStart) throw npyError(where, 'too short', `${headerStart} bytes`, String(bytes.length))
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  const longest = Math.min(maxHeaderBytes, bytes.length - headerStart)
  if (length > longest) throw npyError(where, 'bad header length', `at most ${longest} bytes`, String(length))
  const dataStart = headerStart + length
  const text = new TextDecoder(version === 3 ? 'utf-8' : 'latin1').decode(bytes.subarray(headerStart, dataStart))

  const { descr, fortranOrder, shape } = parseHeader(where, text)
  const stored = storedOf(where, descr)
  let size = storedBytes(stored)
  for (const n of shape) {
    size *= n
    if (!Number.isSafeInteger(size)) throw npyError(where, 'shape too large', 'less than 2^53 bytes', showShape(shape))
  }
  if (size !== bytes.length - dataStart)
    throw npyError(
      where,
      'size does not fit the shape',
      `${size} bytes for ${descr} ${showShape(shape)}`,
      String(bytes.length - dataStart),
    )
  // A copy of its own: the data may start at an odd place, and its array must not keep the rest of the file alive.
  const data = decodeStored(where, stored, new Uint8Array(bytes.subarray(dataStart)))
  return { dtype: readDType(stored), shape, data: fortranOrder ? toRowMajor(stored, shape, data) : data }
}

function storedOf(where: string, descr: string): StoredDType {
  const order = descr[0]
  const kind = descr.slice(1)
  if (order === '>' && Object.hasOwn(descriptions, kind))
    throw npyError(where, 'big-endian data', 'little-endian', quote(descr), "saving it with .astype('<f4')")
  if (!['<', '|', '='].includes(order) || !Object.hasOwn(descriptions, kind))
    throw npyError(where, 'dtype that cannot be read', Object.keys(descriptions).join(', '), quote(descr))
  return descriptions[kind]
}

/** `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`, in any order, each key once. */
function parseHeader(where: string, text: string): NpyHeader {
  let at = 0
  const fail = (expected: string) => npyError(where, `bad header at character ${at}`, expected, quote(text.slice(at)))
  const next = (expected: string): RegExpExecArray => {
    tokenPattern.lastIndex = at
    const token = tokenPattern.exec(text)
    if (!token) throw fail(expected)
    at = tokenPattern.lastIndex
    return token
  }
  const peek = (char: string): boolean => {
    tokenPattern.lastIndex = at
    return tokenPattern.exec(text)?.[4] === char
  }
  const take = (char: string) => {
    if (!peek(char)) throw fail(`'${char}'`)
    next(char)
  }
  const header: Partial<NpyHeader> = {}
  take('{')
  while (!peek('}')) {
    const key = next('a key')[1]
    take(':')
    if (key === 'descr' && header.descr === undefined) {
      const descr = next('a dtype')[1]
      if (descr === undefined) throw fail('a simple dtype')
      header.descr = descr
    } else if (key === 'fortran_order' && header.fortranOrder === undefined) {
      const flag = next('True or False')[2]
      if (flag === undefined) throw fail('True or False')
      header.fortranOrder = flag === 'True'
    } else if (key === 'shape' && header.shape === undefined) {
      const shape: number[] = []
      take('(')
      while (!peek(')')) {
        const n = Number(next('a size')[3] ?? NaN)
        if (!Number.isSafeInteger(n)) throw fail('sizes in 0..2^53-1')
        if (shape.push(n) > maxRank) throw fail(`at most ${maxRank} axes`)
        if (!peek(')')) take(',')
      }
      take(')')
      header.shape = shape
    } else throw fail("each of 'descr', 'fortran_order' and 'shape' once")
    if (!peek('}')) take(',')
  }
  take('}')
  const { descr, fortranOrder, shape } = header
  if (text.slice(at).trim() !== '' || descr === undefined || fortranOrder === undefined || shape === undefined)
    throw fail("'descr', 'fortran_order' and 'shape', and no more")
  return { descr, fortranOrder, shape }
}

/** Elements in column-major order, put into row-major order. */
function toRowMajor(stored: StoredDType, shape: Shape, data: HostArray): HostArray {
  const out = allocateHost(readDType(stored), data.length)
  const strides = stridesOf(shape)
  const index = new Array<number>(shape.length).fill(0)
  let target = 0
  for (const value of data) {
    out[target] = value
    for (let axis = 0; axis < shape.length; axis++) {
      target += strides[axis]
      if (++index[axis] < shape[axis]) break
      target -= strides[axis] * shape[axis]
      index[axis] = 0
    }
  }
  return out
}

function npyError(where: string, what: string, expected: string, got?: string, hint?: string): FileError {
  return new FileError({ where, what, expected, got, hint })
}
