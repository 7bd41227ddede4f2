// Random numbers of the host, the same as torch's CPU generator gives, so that a seed makes here what it makes there.
// Ported from pytorch/pytorch: aten/src/ATen/core/MT19937RNGEngine.h, core/DistributionsHelper.h,
// native/cpu/DistributionTemplates.h and native/TensorFactories.cpp (randperm). What differs: logarithm, sine and
// cosine are taken in float64 and rounded once, where torch uses float32 approximations that depend on its build and on
// the processor: normal numbers of the block algorithm differ by up to 3 units in the last place, everything else by
// none.

import { UsageError } from './errors.js'

const words = 624
const shift = 397
const maxCount = 2 ** 31 - 1
const twoPi = Math.fround(2 * Math.PI)

/** Everything a generator remembers; plain numbers, safe to store as JSON. */
export interface GeneratorState {
  /** The 624 words of the Mersenne twister, unsigned. */
  words: number[]
  /** How many of the words are used up, 0..624. */
  used: number
  /** Second value of the last pair of normal numbers, if it waits to be given out. */
  nextNormal: number | null
}

function isCount(value: unknown, max: number): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max
}

function checkCount(where: string, n: number, max = maxCount): void {
  if (!isCount(n, max))
    throw new UsageError({ where, what: 'bad count', expected: `an integer in 0..${max}`, got: String(n) })
}

/** torch.Generator('cpu'): a Mersenne twister (mt19937) and torch's ways to make numbers of its 32-bit words. */
export class Generator {
  private readonly state32 = new Uint32Array(words)
  private used = words
  private nextNormal: number | null = null

  /** `seed`: an integer in 0..2^53-1, or a bigint in 0..2^64-1; as in torch only its low 32 bits count. */
  constructor(seed: number | bigint) {
    const valid = typeof seed === 'bigint' ? seed >= 0n && seed < 2n ** 64n : Number.isSafeInteger(seed) && seed >= 0
    if (!valid)
      throw new UsageError({
        where: 'Generator',
        what: 'bad seed',
        expected: 'a non-negative safe integer, or a bigint below 2^64',
        got: String(seed),
      })
    const state = this.state32
    state[0] = Number(BigInt.asUintN(32, BigInt(seed)))
    for (let i = 1; i < words; i++) state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i
  }

  /**
   * A generator that goes on where `state()` was taken; throws a UsageError if its fields are not as they should be.
   */
  static from(state: GeneratorState): Generator {
    const { words: list, used, nextNormal } = state
    const valid =
      Array.isArray(list) &&
      list.length === words &&
      list.every(word => isCount(word, 0xffffffff)) &&
      isCount(used, words) &&
      (nextNormal === null || Number.isFinite(nextNormal))
    if (!valid)
      throw new UsageError({
        where: 'Generator.from',
        what: 'bad state',
        expected: `${words} unsigned 32-bit words, a count of used words and a finite number or null`,
      })
    const generator = new Generator(0)
    generator.state32.set(list)
    generator.used = used
    generator.nextNormal = nextNormal
    return generator
  }

  /** A copy of everything that later draws depend on. */
  state(): GeneratorState {
    return { words: [...this.state32], used: this.used, nextNormal: this.nextNormal }
  }

  /** `n` float32 numbers in [0, 1), multiples of 2^-24: torch.rand. */
  rand(n: number): Float32Array {
    checkCount('rand', n)
    const out = new Float32Array(n)
    for (let i = 0; i < n; i++) out[i] = this.uniform24()
    return out
  }

  /**
   * `n` float32 numbers of mean 0 and variance 1: torch.randn of a contiguous tensor. As in torch the numbers depend on
   * `n`: below 16 they come in pairs from float64 uniforms, from 16 on in blocks of 16 float32 uniforms.
   */
  randn(n: number): Float32Array {
    checkCount('randn', n)
    const out = new Float32Array(n)
    if (n < 16) {
      for (let i = 0; i < n; i++) out[i] = this.normal()
      return out
    }
    for (let i = 0; i < n; i++) out[i] = this.uniform24()
    for (let i = 0; i + 16 <= n; i += 16) boxMuller16(out, i)
    if (n % 16 !== 0) {
      // An incomplete last block is not filled up: torch draws the last 16 values anew, over those already made.
      for (let i = n - 16; i < n; i++) out[i] = this.uniform24()
      boxMuller16(out, n - 16)
    }
    return out
  }

  /** `n` integers in low..high-1: torch.randint. Its versions agree for ranges below 2^28; no others are taken. */
  randint(low: number, high: number, n: number): Int32Array {
    checkCount('randint', n)
    const range = high - low
    const valid = Number.isInteger(low) && Number.isInteger(high) && low >= -(2 ** 31) && high <= 2 ** 31
    if (!valid || range < 1 || range >= 2 ** 28)
      throw new UsageError({
        where: 'randint',
        what: 'bad bounds',
        expected: 'integers -2^31 <= low < high <= 2^31, less than 2^28 apart',
        got: `${low} and ${high}`,
      })
    const out = new Int32Array(n)
    for (let i = 0; i < n; i++) out[i] = low + (this.word() % range)
    return out
  }

  /** The integers 0..n-1 in random order: torch.randperm, which from 2^32 / 20 on has another algorithm. */
  randperm(n: number): Int32Array {
    checkCount('randperm', n, Math.floor((2 ** 32 - 1) / 20) - 1)
    const out = new Int32Array(n)
    for (let i = 0; i < n; i++) out[i] = i
    for (let i = 0; i < n - 1; i++) {
      const other = i + (this.word() % (n - i))
      const value = out[i]
      out[i] = out[other]
      out[other] = value
    }
    return out
  }

  /** The next 32 bits, unsigned. */
  private word(): number {
    if (this.used === words) this.twist()
    let y = this.state32[this.used++]
    y ^= y >>> 11
    y ^= (y << 7) & 0x9d2c5680
    y ^= (y << 15) & 0xefc60000
    return (y ^ (y >>> 18)) >>> 0
  }

  private twist(): void {
    const state = this.state32
    for (let i = 0; i < words; i++) {
      const y = (state[i] & 0x80000000) | (state[(i + 1) % words] & 0x7fffffff)
      state[i] = state[(i + shift) % words] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0)
    }
    this.used = 0
  }

  private uniform24(): number {
    return (this.word() & 0xffffff) * 2 ** -24
  }

  private uniform53(): number {
    const high = this.word() & 0x1fffff
    return (high * 2 ** 32 + this.word()) * 2 ** -53
  }

  private normal(): number {
    if (this.nextNormal !== null) {
      const value = this.nextNormal
      this.nextNormal = null
      return value
    }
    const theta = 2 * Math.PI * this.uniform53()
    const radius = Math.sqrt(-2 * Math.log1p(-this.uniform53()))
    this.nextNormal = radius * Math.sin(theta)
    return radius * Math.cos(theta)
  }
}

/**
 * Box-Muller on 16 uniforms in place: number j gives the radius, number j + 8 the angle, of the results j and j + 8.
 */
function boxMuller16(data: Float32Array, start: number): void {
  for (let j = start; j < start + 8; j++) {
    const radius = Math.fround(Math.sqrt(Math.fround(-2 * Math.fround(Math.log(1 - data[j])))))
    const theta = Math.fround(twoPi * data[j + 8])
    data[j] = radius * Math.fround(Math.cos(theta))
    data[j + 8] = radius * Math.fround(Math.sin(theta))
  }
}
