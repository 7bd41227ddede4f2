import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import t from 'tap'
import { allocateHost, byteSize, type DType, dtypes } from '../../tensor/dtype.js'
import { FileError, LifetimeError, ShapeError, UsageError } from '../../tensor/errors.js'
import {
  MemorySource,
  openCheckpoint,
  openSafetensors,
  type SafetensorsEntry,
  SafetensorsFile,
  writeSafetensors,
} from '../../tensor/files/index.js'
import { sizeOf } from '../../tensor/shape.js'
import { safetensorsBytes } from '../support/files.js'
import { golden } from '../support/paths.js'

function open(bytes: Uint8Array): Promise<SafetensorsFile> {
  return SafetensorsFile.open(new MemorySource('x.safetensors', bytes))
}

/** A tensor of each dtype whose bytes are all different. */
function entry(name: string, dtype: DType, shape: number[]): SafetensorsEntry {
  const data = allocateHost(dtype, sizeOf(shape))
  for (let i = 0; i < data.length; i++) data[i] = i * 3 + dtypes.indexOf(dtype)
  return { name, dtype, shape, data }
}

const samples: SafetensorsEntry[] = [
  entry('bytes', 'u8', [7]),
  entry('1', 'f32', [2, 3]),
  entry('__proto__', 'f16', [5]),
  entry('böse "Namen"\n', 'bf16', [1, 2, 1]),
  entry('signed', 'i32', []),
  entry('unsigned', 'u32', [3, 1]),
  entry('empty', 'f32', [4, 0, 2]),
]

await t.test('what was written is read again: every dtype, odd names, scalars, empty tensors', async t => {
  const path = join(t.testdir(), 'all.safetensors')
  const metadata = { format: 'pt', 'ünï "code"': 'line\nbreak' }
  await writeSafetensors(path, samples, metadata)
  const file = await openSafetensors(path)
  t.strictSame(Object.fromEntries(file.metadata), metadata)
  t.strictSame(new Set(file.tensors.keys()), new Set(samples.map(({ name }) => name)))
  for (const { name, dtype, shape, data } of samples) {
    t.strictSame(await file.read(name), { dtype, shape, data }, name)
    t.equal(file.tensors.get(name)?.byteSize, sizeOf(shape) * byteSize(dtype))
  }
  await t.rejects(file.read('absent'), { message: `${path}: no tensor "absent"` })
  await file.close()
  await t.rejects(file.read('1'), LifetimeError)

  for (const { offset, dtype } of file.tensors.values()) t.equal(offset % byteSize(dtype), 0, 'tensors are aligned')
})

await t.test('the reader of the npm package safetensors agrees on a file that we wrote', async t => {
  const path = join(t.testdir(), 'plain.safetensors')
  await writeSafetensors(path, samples.slice(0, 2))
  const bytes = new Uint8Array(readFileSync(path))
  const { SafeTensor } = createRequire(import.meta.url)('safetensors')
  const reader = new SafeTensor(bytes)
  for (const { name, shape, data } of samples.slice(0, 2)) {
    const raw: Uint8Array = reader.getTensor(name)
    if (typeof data === 'function') throw new Error('samples hold arrays')
    t.strictSame(new Uint8Array(raw), new Uint8Array(data.buffer), name)
    t.strictSame(reader.metadata.get(name).shape, shape)
  }
  t.equal(Buffer.from(bytes).readBigUInt64LE() % 8n, 0n)
})

await t.test('a checkpoint written by the official library is read', async t => {
  const file = await openCheckpoint(golden('svd-unet-tiny', 'diffusion_pytorch_model.safetensors'))
  t.equal(file.tensors.size, 1426)
  for (const [name, { dtype, shape }] of file.tensors) {
    const tensor = await file.read(name)
    const fits = dtype === 'f16' && tensor.data instanceof Uint16Array && tensor.data.length === sizeOf(shape)
    if (!fits || !tensor.data.some(bits => bits !== 0)) t.fail(name)
  }
  await file.close()
})

