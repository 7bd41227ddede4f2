// Writing NumPy's arrays: one to a .npy file. Needs Node.

import type { DType, HostArray } from '../dtype.js'
import { UsageError } from '../errors.js'
import { sizeOf, type Shape } from '../shape.js'
import { replaceFile } from './atomic.js'

/** An array to be written. */
export interface NpyEntry {
  readonly data: HostArray
  readonly shape: Shape
  /** f32, f16, i32 or u8. */
  readonly dtype: DType
}

const descriptions: Partial<Record<DType, string>> = { f32: '<f4', f16: '<f2', i32: '<i4', u8: '|u1' }
// "\x93NUMPY", version 1.0; two bytes for the length of the header follow.
const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]

/** A .npy file's bytes; throws a UsageError, `where` in it, for an array that numpy has no type for or that is not whole. */
export function npyBytes(where: string, { data, shape, dtype }: NpyEntry): Uint8Array {
  const description = descriptions[dtype]
  if (!description || data.length !== sizeOf(shape))
    throw new UsageError({
      where,
      what: 'cannot be written',
      expected: `${sizeOf(shape)} elements of ${Object.keys(descriptions).join(', ')}`,
      got: `${data.length} of ${dtype}`,
    })
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const dict = `{'descr': '${description}', 'fortran_order': False, 'shape': (${sizes}), }`
  // The array begins at a multiple of 64.
  const start = Math.ceil((magic.length + 2 + dict.length + 1) / 64) * 64
  const length = start - magic.length - 2
  const out = new Uint8Array(start + data.byteLength)
  out.set([...magic, length & 255, length >>> 8])
  out.set(new TextEncoder().encode(dict.padEnd(length - 1) + '\n'), magic.length + 2)
  out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start)
  return out
}

/** Writes an array as a .npy file, whole or not at all. Errors: as npyBytes; a FileError when the disk refuses. */
export async function writeNpy(path: string, entry: NpyEntry): Promise<void> {
  const bytes = npyBytes(path, entry)
  await replaceFile(path, append => append(bytes))
}
