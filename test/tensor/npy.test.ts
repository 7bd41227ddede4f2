import t from 'tap'
import { FileError } from '../../tensor/errors.js'
import { MemorySource, NpzFile, parseNpy, readNpy } from '../../tensor/files/index.js'
import { npyBytes, npyHeader, zipBytes } from '../support/files.js'

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
      const bytes = npyBytes(npyHeader(descr, `(${data.length},)`), bytesOf(array), version)
      t.strictSame(parseNpy('a.npy', bytes), { dtype, shape: [data.length], data }, `${descr}, version ${version}`)
    }
})

await t.test('shapes: scalar, empty, and Fortran order put into C order', async t => {
  t.strictSame(parseNpy('a', npyBytes(npyHeader('<f4', '()'), bytesOf(floats.slice(0, 1)))).shape, [])
  t.strictSame(parseNpy('a', npyBytes(npyHeader('<f4', '(3, 0)'), new Uint8Array(0))), {
    dtype: 'f32',
    shape: [3, 0],
    data: new Float32Array(0),
  })
  // Column-major 1..6 of [3,2] are the columns 1 2 3 and 4 5 6.
  t.strictSame(await readNpy(new MemorySource('a', npyBytes(npyHeader('<f4', '(3, 2)', 'True'), bytesOf(floats)))), {
    dtype: 'f32',
    shape: [3, 2],
    data: Float32Array.of(1, 4, 2, 5, 3, 6),
  })
  const cube = Float32Array.from({ length: 24 }, (_, i) => i)
  const { data } = parseNpy('a', npyBytes(npyHeader('<f4', '(2, 3, 4)', 'True'), bytesOf(cube)))
  t.equal(data[(1 * 3 + 2) * 4 + 3], 1 + 2 * (2 + 3 * 3))
  t.equal(data[(0 * 3 + 1) * 4 + 2], 0 + 2 * (1 + 3 * 2))
})

await t.test('malformed arrays are refused with the file and the reason', async t => {
  const data = bytesOf(floats)
  const whole = npyBytes(npyHeader('<f4', '(6,)'), data)
  const table: [string, Uint8Array, RegExp][] = [
    ['nothing', new Uint8Array(0), /not an array of NumPy/],
    ['another format', Buffer.from('PK\x03\x04 and more'), /not an array of NumPy/],
    ['version 4', npyBytes(npyHeader('<f4', '(6,)'), data, 4), /unknown version; .* got 4\.0/],
    ['a cut header', whole.subarray(0, 40), /bad header length/],
    ['cut data', whole.subarray(0, whole.length - 1), /size does not fit the shape; expected 24 bytes .*; got 23/],
    ['bytes at the end', Buffer.concat([whole, Buffer.of(0)]), /size does not fit/],
    ['Python objects', npyBytes(npyHeader('|O', '(6,)'), data), /dtype that cannot be read.*got "\|O"/],
    ['big-endian', npyBytes(npyHeader('>f4', '(6,)'), data), /big-endian data.*try saving it/],
    [
      'a structured dtype',
      npyBytes("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,)}", data),
      /header/,
    ],
    ['an expression', npyBytes(npyHeader('<f4', '(2*3,)'), data), /bad header at character/],
    ['a call', npyBytes("__import__('os').system('x')", data), /bad header at character 0; expected '\{'/],
    ['a negative size', npyBytes(npyHeader('<f4', '(-6,)'), data), /bad header/],
    ['a huge size', npyBytes(npyHeader('<f4', '(99999999999999999999,)'), data), /bad header/],
    ['a product beyond 2^53', npyBytes(npyHeader('<f4', '(4294967296, 4294967296)'), data), /shape too large/],
    ['a missing key', npyBytes("{'descr': '<f4', 'shape': (6,)}", data), /bad header/],
    ['a key twice', npyBytes("{'descr': '<f4', 'descr': '<f4'}", data), /bad header/],
    ['an unknown key', npyBytes("{'descr': '<f4', 'more': '<f4'}", data), /bad header/],
    ['text after the header', npyBytes(npyHeader('<f4', '(6,)') + 'x', data), /bad header/],
    ['an open tuple', npyBytes("{'descr': '<f4', 'fortran_order': False, 'shape': (6,", data), /bad header/],
    [
      'an int64 out of range',
      npyBytes(npyHeader('<i8', '(1,)'), bytesOf(BigInt64Array.of(2n ** 40n))),
      /element 0 does not fit/,
    ],
  ]
  for (const [what, bytes, message] of table) {
    t.throws(() => parseNpy('a.npy', bytes), { name: 'FileError', message }, what)
    t.throws(() => parseNpy('a.npy', bytes), { message: /^a\.npy: [^\n]+$/ })
  }
})

