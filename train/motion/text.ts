// Words of a text file one after the other, with the line for messages.

import { quote } from '../../tensor/files/quote.js'
import { FileError } from '../../tensor/index.js'
import { isPlausible, motionLimits } from './source.js'

const [lineFeed, space, dash, dot, zero, nine] = [10, 32, 45, 46, 48, 57]
// So many digits make an integer that a double holds exactly.
const exactDigits = 15

/** Reads a text word by word; everything that does not fit throws a FileError with the number of the line. */
export class Words {
  // The next word is text[start..end).
  #start = 0
  #end = 0
  #line = 1

  constructor(
    readonly where: string,
    private readonly text: string,
  ) {
    if (text.length > motionLimits.bytes)
      throw new FileError({
        where,
        what: 'too long',
        expected: `${motionLimits.bytes} characters`,
        got: String(text.length),
      })
    this.#advance()
  }

  /** The word that comes next; undefined at the end. */
  get next(): string | undefined {
    return this.#start === this.#end ? undefined : this.text.slice(this.#start, this.#end)
  }

  /** How many words may still come at most. */
  get most(): number {
    return Math.ceil((this.text.length - this.#start) / 2)
  }

  /** Takes the next word. */
  take(expected: string): string {
    const word = this.next
    if (word === undefined) throw this.error('the file ends too early', expected, 'its end')
    this.#advance()
    return word
  }

  /** Takes the next word, which must be this one; upper and lower case are alike. */
  skip(word: string): void {
    const got = this.take(word)
    if (got.toLowerCase() !== word.toLowerCase()) throw this.error('unexpected word', word, quote(got))
  }

  /** Takes a plausible number. */
  number(what: string): number {
    const plain = this.#plainDecimal()
    if (plain !== undefined && isPlausible(plain)) {
      this.#advance()
      return plain
    }
    const word = this.take(what)
    const value = Number(word)
    if (!isPlausible(value)) throw this.error('not a number that can be', what, quote(word))
    return value
  }

  error(what: string, expected: string, got: string): FileError {
    return new FileError({ where: `${this.where}: line ${this.#line}`, what, expected, got })
  }

  #advance(): void {
    const { text } = this
    let at = this.#end
    for (; at < text.length && text.charCodeAt(at) <= space; at++) if (text.charCodeAt(at) === lineFeed) this.#line++
    this.#start = at
    while (at < text.length && text.charCodeAt(at) > space) at++
    this.#end = at
  }

  /** The next word as a number if it is a short decimal such as -12.5: as exact as `Number`, and several times faster. */
  #plainDecimal(): number | undefined {
    const { text } = this
    const isNegative = text.charCodeAt(this.#start) === dash
    const first = isNegative ? this.#start + 1 : this.#start
    if (first >= this.#end || this.#end - first > exactDigits) return undefined
    let [digits, point] = [0, this.#end - 1]
    for (let at = first; at < this.#end; at++) {
      const code = text.charCodeAt(at)
      if (code >= zero && code <= nine) digits = 10 * digits + code - zero
      else if (code === dot && point === this.#end - 1 && at < point) point = at
      else return undefined
    }
    const size = digits / 10 ** (this.#end - 1 - point)
    return isNegative ? -size : size
  }
}
