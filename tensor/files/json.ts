// A strict JSON reader for headers that nobody has checked yet. Its caller says at each place which kind of value may
// stand there, so that a hostile header is refused at its first wrong byte instead of becoming a large tree in memory
// first; duplicate keys, which JSON.parse lets pass, are refused.

import { FileError } from '../errors.js'
import { quote } from './quote.js'

const maxDepth = 32
const maxItems = 2 ** 20
const countPattern = /(?:0|[1-9]\d*)(?![\d.eE])/y
const scalarPattern = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const spacePattern = /[ \t\n\r]*/y

/** Decodes UTF-8 strictly; throws a FileError on bytes that are not. */
export function decodeUtf8(where: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new FileError({ where, what: 'not a text', expected: 'UTF-8' }, { cause })
  }
}

/** Walks once through one JSON text; every method reads the value that comes next, or throws a FileError. */
export class JsonReader {
  private readonly where: string
  private readonly text: string
  private at = 0
  private depth = 0

  /** `where` names the file in messages. */
  constructor(where: string, text: string) {
    this.where = where
    this.text = text
  }

  /** Calls `visit` for each key of an object; it has to read the value. */
  object(visit: (key: string) => void): void {
    const keys = new Set<string>()
    this.list('{', '}', () => {
      const key = this.string()
      if (keys.has(key)) throw this.error(`duplicate key ${quote(key)}`)
      keys.add(key)
      this.take(':')
      visit(key)
    })
  }

  /** Calls `visit` for each item of an array; it has to read the item. */
  array(visit: () => void): void {
    this.list('[', ']', visit)
  }

  string(): string {
    this.space()
    if (this.text[this.at] !== '"') throw this.unexpected('a string')
    let end = this.at
    let escaped = true
    while (escaped) {
      end = this.text.indexOf('"', end + 1)
      if (end < 0) throw this.unexpected('a closing quotation mark')
      let first = end
      while (this.text[first - 1] === '\\') first--
      escaped = (end - first) % 2 === 1
    }
    const literal = this.text.slice(this.at, end + 1)
    try {
      const value: unknown = JSON.parse(literal)
      this.at = end + 1
      return String(value)
    } catch {
      throw this.unexpected('a well-formed string')
    }
  }

  /** A number from 0 to 2^53 - 1 without sign, fraction and exponent. */
  count(): number {
    this.space()
    const start = this.at
    const value = Number(this.match(countPattern) ?? NaN)
    if (Number.isSafeInteger(value)) return value
    this.at = start
    throw this.unexpected('an integer in 0..2^53-1')
  }

  /** Any value; strings, numbers, true, false and null come back as text, arrays and objects are passed over. */
  scalar(): string | undefined {
    this.space()
    const first = this.text[this.at]
    if (first === '"') return this.string()
    if (first === '{') this.object(() => void this.scalar())
    else if (first === '[') this.array(() => void this.scalar())
    else {
      const literal = this.match(scalarPattern)
      if (literal === undefined) throw this.unexpected('a value')
      return literal
    }
    return undefined
  }

  /** The end of the text. */
  end(): void {
    this.space()
    if (this.at < this.text.length) throw this.unexpected('the end')
  }

  private list(open: string, close: string, item: () => void): void {
    this.take(open)
    if (++this.depth > maxDepth) throw this.error(`more than ${maxDepth} levels of nesting`)
    this.space()
    for (let items = 0; this.text[this.at] !== close; items++) {
      if (items > 0) this.take(',')
      if (items === maxItems) throw this.error(`more than ${maxItems} items`)
      item()
      this.space()
    }
    this.take(close)
    this.depth--
  }

  private take(char: string): void {
    this.space()
    if (this.text[this.at] !== char) throw this.unexpected(`'${char}'`)
    this.at++
  }

  private space(): void {
    this.match(spacePattern)
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)?.[0]
    if (found !== undefined) this.at += found.length
    return found
  }

  private unexpected(expected: string): FileError {
    const got = this.at < this.text.length ? quote(this.text.slice(this.at, this.at + 20)) : 'the end'
    return new FileError({ where: this.where, what: `bad JSON at character ${this.at}`, expected, got })
  }

  private error(what: string): FileError {
    return new FileError({ where: this.where, what: `bad JSON at character ${this.at}: ${what}` })
  }
}
