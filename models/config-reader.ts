// Reading a model's config.json: every field is bounded before it decides the size of anything, and all that is wrong
// is told at once.

import { quote, quoteValue } from '../tensor/files/quote.js'
import { FileError } from '../tensor/index.js'

const maxText = 2 ** 20
const problemsShown = 8

/** The fields of a JSON object, none of them checked; throws a FileError if the text is none. `kind`: what it should be. */
export function parseObject(where: string, text: string, kind = 'configuration'): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new FileError({ where, what: 'bad JSON', got: quote(String(cause)) }, { cause })
  }
  if (!isObject(value)) throw new FileError({ where, what: `not a ${kind}`, expected: 'a JSON object' })
  return value
}

/** Whether a value out of JSON is an object, and no list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

export interface IntegerBounds {
  /** Default: 1. */
  min?: number
  max: number
  /** Taken where the file does not have the field. */
  default?: number
}

/** Asks a configuration for its fields one by one; what does not fit is collected until `finish`. */
export class ConfigReader {
  readonly #fields: ReadonlyMap<string, unknown>
  readonly #asked = new Set<string>()
  readonly #problems: string[]
  /** What stands before the names of fields in messages: `camera.`. */
  readonly #path: string
  /** What messages call the whole. */
  readonly #kind: string

  /**
   * `content` is the whole text of a file, or an object found in one, at `path`; throws a FileError if the text is no
   * JSON object. `where` names the file in messages, `kind` says what it is.
   */
  constructor(
    readonly where: string,
    content: string | Record<string, unknown>,
    { kind = 'configuration', path = '', problems = [] as string[] } = {},
  ) {
    if (typeof content === 'string' && content.length > maxText)
      throw new FileError({ where, what: 'too long', expected: `${maxText} characters`, got: String(content.length) })
    this.#fields = new Map(Object.entries(typeof content === 'string' ? parseObject(where, content, kind) : content))
    this.#kind = kind
    this.#path = path
    this.#problems = problems
  }

  /** An object within; its problems are told with the rest. */
  object(name: string): ConfigReader {
    return this.#nested(name, this.value(name))
  }

