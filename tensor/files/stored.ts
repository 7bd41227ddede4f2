// Element types as files know them, and what they become here. Files are little-endian, as is every host that runs
// WebGPU, so the types that we have ourselves need no conversion; the rest is converted where that loses nothing, or,
// for F64, nothing that 32 bits could hold.

import { type DType, hostArray, type HostArray } from '../dtype.js'
import { FileError } from '../errors.js'

interface Stored {
  /** Bytes of one element in the file. */
  bytes: number
  /** What reading it gives. */
  dtype: DType
}

const stored = {
  F64: { bytes: 8, dtype: 'f32' },
  F32: { bytes: 4, dtype: 'f32' },
  F16: { bytes: 2, dtype: 'f16' },
  BF16: { bytes: 2, dtype: 'bf16' },
  I64: { bytes: 8, dtype: 'i32' },
  I32: { bytes: 4, dtype: 'i32' },
  I16: { bytes: 2, dtype: 'i32' },
  I8: { bytes: 1, dtype: 'i32' },
  U32: { bytes: 4, dtype: 'u32' },
  U16: { bytes: 2, dtype: 'u32' },
  U8: { bytes: 1, dtype: 'u8' },
  BOOL: { bytes: 1, dtype: 'u8' },
} as const satisfies Record<string, Stored>

/** The names are those of safetensors. */
export type StoredDType = keyof typeof stored

/** All element types that can be read. */
export const storedDTypes = Object.keys(stored) as StoredDType[]

export function isStoredDType(name: string): name is StoredDType {
  return Object.hasOwn(stored, name)
}

/** Bytes of one element in a file. */
export function storedBytes(dtype: StoredDType): number {
  return stored[dtype].bytes
}

/** The dtype that reading gives: F64 is rounded to f32, I64 (if in range), I16 and I8 become i32, U16 u32, BOOL u8. */
export function readDType(dtype: StoredDType): DType {
  return stored[dtype].dtype
}

/** The elements in `bytes`, which must start at a multiple of 8 of its buffer; an I64 out of range is a FileError. */
export function decodeStored(where: string, dtype: StoredDType, bytes: Uint8Array): HostArray {
  const { buffer, byteOffset } = bytes
  const length = bytes.length / storedBytes(dtype)
  switch (dtype) {
    case 'F64':
      return Float32Array.from(new Float64Array(buffer, byteOffset, length))
    case 'I64':
      return narrowInt64(where, new Int32Array(buffer, byteOffset, 2 * length))
    case 'I16':
      return Int32Array.from(new Int16Array(buffer, byteOffset, length))
    case 'I8':
      return Int32Array.from(new Int8Array(buffer, byteOffset, length))
    case 'U16':
      return Uint32Array.from(new Uint16Array(buffer, byteOffset, length))
    default:
      return hostArray(readDType(dtype), buffer, byteOffset, length)
  }
}

/**
 * I64 as pairs of a low and a high half, to i32. 2^32 - 1 becomes -1: that is what an unsigned -1 looks like once it
 * was widened, as for the root's parent in the kintree_table of SMPL-X.
 */
function narrowInt64(where: string, halves: Int32Array): Int32Array {
  const out = new Int32Array(halves.length / 2)
  for (let i = 0; i < out.length; i++) {
    const low = halves[2 * i]
    const high = halves[2 * i + 1]
    if (high !== low >> 31 && !(high === 0 && low === -1))
      throw new FileError({
        where,
        what: `element ${i} does not fit`,
        expected: '64-bit integers that fit in 32 bits',
        got: String((BigInt(high) << 32n) | BigInt(low >>> 0)),
      })
    out[i] = low
  }
  return out
}
