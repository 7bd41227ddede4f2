// Tens of thousands of damaged files, the same ones on every run: each is refused with a FileError, or what it says is
// true, and none makes its reader ask for much more memory than the file has bytes.

import t, { type Test } from 'tap'
import { FileError } from '../../tensor/errors.js'
import { type ByteSource, MemorySource, NpzFile, readNpy, SafetensorsFile } from '../../tensor/files/index.js'
import { Generator } from '../../tensor/random.js'
import { sizeOf } from '../../tensor/shape.js'
import { AllocationProbe } from '../support/allocations.js'
import { npyBytes, npyHeader, safetensorsBytes, zipBytes, type ZipPart } from '../support/files.js'

/** What a reader may ask for at once beyond twice the size of the file. */
const allowance = 65_536

class Dice {
  private readonly random: Generator

  constructor(seed: number) {
    this.random = new Generator(seed)
  }

  below(n: number): number {
    return this.random.randint(0, n, 1)[0]
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]
  }
}

const numbers = ['-1', '-0', '0', '00', '1e3', '2.0', '1e400', '-1e-9', 'NaN', 'Infinity', '0x10', '255', '65536']
numbers.push('2147483648', '4294967295', '4294967296', '9007199254740991', '9007199254740992', '18446744073709551615')
numbers.push('9'.repeat(400), '4611686018427387906', '1048576', '268435456')
const words = ['F64', 'I8', 'BOOL', 'F4', 'toString', '__proto__', '__metadata__', 'dtype', 'shape', 'data_offsets']
words.push('descr', 'fortran_order', '<f8', '|O', '>f4', '|b1', '\\', '\\u0061', '\n', '', '\u00fc', 'n'.repeat(500))
const nested = [1, 2, 31, 32, 33, 5000].flatMap(n => [
  '['.repeat(n) + ']'.repeat(n),
  '{"a":'.repeat(n) + '1' + '}'.repeat(n),
])
nested.push('[', '{', '(', '((1,),)', '[1,[2]]', '{"a":{}}', 'null', 'true', 'True', '"x"')
const punctuation = '{}[]()",:\'0123456789-e.\\ _\0\u00ff'

/** `text` with the match of `pattern` that the dice choose replaced. */
function replaceOne(text: string, pattern: RegExp, dice: Dice, replacement: string): string {
  const found = [...text.matchAll(pattern)]
  if (found.length === 0) return text
  const { index, 0: old } = dice.of(found)
  return text.slice(0, index) + replacement + text.slice(index + old.length)
}

/** A header, as text, with one thing changed. */
function damageText(text: string, dice: Dice): string {
  const [from, to] = [dice.below(text.length + 1), dice.below(text.length + 1)].sort((a, b) => a - b)
  const fields = text.split(',')
  switch (dice.below(9)) {
    case 0:
    case 1:
      return replaceOne(text, /\d+/g, dice, dice.of(numbers))
    case 2:
      return replaceOne(text, /(?<=["'])[^"']*(?=["'])/g, dice, dice.of(words))
    case 3:
      return replaceOne(text, /\[[^\]]*\]|\([^)]*\)|"[^"]*"|\d+/g, dice, dice.of(nested))
    case 4:
      return replaceOne(text, /[^]/g, dice, dice.of([...punctuation]))
    case 5:
      fields.splice(dice.below(fields.length), 0, dice.of(fields))
      return fields.join(',')
    case 6:
      return text.slice(0, to)
    case 7:
      return text.slice(0, from) + text.slice(to)
    default:
      return text.slice(0, to) + text.slice(from)
  }
}

const fieldValues = [0n, 1n, 0x7fn, 0xffn, 0xffffn, 0x10000n, 0x7fffffffn, 0x80000000n, 0xfffffffen, 0xffffffffn]
fieldValues.push(2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n)

/** The bytes with one thing changed, about half of the time between `start` and `end`. */
function damageBytes(bytes: Uint8Array, dice: Dice, start: number, end: number): Uint8Array {
  if (bytes.length === 0) return bytes
  const out = bytes.slice()
  const focus = dice.below(2) === 0 && start < end
  const at = focus ? Math.min(start + dice.below(end - start), bytes.length - 1) : dice.below(bytes.length)
  const view = new DataView(out.buffer)
  const value = dice.of(fieldValues)
  switch (dice.below(7)) {
    case 0:
      out[at] ^= 1 << dice.below(8)
      return out
    case 1:
      out[at] = dice.below(256)
      return out
    case 2:
      if (at + 8 <= out.length) view.setBigUint64(at, value, true)
      return out
    case 3:
      if (at + 4 <= out.length) view.setUint32(at, Number(value & 0xffffffffn), true)
      return out
    case 4:
      if (at + 2 <= out.length) view.setUint16(at, Number(value & 0xffffn), true)
      return out
    case 5:
      return out.slice(0, at)
    default:
      return out.copyWithin(at, dice.below(out.length), dice.below(out.length + 1))
  }
}