  /** A list of minItems to maxItems objects. */
  objects(name: string, maxItems: number, minItems = 0): ConfigReader[] {
    const list = { min: minItems, max: maxItems, of: 'objects' }
    return this.items(name, list, (place, item) => this.#nested(place, item))
  }

  /** A list of min to max items; `of` is what messages call them, `read` is told the place and the value of each. */
  items<T>(
    name: string,
    { min, max, of }: { min: number; max: number; of: string },
    read: (place: string, item: unknown) => T,
  ): T[] {
    const value = this.value(name)
    if (Array.isArray(value) && value.length >= min && value.length <= max)
      return value.map((item, i) => read(`${name}[${i}]`, item))
    this.problem(name, `a list of ${min}..${max} ${of}`, value)
    return []
  }

  /** Whether the file has the field. */
  has(name: string): boolean {
    return this.value(name) !== undefined
  }

  /** A field as it stands there, unchecked; undefined where the file does not have it. */
  value(name: string): unknown {
    this.#asked.add(name)
    return this.#fields.get(name)
  }

  /** A list of `length` numbers in min..max. */
  numbers(name: string, length: number, { min, max }: { min: number; max: number }): number[] {
    const value = this.value(name)
    const fits = (item: unknown) => typeof item === 'number' && item >= min && item <= max
    if (Array.isArray(value) && value.length === length && value.every(fits)) return value as number[]
    this.problem(name, `${length} numbers in ${min}..${max}`, value)
    return new Array<number>(length).fill(min)
  }

  /** An integer in min..max. */
  integer(name: string, bounds: IntegerBounds): number {
    return this.#integer(name, this.value(name) ?? bounds.default, bounds)
  }

  /** The same, undefined where the file does not have the field. */
  optionalInteger(name: string, bounds: IntegerBounds): number | undefined {
    return this.value(name) === undefined ? undefined : this.integer(name, bounds)
  }

  /** A list of 1..maxLength integers in min..max. */
  integers(name: string, maxLength: number, bounds: IntegerBounds): number[] {
    const list = { min: 1, max: maxLength, of: 'items' }
    return this.items(name, list, (place, item) => this.#integer(place, item, bounds))
  }

  /** One integer for each of `length` places: a list of that length, or a single integer for all of them. */
  integerPerPlace(name: string, length: number, bounds: IntegerBounds): number[] {
    const value = this.value(name) ?? bounds.default
    if (!Array.isArray(value)) return new Array<number>(length).fill(this.#integer(name, value, bounds))
    if (value.length !== length) {
      this.problem(name, `${length} integers`, value)
      return new Array<number>(length).fill(bounds.min ?? 1)
    }
    return Array.from({ length }, (_, i) => this.#integer(`${name}[${i}]`, value[i], bounds))
  }

  /** An integer, or a list of two. */
  integerOrPair(name: string, bounds: IntegerBounds): number | [number, number] {
    if (!Array.isArray(this.value(name))) return this.integer(name, bounds)
    const [first, second] = this.integerPerPlace(name, 2, bounds)
    return [first, second]
  }

  /** A finite number in min..max. */
  number(name: string, { min, max, default: given }: { min: number; max: number; default?: number }): number {
    const value = this.value(name) ?? given
    if (typeof value === 'number' && value >= min && value <= max) return value
    this.problem(name, `a number in ${min}..${max}`, value)
    return min
  }

  /** One of the given words. */
  word<W extends string>(name: string, words: readonly W[], given?: W): W {
    return this.#word(name, this.value(name) ?? given, words)
  }

  /** true or false. */
  flag(name: string, given: boolean): boolean {
    const value = this.value(name) ?? given
    if (typeof value === 'boolean') return value
    this.problem(name, 'true or false', value)
    return given
  }

  /** A text of 1..maxLength characters. */
  text(name: string, maxLength: number): string {
    const value = this.value(name)
    if (typeof value === 'string' && value.length >= 1 && value.length <= maxLength) return value
    this.problem(name, `a text of 1..${maxLength} characters`, value)
    return ''
  }

  /** The same, undefined where the file does not have the field. */
  optionalText(name: string, maxLength: number): string | undefined {
    return this.value(name) === undefined ? undefined : this.text(name, maxLength)
  }

  /** A list of 1..maxLength of the given words. */
  words<W extends string>(name: string, maxLength: number, words: readonly W[]): W[] {
    return this.items(name, { min: 1, max: maxLength, of: 'items' }, (place, item) => this.#word(place, item, words))
  }

  /** A list of up to maxItems texts of 1..maxLength characters; none where the file does not have the field. */
  texts(name: string, { maxItems, maxLength }: { maxItems: number; maxLength: number }): string[] {
    const value = this.value(name) ?? []
    const isText = (item: unknown) => typeof item === 'string' && item.length >= 1 && item.length <= maxLength
    if (Array.isArray(value) && value.length <= maxItems && value.every(isText)) return value as string[]
    this.problem(name, `a list of at most ${maxItems} texts of 1..${maxLength} characters`, value)
    return []
  }

  /** Notes a problem unless the field is one of the given values; undefined among them stands for its absence. */
  oneOf(name: string, values: readonly (string | number | boolean | null | undefined)[]): void {
    const value = this.value(name)
    if (values.some(allowed => allowed === value)) return
    const named = values.filter(allowed => allowed !== undefined)
    this.problem(name, named.map(quoteValue).join(' or '), value)
  }

  /** Notes a problem unless the field is a list of just these numbers, or absent. */
  fixedNumbers(name: string, numbers: readonly number[]): void {
    const value = this.value(name)
    const same = Array.isArray(value) && value.length === numbers.length && value.every((n, i) => n === numbers[i])
    if (value !== undefined && !same) this.problem(name, `the list ${numbers.join(', ')}`, value)
  }

  /** Notes a problem unless `holds`; for conditions between fields. */
  check(holds: boolean, name: string, expected: string, got: unknown): void {
    if (!holds) this.problem(name, expected, got)
  }

  /** Notes a problem for each field that nobody has asked for: in a file of our own they are slips of the pen. */
  close(): void {
    const known = [...this.#asked].join(', ')
    for (const name of this.#fields.keys())
      if (!this.#asked.has(name)) this.#problems.push(`${quote(this.#path + name)} is none of ${known}`)
  }

  /** Throws one FileError if there was any problem. Until then the values that were read may be stand-ins. */
  finish(): void {
    const problems = this.#problems
    if (problems.length === 0) return
    const rest = problems.length - problemsShown
    const what = problems.slice(0, problemsShown).join(', ') + (rest > 0 ? ` and ${rest} more` : '')
    throw new FileError({ where: this.where, what: `bad ${this.#kind}: ${what}` })
  }

  /** `close`, then `finish`. */
  finishClosed(): void {
    this.close()
    this.finish()
  }

  /** Notes that a field is not what was expected. */
  problem(name: string, expected: string, got: unknown): void {
    this.#problems.push(`${this.#path}${name} must be ${expected}, not ${quoteValue(got)}`)
  }

  #nested(name: string, value: unknown): ConfigReader {
    if (!isObject(value)) this.problem(name, 'an object', value)
    return new ConfigReader(this.where, isObject(value) ? value : {}, {
      kind: this.#kind,
      path: `${this.#path}${name}.`,
      problems: this.#problems,
    })
  }

  #integer(name: string, value: unknown, { min = 1, max }: IntegerBounds): number {
    if (Number.isInteger(value) && Number(value) >= min && Number(value) <= max) return Number(value)
    this.problem(name, `an integer in ${min}..${max}`, value)
    return min
  }

  #word<W extends string>(name: string, value: unknown, words: readonly W[]): W {
    const found = words.find(word => word === value)
    if (found === undefined) this.problem(name, `one of ${words.join(', ')}`, value)
    return found ?? words[0]
  }
}
