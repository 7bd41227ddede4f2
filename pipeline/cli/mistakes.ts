// What yargs says of a command line that it does not understand, in the words of this program.

import { quote } from '../../tensor/files/quote.js'
import { UsageError } from '../../tensor/index.js'
import { optionOf } from './options.js'

// Its messages, and what they become.
const known: [RegExp, (...found: string[]) => { where: string; what: string; expected?: string; got?: string }][] = [
  [/^Missing required arguments?: ([^,]+)/, name => ({ where: optionOf(name), what: 'missing' })],
  [/^Not enough arguments following: (.+)/, name => ({ where: optionOf(name), what: 'its value is missing' })],
  [/^Unknown arguments?: ([^,]+)/, name => ({ where: quote(name), what: 'no such command, option or argument' })],
  [
    /^Invalid values:\s+Argument: (.+), Given: (.+), Choices: (.+)$/m,
    (name, got, choices) => ({
      where: optionOf(name),
      what: 'not one of its values',
      expected: choices.replaceAll('"', '').replace(/, ([^,]+)$/, ' or $1'),
      got,
    }),
  ],
]

/** A UsageError for a message of yargs about the arguments of a command, such as `fetch <model>`. */
export function mistake(message: string, command: string | undefined): UsageError {
  const missing = /^Not enough non-option arguments/.test(message) && /<(\w+)>/.exec(command ?? '')?.[1]
  const hint = `revision ${command === undefined ? '' : `${command.split(' ')[0]} `}--help`
  if (missing) return new UsageError({ where: missing, what: 'missing', hint })
  for (const [pattern, partsOf] of known) {
    const found = pattern.exec(message)
    if (!found) continue
    const parts = partsOf(...found.slice(1))
    const position = parts.where.replace('--', '')
    const where = command?.includes(`<${position}>`) ? position : parts.where
    return new UsageError({ ...parts, where, hint })
  }
  return new UsageError({ where: 'arguments', what: message, hint })
}

/** Refuses an option that is given twice: which of the values is meant, nobody knows. */
export function refuseRepeated(args: Readonly<Record<string, unknown>>): void {
  const twice = Object.keys(args).find(name => name !== '_' && Array.isArray(args[name]))
  if (twice !== undefined) throw new UsageError({ where: optionOf(twice), what: 'given more than once' })
}

/** Refuses the empty text where a path is due: joined with the name of a file it would mean the current folder. */
export function refuseEmpty<A extends object>(args: A, ...paths: readonly (keyof A & string)[]): void {
  const empty = paths.find(name => String(args[name] ?? 'absent').trim() === '')
  if (empty !== undefined) throw new UsageError({ where: optionOf(empty), what: 'empty', expected: 'a path' })
}

/** Refuses a word where a number is due, which yargs makes NaN of. */
export function refuseWords(args: Readonly<Record<string, unknown>>): void {
  const word = Object.keys(args).find(name => Number.isNaN(args[name]))
  if (word !== undefined) throw new UsageError({ where: optionOf(word), what: 'not a number' })
}
