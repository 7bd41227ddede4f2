// A small preprocessor for WGSL files. A line that starts with one of these is a directive:
//   #include "folder/file.wgsl" [KEY=text ...]   the file's text, once per directive; $KEY in it becomes the text
//   #if NAME | #if NAME == value | #else | #endif     may be nested; an unknown NAME is false
//   #for KEY in COUNT | #end               the lines between, COUNT times (a number, or the name of a define or
//                                          #param):
//                                          $KEY in them becomes 0, 1, ...; may be nested. Drivers do not unroll loops
//                                          by themselves, and what is indexed by a variable is no register.
//   #param NAME value                      a constant (number) or an alias (type) that the host may overrule
// Everything else passes through unchanged, so a file reads as plain WGSL.

import { KernelError } from '../errors.js'

type Value = number | string | boolean

/** Values for `#if` and `#param`: numbers, type names, switches. */
export type Defines = Readonly<Record<string, Value>>

function declare(name: string, value: Value): string {
  if (typeof value === 'number' || /^-?[\d.]/.test(String(value))) return `const ${name} = ${value};`
  return `alias ${name} = ${value};`
}

function holds(condition: string, defines: Defines): boolean {
  const [name, wanted] = condition.split('==').map(part => part.trim())
  const value = defines[name] ?? false
  return wanted === undefined ? value !== false && value !== 0 : String(value) === wanted
}

// A line's directive and the rest of it, behind the match itself.
const directiveOf = (line: string) => /^\s*#(\w+)\s*(.*?)\s*$/.exec(line) ?? []

const mostRepeats = 1024

/** The line of the #end that belongs to the #for at `start`. */
function endOf(name: string, lines: readonly string[], start: number): number {
  let open = 0
  for (let i = start; i < lines.length; i++) {
    const [, directive] = directiveOf(lines[i])
    if (directive === 'for') open++
    if (directive === 'end' && --open === 0) return i
  }
  throw new KernelError({ where: name, what: '#for without #end' })
}

/**
 * Expands a shader file to plain WGSL. `files` maps names to texts; throws a KernelError for unknown files and broken
 * nesting.
 */
export function preprocess(file: string, files: Readonly<Record<string, string>>, defines: Defines): string {
  const included = new Set<string>()
  const params = new Map<string, Value>()
  const out: string[] = []

  const count = (name: string, text: string): number => {
    const value = Number(params.get(text) ?? defines[text] ?? text)
    if (Number.isInteger(value) && value >= 0 && value <= mostRepeats) return value
    throw new KernelError({ where: name, what: 'no count', expected: `0 to ${mostRepeats}`, got: text })
  }

  const expand = (name: string, values: readonly string[] = []): void => {
    const directive = [name, ...values].join(' ')
    if (included.has(directive)) return
    included.add(directive)
    if (files[name] === undefined) throw new KernelError({ where: file, what: 'no such shader file', got: name })
    const text = values.reduce((result, pair) => {
      const [key, value] = pair.split('=')
      return result.replaceAll(`$${key}`, value)
    }, files[name])
    walk(name, text.split('\n'))
  }

  const walk = (name: string, lines: readonly string[]): void => {
    // One entry per open #if: whether lines pass now.
    const passing: boolean[] = []
    for (let i = 0; i < lines.length; i++) {
      const [, directive, rest = ''] = directiveOf(lines[i])
      const active = passing.every(Boolean)
      if (directive === undefined) {
        if (active) out.push(lines[i])
      } else if (directive === 'if') {
        passing.push(holds(rest, defines))
      } else if (directive === 'else' && passing.length > 0) {
        passing.push(!passing.pop())
      } else if (directive === 'endif' && passing.length > 0) {
        passing.pop()
      } else if (directive === 'include') {
        const [quoted, ...values] = rest.split(/\s+/)
        if (active) expand(quoted.replaceAll('"', ''), values)
      } else if (directive === 'param') {
        const [param, ...value] = rest.split(/\s+/)
        if (!active) continue
        const chosen = defines[param] ?? value.join(' ')
        params.set(param, chosen)
        out.push(declare(param, chosen))
      } else if (directive === 'for') {
        const end = endOf(name, lines, i)
        const [key, , times] = rest.split(/\s+/)
        const body = lines.slice(i + 1, end)
        for (let n = 0; active && n < count(name, times); n++)
          walk(
            name,
            body.map(line => line.replaceAll(`$${key}`, String(n))),
          )
        i = end
      } else {
        throw new KernelError({ where: name, what: 'misplaced directive', got: lines[i].trim() })
      }
    }
    if (passing.length > 0) throw new KernelError({ where: name, what: '#if without #endif' })
  }

  expand(file)
  return out.join('\n')
}

/** The text with line numbers, for the message of a shader that does not compile. */
export function annotate(source: string): string {
  return source
    .split('\n')
    .map((line, i) => `${String(i + 1).padStart(4)} | ${line}`)
    .join('\n')
}
