// A small preprocessor for WGSL files. A line that starts with one of these is a directive:
//   #include "folder/file.wgsl" [KEY=text ...]   the file's text, once per directive; $KEY in it becomes the text
//   #if NAME | #if NAME == value | #else | #endif     may be nested; an unknown NAME is false
//   #param NAME value                      a constant (number) or an alias (type) that the host may overrule
// Everything else passes through unchanged, so a file reads as plain WGSL.

import { KernelError } from '../errors.js'

/** Values for `#if` and `#param`: numbers, type names, switches. */
export type Defines = Readonly<Record<string, number | string | boolean>>

function declare(name: string, value: number | string | boolean): string {
  if (typeof value === 'number' || /^-?[\d.]/.test(String(value))) return `const ${name} = ${value};`
  return `alias ${name} = ${value};`
}

function holds(condition: string, defines: Defines): boolean {
  const [name, wanted] = condition.split('==').map(part => part.trim())
  const value = defines[name] ?? false
  return wanted === undefined ? value !== false && value !== 0 : String(value) === wanted
}

/** Expands a shader file to plain WGSL. `files` maps names to texts; throws a KernelError for unknown files and broken nesting. */
export function preprocess(file: string, files: Readonly<Record<string, string>>, defines: Defines): string {
  const included = new Set<string>()
  const out: string[] = []

  const expand = (name: string, values: readonly string[] = []): void => {
    const directive = [name, ...values].join(' ')
    if (included.has(directive)) return
    included.add(directive)
    if (files[name] === undefined) throw new KernelError({ where: file, what: 'no such shader file', got: name })
    const text = values.reduce((result, pair) => {
      const [key, value] = pair.split('=')
      return result.replaceAll(`$${key}`, value)
    }, files[name])
    // One entry per open #if: whether lines pass now.
    const passing: boolean[] = []
    for (const line of text.split('\n')) {
      const [, directive, rest = ''] = /^\s*#(\w+)\s*(.*?)\s*$/.exec(line) ?? []
      const active = passing.every(Boolean)
      if (directive === undefined) {
        if (active) out.push(line)
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
        if (active) out.push(declare(param, defines[param] ?? value.join(' ')))
      } else {
        throw new KernelError({ where: name, what: 'misplaced directive', got: line.trim() })
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