const openNpz = (bytes: Uint8Array) => NpzFile.open(new MemorySource('a.npz', bytes))
const array = npyBytes(npyHeader('<f4', '(6,)'), bytesOf(floats))

await t.test('an archive is read, stored or deflated, one array at a time', async t => {
  const zeros = npyBytes(npyHeader('<f4', '(500, 500)'), new Uint8Array(1_000_000))
  const file = await openNpz(
    zipBytes([
      { name: 'plain.npy', data: array },
      { name: 'packed.npy', data: array, deflate: true },
      { name: 'zeros.npy', data: zeros, deflate: true },
      { name: 'objects.npy', data: npyBytes(npyHeader('|O', '(1,)'), new Uint8Array(8)) },
      { name: 'readme.txt', data: Buffer.from('hello') },
    ]),
  )
  t.strictSame(file.names, ['plain', 'packed', 'zeros', 'objects'])
  for (const name of ['plain', 'packed']) t.strictSame((await file.read(name)).data, floats, name)
  t.strictSame((await file.read('zeros')).shape, [500, 500])
  await t.rejects(file.read('objects'), { name: 'FileError', message: /^a\.npz: array "objects": dtype that cannot/ })
  await t.rejects(file.read('absent'), { name: 'FileError', message: 'a.npz: no array "absent"' })
  await t.rejects(file.read('readme.txt'), FileError)
  await t.rejects(file.read('zeros', 1000), /entry "zeros\.npy": too large; expected at most 1000 bytes; got 1000\d{3}/)
  await file.close()
  t.strictSame((await openNpz(zipBytes([]))).names, [], 'an empty archive')
})

await t.test('malformed archives are refused before anything large is allocated', async t => {
  const part = { name: 'a.npy', data: array, deflate: true }
  const bomb = { name: 'a.npy', data: new Uint8Array(20_000_000), deflate: true }
  const whole = zipBytes([part])
  const flipped = Buffer.from(whole)
  flipped[30 + 5 + 20 + 3] ^= 0x55
  const table: [string, Uint8Array, RegExp][] = [
    ['nothing', new Uint8Array(0), /not a zip archive/],
    ['a cut archive', whole.subarray(0, -1), /not a zip archive/],
    ['bytes in front', Buffer.concat([Buffer.of(0), whole]), /bad central directory/],
    ['an entry too few', zipBytes([part, { ...part, name: 'b.npy' }], 1), /bad central directory/],
    ['an entry too many', zipBytes([part], 2), /bad directory entry 1/],
    ['a zip64 directory', zipBytes([part], 0xffff), /zip64 archive/],
    ['a zip64 entry', zipBytes([{ ...part, lie: { size: 0xffffffff } }]), /entry "a\.npy": zip64 entry/],
    ['encryption', zipBytes([{ ...part, lie: { flags: 1 } }]), /encrypted/],
    ['another method', zipBytes([{ ...part, lie: { method: 14 } }]), /unknown compression.*got 14/],
    ['the same name twice', zipBytes([part, part]), /"a\.npy" is there twice/],
    ['shared bytes', zipBytes([part, { ...part, name: 'b.npy', lie: { offset: 0 } }]), /overlaps/],
    ['a place beyond the end', zipBytes([{ ...part, lie: { offset: 2 ** 31 } }]), /overlaps what comes after/],
    ['a size beyond the end', zipBytes([{ ...part, deflate: false, lie: { size: 5000, packed: 5000 } }]), /overlaps/],
    ['two gigabytes from nothing', zipBytes([{ ...part, lie: { size: 2 ** 31 } }]), /impossible expansion/],
    ['four gigabytes', zipBytes([{ ...part, lie: { size: 2 ** 32 - 2 } }]), /too large/],
    ['stored with two sizes', zipBytes([{ ...part, deflate: false, lie: { size: 10 } }]), /two sizes/],
    ['a size too small', zipBytes([{ ...bomb, lie: { size: 1000 } }]), /bad compressed data; expected 1000 bytes/],
    ['a size too large', zipBytes([{ ...bomb, lie: { size: 20_000_001 } }]), /bad compressed data/],
    ['a bad checksum', zipBytes([{ ...part, lie: { crc: 5 } }]), /bad checksum/],
    ['a changed byte', flipped, /bad compressed data|bad checksum/],
    ['a place between entries', zipBytes([{ ...part, lie: { offset: 1 } }]), /bad local header|overlaps/],
  ]
  for (const [what, bytes, message] of table) {
    const read = openNpz(bytes).then(async file => {
      for (const name of file.names) await file.read(name)
    })
    await t.rejects(read, { name: 'FileError', message }, what)
  }
})