/** A file in memory that notes the longest range that was asked for, granted or not. */
class Watched extends MemorySource {
  longest = 0

  override async read(offset: number, length: number): Promise<Uint8Array> {
    this.longest = Math.max(this.longest, length)
    return super.read(offset, length)
  }
}

interface Family {
  readonly seed: number
  readonly rounds: number
  /** One damaged file. */
  readonly make: (dice: Dice, round: number) => Uint8Array
  /** Reads all there is; what it returns is wrong with a file that was not refused. */
  readonly read: (source: ByteSource) => Promise<string | undefined>
  /** At least so many kinds of error must have come up: the damage reaches every check, not the first one alone. */
  readonly kinds: number
}

async function survive(t: Test, { seed, rounds, make, read, kinds }: Family): Promise<void> {
  const dice = new Dice(seed)
  const probe = new AllocationProbe(t)
  const seen = new Set<string>()
  const wrong: string[] = []
  let refused = 0
  for (let round = 0; round < rounds; round++) {
    const source = new Watched('x', make(dice, round))
    probe.reset()
    const flaw = await read(source).catch((error: unknown) => {
      refused++
      if (!(error instanceof FileError)) return error instanceof Error ? error.stack : String(error)
      if (/[\n\r]/.test(error.message)) return `an error of several lines: ${error.message}`
      seen.add(error.parts.what.replace(/".*"|\d+/g, ''))
    })
    if (flaw !== undefined) wrong.push(`round ${round}: ${flaw}`)
    const { size, longest } = source
    if (longest > size) wrong.push(`round ${round}: asks for ${longest} bytes of ${size}`)
    if (probe.largest > 2 * size + allowance)
      wrong.push(`round ${round}: allocates ${probe.largest} bytes for a file of ${size}`)
  }
  t.strictSame(wrong.slice(0, 5), [])
  t.ok(refused > rounds / 2 && refused < rounds, `${refused} of ${rounds} refused`)
  t.ok(seen.size >= kinds, `${seen.size} kinds of error: ${[...seen].join(', ')}`)
}

await t.test('12,000 damaged safetensors files', async t => {
  const tensors = [
    ['a', 'F32', [2, 3], 24],
    ['blocks.0.weight', 'F16', [5], 10],
    ['signed', 'I8', [4], 4],
    ['wide', 'F64', [1, 1], 8],
    ['long', 'I64', [2], 16],
    ['none', 'U8', [3, 0], 0],
    ['one', 'BF16', [], 2],
  ] as const
  let end = 0
  const fields = tensors.map(([name, dtype, shape, size]) => [
    name,
    { dtype, shape, data_offsets: [end, (end += size)] },
  ])
  const text = JSON.stringify({ __metadata__: { format: 'pt' }, ...Object.fromEntries(fields) })
  const data = new Uint8Array(end)
  const whole = safetensorsBytes(text, data)
  await survive(t, {
    seed: 1,
    rounds: 12_000,
    make: (dice, round) => {
      if (round % 3 === 0) return damageBytes(whole, dice, 0, 8)
      const damaged = safetensorsBytes(damageText(text, dice), data)
      return round % 3 === 1 ? damaged : damageBytes(damaged, dice, 8, 8 + text.length)
    },
    read: async source => {
      const file = await SafetensorsFile.open(source)
      for (const [name, { shape, byteSize }] of file.tensors) {
        const { data } = await file.read(name)
        if (data.length !== sizeOf(shape) || byteSize > source.size) return `${name} is not what its header says`
      }
    },
    kinds: 14,
  })
})

const arrays: [string, string, Uint8Array, string?][] = [
  ['<f4', '(2, 3)', new Uint8Array(24)],
  ['<f8', '(3,)', new Uint8Array(24), 'True'],
  ['<i8', '(2, 2)', new Uint8Array(32), 'True'],
  ['|b1', '(7,)', new Uint8Array(7)],
  ['<u2', '()', new Uint8Array(2)],
  ['<f2', '(300, 20)', new Uint8Array(12_000)],
]

