// Files beyond the sizes that 32 bits, or one read of the system, can handle. They are made of holes: a file that is
// truncated to a length above its own takes no place on a disk that knows sparse files.

import { closeSync, ftruncateSync, fstatSync, openSync, readdirSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  type ByteSource,
  NodeFileSource,
  openSafetensors,
  SafetensorsFile,
  writeSafetensors,
} from '../../tensor/files/index.js'
import { safetensorsBytes } from '../support/files.js'

const MiB = 2 ** 20
const chunk = 64 * MiB
// No multiple of a chunk, so that the last one is short.
const bigElements = 1.25 * 2 ** 30 + 5
const padBytes = 2.5 * 2 ** 30 - 10
const bigBytes = 2 * bigElements
const header = JSON.stringify({
  big: { dtype: 'F16', shape: [5, bigElements / 5], data_offsets: [0, bigBytes] },
  pad: { dtype: 'U8', shape: [padBytes], data_offsets: [bigBytes, bigBytes + padBytes] },
  x: { dtype: 'F32', shape: [2], data_offsets: [bigBytes + padBytes, bigBytes + padBytes + 8] },
})

/** Makes the file; false if it would really take gigabytes. */
function makeSparse(path: string): boolean {
  const start = safetensorsBytes(header)
  const file = openSync(path, 'w')
  try {
    ftruncateSync(file, start.length + bigBytes + padBytes)
    if (fstatSync(file).blocks * 512 > 16 * MiB) return false
    writeSync(file, start)
    writeSync(file, Uint16Array.of(1, 2, 3), 0, 6, start.length)
    writeSync(file, Uint16Array.of(4, 5, 6), 0, 6, start.length + bigBytes - 6)
    writeSync(file, Float32Array.of(1.5, -2), 0, 8, start.length + bigBytes + padBytes)
    return true
  } catch {
    return false
  } finally {
    closeSync(file)
  }
}

/** A file of which a hole is not read: its zeros come from one buffer, so that gigabytes go by in no time. */
class EndsOnly implements ByteSource {
  readonly name: string
  readonly size: number
  readonly asked: [number, number][] = []
  private readonly zeros = new Uint8Array(chunk)

  constructor(
    private readonly file: ByteSource,
    private readonly hole: [number, number],
  ) {
    this.name = file.name
    this.size = file.size
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    this.asked.push([offset, length])
    const inHole = offset >= this.hole[0] && offset + length <= this.hole[1]
    return inHole ? this.zeros.subarray(0, length) : this.file.read(offset, length)
  }

  close(): Promise<void> {
    return this.file.close()
  }
}

const path = join(t.testdir(), 'large.safetensors')
const skip = makeSparse(path) ? false : 'this file system has no sparse files'
const dataStart = 8 + header.length

await t.test('a tensor behind the first 4 GiB of a file is read', { skip }, async t => {
  const file = await openSafetensors(path)
  t.ok((file.tensors.get('x')?.offset ?? 0) > 2 ** 32)
  t.strictSame((await file.read('x')).data, Float32Array.of(1.5, -2))
  await file.close()
})

await t.test('a tensor larger than 2 GiB is read in chunks that cover it once', { skip }, async t => {
  const end = dataStart + bigBytes
  const source = new EndsOnly(await NodeFileSource.open(path), [dataStart + chunk, end - (bigBytes % chunk)])
  const file = await SafetensorsFile.open(source)
  source.asked.length = 0
  let next = 0
  const first: number[] = []
  let last: number[] = []
  for await (const { start, data } of file.chunks('big')) {
    if (start !== next) t.fail(`a chunk at ${start} where ${next} comes next`)
    if (start === 0) first.push(...data.subarray(0, 4))
    last = [...data.subarray(-4)]
    next += data.length
  }
  t.equal(next, bigElements)
  t.strictSame(first, [1, 2, 3, 0])
  t.strictSame(last, [0, 4, 5, 6])
  t.equal(source.asked.length, Math.ceil(bigBytes / chunk))
  t.strictSame(source.asked[0], [dataStart, chunk])
  t.strictSame(source.asked.at(-1), [end - (bigBytes % chunk), bigBytes % chunk])
  await file.close()
})

await t.test('what cannot be one array is refused before it is allocated', { skip }, async t => {
  // 1 GiB on the disk, but 8 bits become 32.
  const size = 2 ** 30 + 1
  const start = safetensorsBytes(JSON.stringify({ a: { dtype: 'I8', shape: [size], data_offsets: [0, size] } }))
  const wide = join(t.testdir(), 'wide.safetensors')
  const descriptor = openSync(wide, 'w')
  writeSync(descriptor, start)
  ftruncateSync(descriptor, start.length + size)
  closeSync(descriptor)
  const file = await openSafetensors(wide)
  await t.rejects(file.read('a'), {
    name: 'FileError',
    message: /too large to be read at once; .*got 4294967300; try chunks/,
  })
  await file.close()
})

await t.test('writing asks for a tensor only when those before it are on the disk', async t => {
  const folder = t.testdir()
  const sizes: number[] = []
  const entries = Array.from({ length: 5 }, (_, i) => ({
    name: `t${i}`,
    dtype: 'f32' as const,
    shape: [MiB / 4],
    data: async () => {
      const [unfinished] = readdirSync(folder)
      sizes.push(statSync(join(folder, unfinished)).size)
      return new Float32Array(MiB / 4).fill(i)
    },
  }))
  await writeSafetensors(join(folder, 'a.safetensors'), entries)
  const headerSize = statSync(join(folder, 'a.safetensors')).size - 5 * MiB
  t.strictSame(
    sizes,
    [0, 1, 2, 3, 4].map(i => headerSize + i * MiB),
  )
})
