// The fixtures are made here byte by byte, as numpy.save and numpy.savez make them.

import { deflateRawSync, crc32 } from 'node:zlib'
import t from 'tap'
import { FileError } from '../../tensor/errors.js'
import { MemorySource, NpzFile, parseNpy, readNpy } from '../../tensor/files/index.js'

function npy(header: string, data: Uint8Array, version = 1): Buffer {
  const text = Buffer.from(header, version === 3 ? 'utf8' : 'latin1')
  const length = Buffer.alloc(version === 1 ? 2 : 4)
  if (version === 1) length.writeUInt16LE(text.length)
  else length.writeUInt32LE(text.length)
  return Buffer.concat([Buffer.from('\x93NUMPY', 'latin1'), Buffer.of(version, 0), length, text, data])
}

const head = (descr: string, shape: string, fortran = 'False') =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }            \n`

const bytesOf = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
const floats = Float32Array.of(1, 2, 3, 4, 5, 6)

await t.test('arrays of every dtype are read, in all three versions', async t => {
  const table = [
    ['<f4', floats, 'f32', floats],
    ['<f8', Float64Array.of(0.1, -1e300), 'f32', Float32Array.of(0.1, -Infinity)],
    ['<f2', Uint16Array.of(0x3c00, 0xc000), 'f16', Uint16Array.of(0x3c00, 0xc000)],
    ['<i8', BigInt64Array.of(-7n, 2n ** 31n - 1n, 0xffffffffn), 'i32', Int32Array.of(-7, 2 ** 31 - 1, -1)],
    ['<i4', Int32Array.of(-7, 7), 'i32', Int32Array.of(-7, 7)],
    ['<i2', Int16Array.of(-7, 7), 'i32', Int32Array.of(-7, 7)],
    ['|i1', Int8Array.of(-7, 7), 'i32', Int32Array.of(-7, 7)],
    ['<u4', Uint32Array.of(0xffffffff), 'u32', Uint32Array.of(0xffffffff)],
    ['<u2', Uint16Array.of(0xffff), 'u32', Uint32Array.of(0xffff)],
    ['|u1', Uint8Array.of(0, 255), 'u8', Uint8Array.of(0, 255)],
    ['|b1', Uint8Array.of(0, 1), 'u8', Uint8Array.of(0, 1)],
  ] as const
  for (const [descr, array, dtype, data] of table)
    for (const version of [1, 2, 3]) {
      const bytes = npy(head(descr, `(${data.length},)`), bytesOf(array), version)
      t.strictSame(parseNpy('a.npy', bytes), { dtype, shape: [data.length], data }, `${descr}, version ${version}`)
    }
})

await t.test('shapes: scalar, empty, and Fortran order put into C order', async t => {
  t.strictSame(parseNpy('a', npy(head('<f4', '()'), bytesOf(floats.slice(0, 1)))).shape, [])
  t.strictSame(parseNpy('a', npy(head('<f4', '(3, 0)'), new Uint8Array(0))), {
    dtype: 'f32',
    shape: [3, 0],
    data: new Float32Array(0),
  })
  // Column-major 1..6 of [3,2] are the columns 1 2 3 and 4 5 6.
  t.strictSame(await readNpy(new MemorySource('a', npy(head('<f4', '(3, 2)', 'True'), bytesOf(floats)))), {
    dtype: 'f32',
    shape: [3, 2],
    data: Float32Array.of(1, 4, 2, 5, 3, 6),
  })
  const cube = Float32Array.from({ length: 24 }, (_, i) => i)
  const { data } = parseNpy('a', npy(head('<f4', '(2, 3, 4)', 'True'), bytesOf(cube)))
  t.equal(data[(1 * 3 + 2) * 4 + 3], 1 + 2 * (2 + 3 * 3))
  t.equal(data[(0 * 3 + 1) * 4 + 2], 0 + 2 * (1 + 3 * 2))
})

await t.test('malformed arrays are refused with the file and the reason', async t => {
  const data = bytesOf(floats)
  const whole = npy(head('<f4', '(6,)'), data)
  const table: [string, Uint8Array, RegExp][] = [
    ['nothing', new Uint8Array(0), /not an array of NumPy/],
    ['another format', Buffer.from('PK\x03\x04 and more'), /not an array of NumPy/],
    ['version 4', npy(head('<f4', '(6,)'), data, 4), /unknown version; .* got 4\.0/],
    ['a cut header', whole.subarray(0, 40), /bad header length/],
    ['cut data', whole.subarray(0, whole.length - 1), /size does not fit the shape; expected 24 bytes .*; got 23/],
    ['bytes at the end', Buffer.concat([whole, Buffer.of(0)]), /size does not fit/],
    ['Python objects', npy(head('|O', '(6,)'), data), /dtype that cannot be read.*got "\|O"/],
    ['big-endian', npy(head('>f4', '(6,)'), data), /big-endian data.*try saving it/],
    ['a structured dtype', npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,)}", data), /header/],
    ['an expression', npy(head('<f4', '(2*3,)'), data), /bad header at character/],
    ['a call', npy("__import__('os').system('x')", data), /bad header at character 0; expected '\{'/],
    ['a negative size', npy(head('<f4', '(-6,)'), data), /bad header/],
    ['a huge size', npy(head('<f4', '(99999999999999999999,)'), data), /bad header/],
    ['a product beyond 2^53', npy(head('<f4', '(4294967296, 4294967296)'), data), /shape too large/],
    ['a missing key', npy("{'descr': '<f4', 'shape': (6,)}", data), /bad header/],
    ['a key twice', npy("{'descr': '<f4', 'descr': '<f4'}", data), /bad header/],
    ['an unknown key', npy("{'descr': '<f4', 'more': '<f4'}", data), /bad header/],
    ['text after the header', npy(head('<f4', '(6,)') + 'x', data), /bad header/],
    ['an open tuple', npy("{'descr': '<f4', 'fortran_order': False, 'shape': (6,", data), /bad header/],
    ['an int64 out of range', npy(head('<i8', '(1,)'), bytesOf(BigInt64Array.of(2n ** 40n))), /element 0 does not fit/],
  ]
  for (const [what, bytes, message] of table) {
    t.throws(() => parseNpy('a.npy', bytes), { name: 'FileError', message }, what)
    t.throws(() => parseNpy('a.npy', bytes), { message: /^a\.npy: [^\n]+$/ })
  }
})

interface ZipPart {
  name: string
  data: Uint8Array
  deflate?: boolean
  /** What the directory says instead of the truth. */
  lie?: { size?: number; packed?: number; crc?: number; offset?: number; flags?: number; method?: number }
}

/** An archive as Python's zipfile writes it for numpy: local headers with a zip64 field in the place of the sizes. */
function zip(parts: ZipPart[], count = parts.length): Buffer {
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

const openNpz = (bytes: Uint8Array) => NpzFile.open(new MemorySource('a.npz', bytes))
const array = npy(head('<f4', '(6,)'), bytesOf(floats))

await t.test('an archive is read, stored or deflated, one array at a time', async t => {
  const zeros = npy(head('<f4', '(500, 500)'), new Uint8Array(1_000_000))
  const file = await openNpz(
    zip([
      { name: 'plain.npy', data: array },
      { name: 'packed.npy', data: array, deflate: true },
      { name: 'zeros.npy', data: zeros, deflate: true },
      { name: 'objects.npy', data: npy(head('|O', '(1,)'), new Uint8Array(8)) },
      { name: 'readme.txt', data: Buffer.from('hello') },
    ]),
  )
  t.strictSame(file.names, ['plain', 'packed', 'zeros', 'objects'])
  for (const name of ['plain', 'packed']) t.strictSame((await file.read(name)).data, floats, name)
  t.strictSame((await file.read('zeros')).shape, [500, 500])
  await t.rejects(file.read('objects'), { name: 'FileError', message: /^a\.npz: array "objects": dtype that cannot/ })
  await t.rejects(file.read('absent'), { name: 'FileError', message: 'a.npz: no array "absent"' })
  await t.rejects(file.read('readme.txt'), FileError)
  await file.close()
  t.strictSame((await openNpz(zip([]))).names, [], 'an empty archive')
})

await t.test('malformed archives are refused before anything large is allocated', async t => {
  const part = { name: 'a.npy', data: array, deflate: true }
  const bomb = { name: 'a.npy', data: new Uint8Array(20_000_000), deflate: true }
  const whole = zip([part])
  const flipped = Buffer.from(whole)
  flipped[30 + 5 + 20 + 3] ^= 0x55
  const table: [string, Uint8Array, RegExp][] = [
    ['nothing', new Uint8Array(0), /not a zip archive/],
    ['a cut archive', whole.subarray(0, -1), /not a zip archive/],
    ['bytes in front', Buffer.concat([Buffer.of(0), whole]), /bad central directory/],
    ['an entry too few', zip([part, { ...part, name: 'b.npy' }], 1), /bad central directory/],
    ['an entry too many', zip([part], 2), /bad directory entry 1/],
    ['a zip64 directory', zip([part], 0xffff), /zip64 archive/],
    ['a zip64 entry', zip([{ ...part, lie: { size: 0xffffffff } }]), /entry "a\.npy": zip64 entry/],
    ['encryption', zip([{ ...part, lie: { flags: 1 } }]), /encrypted/],
    ['another method', zip([{ ...part, lie: { method: 14 } }]), /unknown compression.*got 14/],
    ['the same name twice', zip([part, part]), /"a\.npy" is there twice/],
    ['shared bytes', zip([part, { ...part, name: 'b.npy', lie: { offset: 0 } }]), /overlaps/],
    ['a place beyond the end', zip([{ ...part, lie: { offset: 2 ** 31 } }]), /overlaps what comes after/],
    ['a size beyond the end', zip([{ ...part, deflate: false, lie: { size: 5000, packed: 5000 } }]), /overlaps/],
    ['two gigabytes from nothing', zip([{ ...part, lie: { size: 2 ** 31 } }]), /impossible expansion/],
    ['four gigabytes', zip([{ ...part, lie: { size: 2 ** 32 - 2 } }]), /too large/],
    ['stored with two sizes', zip([{ ...part, deflate: false, lie: { size: 10 } }]), /two sizes/],
    ['a size too small', zip([{ ...bomb, lie: { size: 1000 } }]), /bad compressed data; expected 1000 bytes/],
    ['a size too large', zip([{ ...bomb, lie: { size: 20_000_001 } }]), /bad compressed data/],
    ['a bad checksum', zip([{ ...part, lie: { crc: 5 } }]), /bad checksum/],
    ['a changed byte', flipped, /bad compressed data|bad checksum/],
    ['a place between entries', zip([{ ...part, lie: { offset: 1 } }]), /bad local header|overlaps/],
  ]
  for (const [what, bytes, message] of table) {
    const read = openNpz(bytes).then(async file => {
      for (const name of file.names) await file.read(name)
    })
    await t.rejects(read, { name: 'FileError', message }, what)
  }
})