await t.test('element types that we lack are converted, or refused where that would lose something', async t => {
  const data = Buffer.alloc(8 * 8)
  data.writeDoubleLE(Math.PI, 0)
  data.writeBigInt64LE(-5n, 8)
  data.writeBigInt64LE(0xffffffffn, 16)
  data.writeBigInt64LE(2n ** 31n, 24)
  data.writeInt16LE(-300, 32)
  data.writeUInt16LE(65535, 34)
  data.writeInt8(-3, 36)
  data[37] = 1
  const list = [
    ['F64', 1, 0],
    ['I64', 2, 8],
    ['I64', 1, 24],
    ['I16', 1, 32],
    ['U16', 1, 34],
    ['I8', 1, 36],
    ['BOOL', 27, 37],
  ] as const
  const sizes = { F64: 8, I64: 8, I16: 2, U16: 2, I8: 1, BOOL: 1 }
  const header = list.map(([dtype, n, at]) => [
    `${dtype}/${at}`,
    { dtype, shape: [n], data_offsets: [at, at + n * sizes[dtype]] },
  ])
  const file = await open(safetensorsBytes(JSON.stringify(Object.fromEntries(header)), data))
  t.strictSame(await file.read('F64/0'), { dtype: 'f32', shape: [1], data: Float32Array.of(Math.PI) })
  t.strictSame(await file.read('I64/8'), { dtype: 'i32', shape: [2], data: Int32Array.of(-5, -1) })
  await t.rejects(file.read('I64/24'), {
    name: 'FileError',
    message: /x\.safetensors: tensor "I64\/24".*element 0 does not fit; expected 64-bit .*; got 2147483648/,
  })
  t.strictSame(await file.read('I16/32'), { dtype: 'i32', shape: [1], data: Int32Array.of(-300) })
  t.strictSame(await file.read('U16/34'), { dtype: 'u32', shape: [1], data: Uint32Array.of(65535) })
  t.strictSame(await file.read('I8/36'), { dtype: 'i32', shape: [1], data: Int32Array.of(-3) })
  t.equal((await file.read('BOOL/37')).data[0], 1)
})

const f32 = (name: string, shape: string, offsets: string) =>
  `"${name}":{"dtype":"F32","shape":${shape},"data_offsets":${offsets}}`
const good = f32('a', '[2]', '[0,8]')

