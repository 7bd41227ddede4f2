// What a golden case gives an operator: operands, and parameters out of a file that nobody has checked.

import { quoteValue } from '../../tensor/files/quote.js'
import { FileError, type Runtime, type Shape, type Tensor } from '../../tensor/index.js'
import type { Numbers } from './outcome.js'

const maxInteger = 2 ** 20
const maxList = 8

/** The operands and parameters of one golden case. */
export class OperatorCall {
  /** `where` names the case in messages; `operands` are on the runtime, `values` the same on the host. */
  constructor(
    readonly where: string,
    readonly runtime: Runtime,
    private readonly operands: ReadonlyMap<string, Tensor>,
    private readonly values: ReadonlyMap<string, Numbers>,
    private readonly params: Readonly<Record<string, unknown>>,
    /** Of the output `out`; a size that parameters give is taken from here, where a file stands behind it. */
    readonly outShape: Shape,
  ) {}

  has(name: string): boolean {
    return Object.hasOwn(this.params, name) && this.params[name] !== null
  }

  tensor(name: string): Tensor {
    return this.#find(this.operands, name)
  }

  optional(name: string): Tensor | undefined {
    return this.operands.get(name)
  }

  numbers(name: string): Numbers {
    return this.#find(this.values, name)
  }

  /** A whole number, negative ones for axes counted from the end. */
  integer(name: string, given?: number): number {
    return this.#integer(name, this.params[name] ?? given)
  }

  /** A list of them, of a certain length if it is given. */
  integers(name: string, length?: number): number[] {
    const value = this.params[name]
    if (!Array.isArray(value) || value.length > maxList || value.length !== (length ?? value.length))
      throw this.#bad(name, length === undefined ? `up to ${maxList} integers` : `${length} integers`, value)
    return value.map(item => this.#integer(name, item))
  }

  number(name: string, given?: number): number {
    const value = this.params[name] ?? given
    if (typeof value !== 'number') throw this.#bad(name, 'a number', value)
    return value
  }

  /** Two numbers; one alone stands for both. */
  pair(name: string): [number, number] {
    const value: unknown = this.params[name]
    const [first, second] = Array.isArray(value) ? (value as unknown[]) : [value, value]
    if (typeof first !== 'number' || typeof second !== 'number') throw this.#bad(name, 'two numbers', value)
    return [first, second]
  }

  flag(name: string, given = false): boolean {
    return Boolean(this.params[name] ?? given)
  }

  word<W extends string>(name: string, words: readonly W[], given?: W): W {
    const value = this.params[name] ?? given
    const found = words.find(word => word === value)
    if (found === undefined) throw this.#bad(name, `one of ${words.join(', ')}`, value)
    return found
  }

  text(name: string): string {
    const value = this.params[name]
    if (typeof value !== 'string') throw this.#bad(name, 'a text', value)
    return value
  }

  #integer(name: string, value: unknown): number {
    if (Number.isInteger(value) && Math.abs(Number(value)) <= maxInteger) return Number(value)
    throw this.#bad(name, `an integer of at most ${maxInteger}`, value)
  }

  #find<T>(map: ReadonlyMap<string, T>, name: string): T {
    const found = map.get(name)
    if (found === undefined) throw new FileError({ where: this.where, what: `no operand ${name}` })
    return found
  }

  #bad(name: string, expected: string, got: unknown): FileError {
    return new FileError({ where: this.where, what: `bad parameter ${name}`, expected, got: quoteValue(got) })
  }
}
