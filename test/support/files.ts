// Files put together byte by byte, as the official writers make them or as nobody should.

import { crc32, deflateRawSync } from 'node:zlib'

/** A safetensors file with this header, and after it `data` or so many zeros. */
export function safetensorsBytes(header: string | Uint8Array, data: number | Uint8Array = 0): Uint8Array {
  const json = Buffer.from(header)
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  return Buffer.concat([length, json, typeof data === 'number' ? Buffer.alloc(data) : data])
}

/** The header that numpy.save writes. */
export function npyHeader(descr: string, shape: string, fortran = 'False'): string {
  return `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }            \n`
}

/** A file as numpy.save makes it. */
export function npyBytes(header: string, data: Uint8Array, version = 1): Buffer {
  const text = Buffer.from(header, version === 3 ? 'utf8' : 'latin1')
  const length = Buffer.alloc(version === 1 ? 2 : 4)
  if (version === 1) length.writeUInt16LE(text.length)
  else length.writeUInt32LE(text.length)
  return Buffer.concat([Buffer.from('\x93NUMPY', 'latin1'), Buffer.of(version, 0), length, text, data])
}

/** One entry of an archive. */
export interface ZipPart {
  name: string
  data: Uint8Array
  deflate?: boolean
  /** What the directory says instead of the truth. */
  lie?: { size?: number; packed?: number; crc?: number; offset?: number; flags?: number; method?: number }
}

/** An archive as Python's zipfile writes it for numpy: local headers with a zip64 field in the place of the sizes. */
export function zipBytes(parts: ZipPart[], count = parts.length): Buffer {
  const files: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const { name, data, deflate, lie = {} } of parts) {
    const packed = deflate ? deflateRawSync(data) : Buffer.from(data)
    const crc = lie.crc ?? crc32(data)
    const method = lie.method ?? (deflate ? 8 : 0)
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(45, 4)
    local.writeUInt16LE(method, 8)
    local.writeUInt32LE(crc, 14)
    local.writeUInt32LE(0xffffffff, 18)
    local.writeUInt32LE(0xffffffff, 22)
    local.writeUInt16LE(name.length, 26)
    local.writeUInt16LE(20, 28)
    const zip64 = Buffer.alloc(20)
    zip64.writeUInt16LE(1, 0)
    zip64.writeUInt16LE(16, 2)
    zip64.writeBigUInt64LE(BigInt(data.length), 4)
    zip64.writeBigUInt64LE(BigInt(packed.length), 12)
    const file = Buffer.concat([local, Buffer.from(name), zip64, packed])
    const central = Buffer.alloc(46)
    central.writeUInt32LE(0x02014b50, 0)
    central.writeUInt16LE(lie.flags ?? 0, 8)
    central.writeUInt16LE(method, 10)
    central.writeUInt32LE(crc, 16)
    central.writeUInt32LE(lie.packed ?? packed.length, 20)
    central.writeUInt32LE(lie.size ?? data.length, 24)
    central.writeUInt16LE(name.length, 28)
    central.writeUInt32LE(lie.offset ?? offset, 42)
    directory.push(central, Buffer.from(name))
    files.push(file)
    offset += file.length
  }
  const entries = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(count, 8)
  end.writeUInt16LE(count, 10)
  end.writeUInt32LE(entries.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...files, entries, end])
}