await t.test('malformed files are refused with the file, the tensor and the reason', async t => {
  const huge = safetensorsBytes('{}')
  huge.set([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
  const table: [string, Uint8Array, RegExp][] = [
    ['nothing', new Uint8Array(0), /too short/],
    ['a cut length', new Uint8Array(7), /too short; expected at least 8 bytes; got 7/],
    ['a length of 2^64-1', huge, /no safetensors file; expected a header of at most 100000000 bytes/],
    ['a cut header', safetensorsBytes(`{${good}}`, 8).subarray(0, 40), /the file is truncated; .*got 40; try downl/],
    ['no text', safetensorsBytes(Uint8Array.of(0x7b, 0xff, 0x7d)), /UTF-8/],
    ['a byte order mark', safetensorsBytes('\ufeff{}'), /'\{' as its first character/],
    ['a leading space', safetensorsBytes(' {}'), /'\{' as its first character/],
    ['no header', safetensorsBytes(''), /'\{' as its first character/],
    ['an open brace', safetensorsBytes('{'), /bad JSON at character 1; expected a string; got the end/],
    ['a trailing comma', safetensorsBytes(`{${good},}`, 8), /expected a string/],
    ['two texts', safetensorsBytes('{}{}'), /expected the end/],
    ['zero padding', safetensorsBytes('{}\0'), /expected the end/],
    ['a raw line break', safetensorsBytes('{"a\nb":1}'), /well-formed string/],
    ['a bad escape', safetensorsBytes('{"\\x":1}'), /well-formed string/],
    ['a duplicate tensor', safetensorsBytes(`{${good},${good}}`, 8), /duplicate key "a"/],
    ['a duplicate in disguise', safetensorsBytes(`{${good},${good.replace('a', '\\u0061')}}`, 8), /duplicate key "a"/],
    ['a duplicate field', safetensorsBytes('{"a":{"dtype":"F32","dtype":"F32"}}'), /duplicate key "dtype"/],
    ['metadata that is no map', safetensorsBytes('{"__metadata__":[]}'), /expected '\{'/],
    ['metadata that is no text', safetensorsBytes('{"__metadata__":{"a":1}}'), /expected a string/],
    ['a tensor that is a list', safetensorsBytes('{"a":[]}'), /expected '\{'/],
    ['a missing field', safetensorsBytes('{"a":{"dtype":"F32","shape":[]}}'), /tensor "a": incomplete entry/],
    ['an unknown field', safetensorsBytes('{"a":{"strides":[1]}}'), /tensor "a": unknown field "strides"/],
    ['an unknown dtype', safetensorsBytes(`{${good.replace('F32', 'F4')}}`, 8), /tensor "a": unknown dtype.*got "F4"/],
    ['an inherited dtype', safetensorsBytes(`{${good.replace('F32', 'toString')}}`, 8), /unknown dtype/],
    ['a negative size', safetensorsBytes(`{${f32('a', '[-2]', '[0,8]')}}`, 8), /integer in 0/],
    ['minus zero', safetensorsBytes(`{${f32('a', '[-0]', '[0,0]')}}`), /integer in 0/],
    ['a fraction', safetensorsBytes(`{${f32('a', '[2.0]', '[0,8]')}}`, 8), /integer in 0/],
    ['an exponent', safetensorsBytes(`{${f32('a', '[2e0]', '[0,8]')}}`, 8), /integer in 0/],
    ['a leading zero', safetensorsBytes(`{${f32('a', '[02]', '[0,8]')}}`, 8), /integer in 0/],
    ['a size of 2^53', safetensorsBytes(`{${f32('a', '[9007199254740992]', '[0,8]')}}`, 8), /integer in 0/],
    ['a text for a size', safetensorsBytes(`{${f32('a', '["2"]', '[0,8]')}}`, 8), /integer in 0/],
    ['a product beyond 2^53', safetensorsBytes(`{${f32('a', '[4294967296,4294967296]', '[0,0]')}}`), /shape too large/],
    [
      'a product that wraps to 8',
      safetensorsBytes(`{${f32('a', '[4611686018427387906,4]', '[0,8]')}}`, 8),
      /integer in 0/,
    ],
    ['65 axes', safetensorsBytes(`{${f32('a', `[${'1,'.repeat(64)}1]`, '[0,4]')}}`, 4), /list too long/],
    ['three offsets', safetensorsBytes(`{${f32('a', '[2]', '[0,8,8]')}}`, 8), /list too long/],
    ['one offset', safetensorsBytes(`{${f32('a', '[2]', '[8]')}}`, 8), /incomplete entry/],
    ['reversed offsets', safetensorsBytes(`{${f32('a', '[2]', '[8,0]')}}`, 8), /bad data_offsets/],
    [
      'offsets beyond the end',
      safetensorsBytes(`{${f32('a', '[2]', '[0,8]')}}`, 4),
      /the file is truncated; expected \d+ bytes/,
    ],
    [
      'offsets of another size',
      safetensorsBytes(`{${f32('a', '[3]', '[0,8]')}}`, 8),
      /expected 12 bytes for F32 \[3\]; got 8/,
    ],
    [
      'an overlap',
      safetensorsBytes(`{${good},${f32('b', '[2]', '[4,12]')}}`, 12),
      /tensor "b": overlaps another tensor/,
    ],
    ['the same bytes twice', safetensorsBytes(`{${good},${f32('b', '[2]', '[0,8]')}}`, 8), /overlaps another tensor/],
    [
      'a hole',
      safetensorsBytes(`{${good},${f32('b', '[1]', '[12,16]')}}`, 16),
      /tensor "b": bytes before it belong to no/,
    ],
    ['a hole at the end', safetensorsBytes(`{${good}}`, 9), /bytes at the end belong to no tensor/],
    ['deep nesting', safetensorsBytes(`{"a":${'{"a":'.repeat(100)}`), /unknown field/],
    [
      'a name of 1000 letters',
      safetensorsBytes(`{"${'n'.repeat(1000)}":{}}`),
      /tensor "n{80}\.\.\.": incomplete entry$|; exp/,
    ],
  ]
  for (const [what, bytes, message] of table) {
    const error = await open(bytes).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    t.ok(error instanceof FileError, `${what} is refused`)
    if (!(error instanceof FileError)) continue
    t.match(error.message, message, what)
    t.match(error.message, /^x\.safetensors: [^\n]{1,400}$/, 'one short line that begins with the name of the file')
  }
})

await t.test('a write that fails leaves the old file and nothing else', async t => {
  const folder = t.testdir({ 'a.safetensors': 'old' })
  const path = join(folder, 'a.safetensors')
  const one = entry('a', 'f32', [2])
  const untouched = () => {
    t.strictSame(readdirSync(folder), ['a.safetensors'])
    t.equal(readFileSync(path, 'utf8'), 'old')
  }
  const broken = () => Promise.reject(new Error('device lost'))
  await t.rejects(writeSafetensors(path, [one, { ...one, name: 'b', data: broken }]), { message: 'device lost' })
  untouched()
  await t.rejects(writeSafetensors(path, [one, { ...one, name: 'b', shape: [3] }]), ShapeError)
  untouched()
  await t.rejects(writeSafetensors(path, [{ ...one, data: new Int32Array(2) }]), {
    name: 'ShapeError',
    message: /tensor "a": data does not fit; expected Float32Array of 2 for f32 \[2\]; got Int32Array of 2/,
  })
  untouched()
  for (const shape of [[-1], [0.5], [NaN], [2 ** 52, 2 ** 52]])
    await t.rejects(writeSafetensors(path, [{ ...one, shape }]), ShapeError)
  await t.rejects(writeSafetensors(path, [one, one]), UsageError)
  await t.rejects(writeSafetensors(path, [{ ...one, name: '__metadata__' }]), UsageError)
  untouched()
  await t.rejects(writeSafetensors(join(folder, 'none', 'a'), [one]), { name: 'FileError', message: /ENOENT/ })
  await writeSafetensors(path, [{ ...one, data: async () => Float32Array.of(1, 2) }])
  t.strictSame(readdirSync(folder), ['a.safetensors'])
  const written = await openSafetensors(path)
  t.strictSame((await written.read('a')).data, Float32Array.of(1, 2))
  await written.close()
})

await t.test('a checkpoint in shards acts as one file', async t => {
  const folder = t.testdir()
  const path = join(folder, 'model.safetensors')
  const index = `${path}.index.json`
  await writeSafetensors(join(folder, 'model-1.safetensors'), samples.slice(0, 3))
  await writeSafetensors(join(folder, 'model-2.safetensors'), samples.slice(3))
  const weightMap = samples.map(({ name }, i) => [name, i < 3 ? 'model-1.safetensors' : 'model-2.safetensors'] as const)
  const write = (map: (readonly [string, unknown])[]) =>
    writeFileSync(
      index,
      `{"metadata":{"total_size":90},"weight_map":{${map.map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`)}}}`,
    )
  write(weightMap)
  for (const name of [path, index]) {
    const file = await openCheckpoint(name)
    t.equal(file.metadata.get('total_size'), '90')
    t.strictSame(
      [...file.tensors.keys()],
      samples.map(({ name }) => name),
    )
    for (const { name, dtype, shape, data } of samples)
      t.strictSame(await file.read(name), { dtype, shape, data }, name)
    await t.rejects(file.read('absent'), { name: 'FileError', message: /no tensor "absent"/ })
    await file.close()
    await t.rejects(file.read('1'), LifetimeError)
  }
  const outside = [
    '../model-1.safetensors',
    '/etc/x.safetensors',
    'a/b.safetensors',
    'a\\b.safetensors',
    'C:x.safetensors',
  ]
  for (const bad of [...outside, '.safetensors', '..', '', 'model.bin', 5, null]) {
    write([['1', bad]])
    await t.rejects(
      openCheckpoint(path),
      { name: 'FileError', message: /bad shard name|expected a string/ },
      String(bad),
    )
  }
  write([['1', 'model-2.safetensors']])
  await t.rejects(openCheckpoint(path), { message: /tensor "1": not in its shard "model-2\.safetensors"/ })
  write([['1', 'model-3.safetensors']])
  await t.rejects(openCheckpoint(path), {
    name: 'FileError',
    message: /model-3\.safetensors: there is no such file/,
  })
  write(Array.from({ length: 513 }, (_, i) => [String(i), `${i}.safetensors`] as const))
  await t.rejects(openCheckpoint(path), { name: 'FileError', message: /too many shards/ })
  write([])
  await t.rejects(openCheckpoint(path), { name: 'FileError', message: /no tensor in the index/ })
  writeFileSync(index, '{"weight_map":')
  await t.rejects(openCheckpoint(path), FileError)
})

await t.test('what is not there or not a file cannot be opened', async t => {
  const folder = t.testdir()
  await t.rejects(openCheckpoint(join(folder, 'none')), { name: 'FileError', message: /there is no such file/ })
  await t.rejects(openSafetensors(folder), { name: 'FileError', message: /not a regular file/ })
})
