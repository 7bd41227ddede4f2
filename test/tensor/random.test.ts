// test/golden/random.safetensors was made by torch 2.6.0 on a CPU: for each seed one fresh generator per
// randn/<seed>/<n>; one for sequence a, b, c in this order; one for rand(64), randint(0, 1000, 64), randperm(50) in
// this order.

import t, { type Test } from 'tap'
import { type LoadedTensor, openSafetensors } from '../../tensor/files/index.js'
import { Generator } from '../../tensor/random.js'
import { UsageError } from '../../tensor/errors.js'
import { golden } from '../support/paths.js'

const seeds = [0, 1, 42, 123, 2147483655]

const tensors = new Map<string, LoadedTensor>()
t.before(async () => {
  const file = await openSafetensors(golden('random.safetensors'))
  for (const name of file.tensors.keys()) tensors.set(name, await file.read(name))
  await file.close()
})

function expected(name: string): LoadedTensor['data'] {
  const tensor = tensors.get(name)
  if (!tensor) throw new Error(`no golden tensor ${name}`)
  return tensor.data
}

/** The bits of float32 numbers, so ordered that neighbours differ by 1. */
function ordered(values: ArrayLike<number>): Int32Array {
  const bits = new Int32Array(Float32Array.from(values).buffer)
  return bits.map(b => (b < 0 ? -0x80000000 - b : b))
}

function same(t: Test, got: ArrayLike<number>, name: string, ulps = 0): void {
  const want = expected(name)
  const [a, b] = ulps > 0 ? [ordered(got), ordered(want)] : [got, want]
  let worst = 0
  for (let i = 1; i < b.length; i++) if (Math.abs(a[i] - b[i]) > Math.abs(a[worst] - b[worst])) worst = i
  const distance = Math.abs(a[worst] - b[worst])
  t.ok(got.length === want.length && distance <= ulps, `${name}: at ${worst} got ${got[worst]}, want ${want[worst]}`)
}

// Below 16 numbers torch computes in float64, as we do. From 16 on it uses float32 approximations of logarithm, sine
// and cosine (which ones depends on its build and the processor); each is off by up to about 1 unit in the last place,
// and their product by up to 3 of the correctly rounded functions that we use.
const tolerance = (n: number) => (n < 16 ? 0 : 3)

await t.test('normal numbers of every length are those of torch', async t => {
  for (const seed of seeds)
    for (const n of [1, 5, 15, 16, 17, 31, 32, 33, 100, 1024])
      same(t, new Generator(seed).randn(n), `randn/${seed}/${n}`, tolerance(n))
})

await t.test('draws follow each other as in torch, the odd one out waiting for the next', async t => {
  for (const seed of seeds) {
    const generator = new Generator(seed)
    for (const [part, n] of [
      ['a', 120],
      ['b', 7],
      ['c', 1024],
    ] as const)
      same(t, generator.randn(n), `sequence/${seed}/${part}`, tolerance(n))
  }
})

await t.test('uniform numbers, integers and permutations are exactly those of torch', async t => {
  for (const seed of seeds) {
    const generator = new Generator(seed)
    same(t, generator.rand(64), `rand/${seed}/64`)
    same(t, generator.randint(0, 1000, 64), `randint/${seed}/64`)
    same(t, generator.randperm(50), `randperm/${seed}/50`)
  }
})

await t.test('a generator goes on from a stored state, in the middle of a pair of normal numbers', async t => {
  const generator = new Generator(7)
  generator.randn(3)
  const state = JSON.stringify(generator.state())
  const copy = Generator.from(JSON.parse(state))
  t.strictSame(copy.randn(1000), generator.randn(1000))
  t.strictSame(copy.randn(5), generator.randn(5))
  t.strictSame(JSON.stringify(copy.state()), JSON.stringify(generator.state()))
  t.strictSame(Generator.from(JSON.parse(state)).randn(1)[0], new Generator(7).randn(4)[3])
})

await t.test('only the low 32 bits of a seed count, as in torch', async t => {
  t.strictSame(new Generator(2n ** 40n + 7n).rand(4), new Generator(7).rand(4))
  t.strictSame(new Generator(2 ** 52 + 7).rand(4), new Generator(7n).rand(4))
})

await t.test('what cannot be a seed, a count, a bound or a state is refused', async t => {
  for (const seed of [-1, 1.5, NaN, Infinity, 2 ** 53, -1n, 2n ** 64n])
    t.throws(() => new Generator(seed), UsageError, `seed ${seed}`)
  const generator = new Generator(0)
  for (const n of [-1, 0.5, NaN, 2 ** 31]) {
    t.throws(() => generator.rand(n), UsageError)
    t.throws(() => generator.randn(n), UsageError)
    t.throws(() => generator.randint(0, 2, n), UsageError)
    t.throws(() => generator.randperm(n), UsageError)
  }
  for (const [low, high] of [
    [1, 1],
    [0, 2 ** 28],
    [0.5, 2],
    [2 ** 31, 2 ** 31 + 2],
    [NaN, 1],
  ])
    t.throws(() => generator.randint(low, high, 1), UsageError, `${low}..${high}`)
  const state = generator.state()
  for (const change of [{ words: [1] }, { words: [...state.words.slice(1), -1] }, { used: 625 }, { nextNormal: NaN }])
    t.throws(() => Generator.from({ ...state, ...change }), UsageError)
  t.strictSame(generator.randn(0).length, 0)
  t.strictSame([...generator.randperm(1)], [0])
})
