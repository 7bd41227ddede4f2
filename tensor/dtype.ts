// Element types: sizes, host arrays, and conversions of the two half-width floats. The dtype policy of the whole house
// (what is stored, what is accumulated) is stated here as well: weights may be stored narrow, arithmetic is f32.

export const dtypes = ['f32', 'f16', 'bf16', 'i32', 'u32', 'u8'] as const
export type DType = (typeof dtypes)[number]

/** The host array that holds elements of a dtype; f16 and bf16 keep their raw 16 bits in a Uint16Array. */
export type HostArray = Float32Array | Uint16Array | Int32Array | Uint32Array | Uint8Array

const bytes: Record<DType, number> = { f32: 4, f16: 2, bf16: 2, i32: 4, u32: 4, u8: 1 }

/** Bytes of one element. */
export function byteSize(dtype: DType): number {
  return bytes[dtype]
}

/** A host array over existing memory (no copy); `byteOffset` must be a multiple of the element's size. */
export function hostArray(dtype: DType, buffer: ArrayBufferLike, byteOffset = 0, length?: number): HostArray {
  switch (dtype) {
    case 'f32':
      return new Float32Array(buffer, byteOffset, length)
    case 'f16':
    case 'bf16':
      return new Uint16Array(buffer, byteOffset, length)
    case 'i32':
      return new Int32Array(buffer, byteOffset, length)
    case 'u32':
      return new Uint32Array(buffer, byteOffset, length)
    case 'u8':
      return new Uint8Array(buffer, byteOffset, length)
  }
}

/** A fresh, zeroed host array of `length` elements. */
export function allocateHost(dtype: DType, length: number): HostArray {
  return hostArray(dtype, new ArrayBuffer(length * bytes[dtype]))
}

const scratchFloat = new Float32Array(1)
const scratchBits = new Uint32Array(scratchFloat.buffer)

/** f32 to the bits of the nearest f16 (ties to even); overflow becomes infinity, NaN stays NaN. */
export function f32ToF16(value: number): number {
  scratchFloat[0] = value
  const bits = scratchBits[0]
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00
  if (magnitude >= 0x477ff000) return sign | 0x7c00
  if (magnitude < 0x38800000) {
    // Subnormal in f16: count in units of 2^-24 and let the host round to even.
    const units = Math.abs(scratchFloat[0]) * 0x1000000
    const floor = Math.floor(units)
    const rest = units - floor
    return sign | (rest > 0.5 || (rest === 0.5 && floor & 1) ? floor + 1 : floor)
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1)
  return sign | ((rounded - 0x38000000) >>> 13)
}

/** The value of f16 bits. */
export function f16ToF32(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >>> 10) & 0x1f
  const fraction = half & 0x3ff
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity
  if (exponent === 0) return sign * fraction * 2 ** -24
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** f32 to the bits of the nearest bf16 (ties to even); NaN stays NaN. */
export function f32ToBf16(value: number): number {
  scratchFloat[0] = value
  const bits = scratchBits[0]
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff
}

// One table for all 65,536 halves: widening a checkpoint is a look-up per element.
let f16Table: Float32Array | undefined

/** Widens any host array to f32; f32 comes back as it is (no copy). */
export function toFloat32(dtype: DType, data: HostArray): Float32Array {
  if (dtype === 'f32') return data as Float32Array
  const out = new Float32Array(data.length)
  if (dtype === 'f16') {
    f16Table ??= Float32Array.from({ length: 65536 }, (_, i) => f16ToF32(i))
    for (let i = 0; i < out.length; i++) out[i] = f16Table[data[i]]
  } else if (dtype === 'bf16') {
    const bits = new Uint32Array(out.buffer)
    for (let i = 0; i < out.length; i++) bits[i] = data[i] << 16
  } else {
    out.set(data)
  }
  return out
}

/** Converts f32 values to the host array of another dtype: floats round to nearest even, integers truncate. */
export function fromFloat32(dtype: DType, values: ArrayLike<number>): HostArray {
  const out = allocateHost(dtype, values.length)
  const convert = dtype === 'f16' ? f32ToF16 : dtype === 'bf16' ? f32ToBf16 : undefined
  if (convert) for (let i = 0; i < values.length; i++) out[i] = convert(values[i])
  else out.set(values)
  return out
}

/** Numbers one after the other. */
export function joinFloats(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}
