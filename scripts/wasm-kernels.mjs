// What the AssemblyScript of a file says of its kernels and sizes. Their text is the only place that states it, so
// whatever looks like a kernel and is none is refused: its parameters would be read from nowhere.

const wordTypes = ['usize', 'u32', 'i32', 'f32']

const signature = '(params: <Name>Params, from: u32, to: u32, scratch: usize): void'

const withoutComments = text => text.replace(/\/\*[^]*?\*\/|\/\/.*/g, '')

/** The fields of every class of parameters, by class: all whose names end in Params. */
function parametersOf(text, file) {
  const classes = new Map()
  const pattern = /(@unmanaged\s+)?(?:export\s+)?class\s+(\w*Params)\b([^{]*)\{([^}]*)\}/g
  for (const [, unmanaged, name, extension, body] of text.matchAll(pattern)) {
    if (!unmanaged || extension.trim() !== '')
      throw new Error(`${file}: ${name}: a class of parameters is @unmanaged and extends none`)
    const field = /(\w+)\s*:\s*(\w+)\s*;?/g
    const rest = body.replace(field, '').trim()
    if (rest !== '') throw new Error(`${file}: ${name}: expected fields of one word; got ${rest.split('\n')[0]}`)
    const fields = [...body.matchAll(field)].map(([, field, type]) => {
      if (!wordTypes.includes(type))
        throw new Error(`${file}: ${name}.${field}: a parameter is one of ${wordTypes.join(', ')}, not ${type}`)
      return { name: field, type }
    })
    classes.set(name, fields)
  }
  return classes
}

/** Names and types of a list like `a: u32, b: usize`. */
const argumentsOf = list =>
  list
    .split(',')
    .map(argument => argument.trim())
    .filter(argument => argument !== '')
    .map(argument => argument.split(':').map(part => part.trim()))

/**
 * The kernels of a text, each a name and the fields of its parameters: exported functions of (params, from, to,
 * scratch). Throws an Error for a function or a class that seems to belong to a kernel and does not.
 */
export function kernelsOf(source, file) {
  const text = withoutComments(source)
  const classes = parametersOf(text, file)
  const unused = new Set(classes.keys())
  const kernels = []
  for (const [, name, list, result] of text.matchAll(/export\s+function\s+(\w+)[^(]*\(([^)]*)\)\s*:\s*(\w+)/g)) {
    const args = argumentsOf(list)
    const names = args.map(([argument]) => argument)
    const [type, ...others] = args.map(([, type]) => type)
    const seemsOne =
      args.some(([, type]) => type?.endsWith('Params')) || (names.includes('from') && names.includes('to'))
    if (!seemsOne) continue
    const isOne = type?.endsWith('Params') && others.join() === 'u32,u32,usize' && result === 'void'
    if (!isOne) throw new Error(`${file}: ${name}: a kernel is ${signature}; got (${list.trim()}): ${result}`)
    const fields = classes.get(type)
    if (!fields) throw new Error(`${file}: ${name}: parameter class ${type} is not in the same file`)
    unused.delete(type)
    kernels.push([name, fields])
  }
  for (const name of unused) throw new Error(`${file}: ${name}: no exported kernel has these parameters`)
  return kernels
}

/** The whole numbers that a text exports, which the host has to know too, by name. */
export function constantsOf(source) {
  const found = withoutComments(source).matchAll(/^export const (\w+): (?:u32|i32|usize) = (\d+)$/gm)
  return [...found].map(([, name, value]) => [name, Number(value)])
}
