// Options as they were typed, or stand in a line of a batch: read one by one, and refused if they are not what they
// should be.

import { quoteValue } from '../../tensor/files/quote.js'
import { UsageError } from '../../tensor/index.js'

/** What was given, by name; nothing of it is checked. */
export type GivenOptions = Readonly<Record<string, unknown>>

/** Asks for options one by one, and throws a UsageError for one that is not what it should be. */
export class OptionReader {
  readonly #given: GivenOptions
  readonly #nameOf: (option: string) => string
  readonly #command: string

  /**
   * @param nameOf what whoever gave an option calls it
   * @param command the command they are options of
   */
  constructor(given: GivenOptions, nameOf: (option: string) => string, command: string) {
    this.#given = given
    this.#nameOf = nameOf
    this.#command = command
  }

  text(name: string): string | undefined {
    const value = this.#given[name]
    if (value === undefined || (typeof value === 'string' && value.trim() !== '')) return value
    throw this.#error(name, value === '' ? 'empty' : 'not a text', value)
  }

  needed(name: string): string {
    const text = this.text(name)
    if (text === undefined)
      throw new UsageError({ where: this.#nameOf(name), what: 'missing', hint: `revision ${this.#command} --help` })
    return text
  }

  number(name: string): number | undefined {
    const value = this.#given[name]
    if (value === undefined || typeof value === 'number') return value
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : NaN
    if (Number.isNaN(number)) throw this.#error(name, 'not a number', value)
    return number
  }

  /** A whole number from 1. */
  count(name: string): number | undefined {
    const value = this.number(name)
    if (value === undefined || (Number.isSafeInteger(value) && value >= 1)) return value
    throw this.#error(name, 'not a number of steps', value)
  }

  flag(name: string): boolean | undefined {
    const value = this.#given[name]
    if (value === undefined || typeof value === 'boolean') return value
    throw this.#error(name, 'not true or false', value)
  }

  #error(name: string, what: string, value: unknown): UsageError {
    return new UsageError({ where: this.#nameOf(name), what, got: quoteValue(value) })
  }
}
