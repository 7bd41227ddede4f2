import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { FileError, UsageError } from '../../tensor/errors.js'
import { NodeFileSource, NpzFile, readNpy, writeNpy, writeNpz } from '../../tensor/files/index.js'
import { npyBytes, npyHeader, zipBytes } from '../support/files.js'

const folder = await mkdtemp(join(tmpdir(), 'revision-npz-'))
t.teardown(() => rm(folder, { recursive: true }))
const path = join(folder, 'arrays.npz')

const arrays = {
  matrix: { data: Float32Array.of(1, -2, 0.5, 1e30, NaN, -0), shape: [2, 3], dtype: 'f32' },
  half: { data: Uint16Array.of(0x3c00, 0xc000), shape: [2], dtype: 'f16' },
  whole: { data: Int32Array.of(-1), shape: [], dtype: 'i32' },
  bytes: { data: Uint8Array.of(0, 255, 7), shape: [3, 1], dtype: 'u8' },
  none: { data: new Float32Array(0), shape: [0, 21, 3], dtype: 'f32' },
} as const

await t.test('arrays come back as they were written, in their order', async t => {
  await writeNpz(path, arrays)
  const file = await NpzFile.open(await NodeFileSource.open(path))
  t.teardown(() => file.close())
  t.strictSame(file.names, Object.keys(arrays))
  for (const [name, { data, shape, dtype }] of Object.entries(arrays))
    t.strictSame(await file.read(name), { data, shape: [...shape], dtype }, name)
})

await t.test('a single array comes back', async t => {
  const single = join(folder, 'single.npy')
  await writeNpy(single, arrays.matrix)
  const { data, shape, dtype } = await readNpy(await NodeFileSource.open(single))
  t.strictSame({ data, shape, dtype }, { ...arrays.matrix, shape: [2, 3] })
  await t.rejects(writeNpy(single, { ...arrays.matrix, shape: [7] }), UsageError)
  await rm(single)
})

await t.test('what is inside is an array as numpy.save writes it, its data at a multiple of 64', async t => {
  await writeNpz(path, { a: { data: Float32Array.of(1, 2), shape: [2], dtype: 'f32' } })
  const written = await readFile(path)
  const start = written.indexOf('\x93NUMPY', 0, 'latin1')
  const length = written.readUInt16LE(start + 8)
  t.equal((10 + length) % 64, 0)
  const header = written.toString('latin1', start + 10, start + 10 + length)
  t.equal(header.trim(), npyHeader('<f4', '(2,)').trim())
  t.ok(header.endsWith('\n'))
  const size = 10 + length + 8
  t.strictSame(written.subarray(start, start + size), npyBytes(header, new Uint8Array(Float32Array.of(1, 2).buffer)))
  // The checksum is that of the same entry in an archive as Python writes it.
  const other = zipBytes([{ name: 'a.npy', data: written.subarray(start, start + size) }])
  t.equal(written.readUInt32LE(14), other.readUInt32LE(14))
})

await t.test('the same arrays give the same bytes', async t => {
  await writeNpz(path, arrays)
  const first = await readFile(path)
  await writeNpz(path, arrays)
  t.strictSame(await readFile(path), first)
})

await t.test('what cannot be written leaves the old file and no other', async t => {
  await writeNpz(path, arrays)
  const old = await readFile(path)
  const odd = { data: Float32Array.of(1, 2), shape: [3], dtype: 'f32' } as const
  await t.rejects(writeNpz(path, { fine: arrays.half, odd }), {
    name: UsageError.name,
    message: /arrays\.npz: array odd: cannot be written; expected 3 elements .*; got 2 of f32$/,
  })
  const unknown = { data: Uint16Array.of(1), shape: [1], dtype: 'bf16' } as const
  await t.rejects(writeNpz(path, { unknown }), { name: UsageError.name })
  t.strictSame(await readFile(path), old)
  t.strictSame(await readdir(folder), ['arrays.npz'])
  await t.rejects(writeNpz(join(folder, 'nowhere/a.npz'), arrays), { name: FileError.name })
})