function damagedArray(dice: Dice): Uint8Array {
  const [descr, shape, data, fortran] = dice.of(arrays)
  const version = dice.of([1, 2, 3])
  const header = npyHeader(descr, shape, fortran)
  const kind = dice.below(3)
  const bytes = npyBytes(kind === 0 ? header : damageText(header, dice), data, version)
  return kind === 1 ? bytes : damageBytes(bytes, dice, 6, 12 + header.length)
}

await t.test('12,000 damaged npy files', t =>
  survive(t, {
    seed: 2,
    rounds: 12_000,
    make: damagedArray,
    read: async source => {
      const { data, shape } = await readNpy(source)
      if (data.length !== sizeOf(shape)) return `${data.length} elements for the shape ${shape.join(' ')}`
    },
    kinds: 8,
  }),
)

await t.test('10,000 damaged npz files', async t => {
  const parts: ZipPart[] = arrays.map(([descr, shape, data, fortran], i) => ({
    name: `${'abcdef'[i]}.npy`,
    data: npyBytes(npyHeader(descr, shape, fortran), data),
    deflate: i % 2 === 1,
  }))
  const small = zipBytes(parts.slice(0, 2))
  const directory = small.readUInt32LE(small.length - 6)
  const lies = [0, 1, 30, 1000, 50_000, 1_000_000, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]
  await survive(t, {
    seed: 3,
    rounds: 10_000,
    make: (dice, round) => {
      if (round % 2 === 0) return damageBytes(small, dice, directory, small.length)
      if (round % 4 === 1) return zipBytes([{ name: 'a.npy', data: damagedArray(dice), deflate: round % 16 === 1 }])
      const field = dice.of(['size', 'packed', 'crc', 'offset', 'flags', 'method', 'both'] as const)
      const value = dice.of(lies)
      const lie =
        field === 'both'
          ? { size: value, packed: value }
          : { [field]: ['flags', 'method'].includes(field) ? value % 65_536 : value }
      const part = dice.of(parts)
      return zipBytes([{ ...part, lie }, dice.of(parts)], dice.of([0, 1, 2, 2, 2, 2, 3, 0xffff]))
    },
    read: async source => {
      const file = await NpzFile.open(source)
      for (const name of file.names) {
        const { data, shape } = await file.read(name)
        if (data.length !== sizeOf(shape)) return `${name}: ${data.length} elements for the shape ${shape.join(' ')}`
      }
    },
    kinds: 20,
  })
})

await t.test('headers of megabytes that aim at the stack or at slow searches are refused as well', async t => {
  const many = 2_000_000
  const headers: Record<string, string> = {
    'nested lists': '{"a":' + '['.repeat(many),
    'nested objects': '{"a":'.repeat(many / 4),
    'nested lists as a shape': '{"a":{"shape":' + '['.repeat(many),
    backslashes: `{"${'\\'.repeat(many)}`,
    'escaped quotation marks': `{"${'\\"'.repeat(many / 2)}`,
    digits: `{"a":{"shape":[${'1'.repeat(many)}]}}`,
    spaces: `{${' '.repeat(many)}`,
    'a shape without end': `{"a":{"shape":[${'1,'.repeat(many / 2)}`,
    'a name without end': `{"${'n'.repeat(many)}`,
    'metadata without end': `{"__metadata__":{${Array.from({ length: many / 16 }, (_, i) => `"${i}":""`).join()}`,
    'nested lists in quotation marks': `{"__metadata__":{"a":"${'['.repeat(many)}"},"b":[`,
  }
  for (const [what, header] of Object.entries(headers))
    await t.rejects(SafetensorsFile.open(new MemorySource('x', safetensorsBytes(header))), FileError, what)
  for (const filler of [' ', '(', '1', "'a':", '\n'])
    await t.rejects(
      readNpy(new MemorySource('x', npyBytes(`{'shape': (${filler.repeat(16_000)}`, new Uint8Array(4), 2))),
      FileError,
    )
})

await t.test('a deflated array costs what comes out of it, not what the directory promises', async t => {
  const data = npyBytes(npyHeader('|u1', '(1000,)'), new Uint8Array(1000))
  const padding = Uint8Array.from({ length: 4096 }, (_, i) => (i * i * 31) >> 3)
  const bytes = zipBytes([
    { name: 'a.npy', data: Buffer.concat([data, padding]), deflate: true, lie: { size: 2 ** 20 } },
  ])
  const probe = new AllocationProbe(t)
  const file = await NpzFile.open(new MemorySource('x', bytes))
  await t.rejects(file.read('a'), { name: 'FileError', message: /bad compressed data; expected 1048576 bytes/ })
  t.ok(probe.largest <= 2 * bytes.length + allowance, `${probe.largest} bytes for a file of ${bytes.length}`)
})
