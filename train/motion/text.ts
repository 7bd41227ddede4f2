// Words of a text file one after the other, with the line for messages.

import { quote } from '../../tensor/files/quote.js'
import { FileError } from '../../tensor/index.js'
import { motionLimits } from './source.js'

/** Reads a text word by word; everything that does not fit throws a FileError with the number of the line. */
export class Words {
  readonly #pattern = /\S+/g
  #word: string | undefined
  #line = 1
  #scanned = 0

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
    return this.#word
  }

  /** Takes the next word. */
  take(expected: string): string {
    const word = this.#word
    if (word === undefined) throw this.error('the file ends too early', expected, 'its end')
    this.#advance()
    return word
  }

  /** Takes the next word, which must be this one; upper and lower case are alike. */
  skip(word: string): void {
    const got = this.take(word)
    if (got.toLowerCase() !== word.toLowerCase()) throw this.error('unexpected word', word, quote(got))
  }

  /** Takes a finite number. */
  number(what: string): number {
    const word = this.take(what)
    const value = Number(word)
    if (!Number.isFinite(value)) throw this.error('not a number', what, quote(word))
    return value
  }

  error(what: string, expected: string, got: string): FileError {
    return new FileError({ where: `${this.where}: line ${this.#line}`, what, expected, got })
  }

  #advance(): void {
    const match = this.#pattern.exec(this.text)
    this.#word = match?.[0]
    const end = match?.index ?? this.text.length
    for (let at = this.text.indexOf('\n', this.#scanned); at >= 0 && at < end; at = this.text.indexOf('\n', at + 1)) {
      this.#line++
      this.#scanned = at + 1
    }
  }
}
