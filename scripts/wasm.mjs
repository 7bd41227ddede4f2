// Compiles every AssemblyScript kernel (`.as.ts`) to one WebAssembly module and embeds it in a TypeScript module as
// text, so that Node and browsers load it the same way: once with fused multiply-adds (relaxed SIMD), once without.
// What the kernels' text says of their parameters and sizes is written beside it (wasm-kernels.mjs). The bench has a
// module of its own.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import asc from 'assemblyscript/asc'
import { root } from './prepare.mjs'
import { constantsOf, kernelsOf } from './wasm-kernels.mjs'

const scripts = ['wasm.mjs', 'wasm-kernels.mjs'].map(name => join(root, 'scripts', name))

/** Where kernels' constants go: behind the ring of commands, before the heap (tensor/wasm/command.ts, memory.ts). */
const memoryBase = 768 * 1024

const filesOf = floors =>
  floors
    .flatMap(floor =>
      readdirSync(join(root, floor), { withFileTypes: true, recursive: true })
        .filter(entry => entry.isFile() && entry.name.endsWith('.as.ts'))
        .map(entry => join(entry.parentPath ?? entry.path, entry.name)),
    )
    .sort()

async function compile(entries, features, output) {
  const messages = []
  const { error } = await asc.main(
    [
      ...entries.map(file => relative(root, file)),
      ...['--baseDir', root, '--outFile', relative(root, output), '-O3', '--noAssert', '--runtime', 'stub'],
      ...['--importMemory', '--sharedMemory', '--initialMemory', '32', '--maximumMemory', '65536'],
      ...['--memoryBase', String(memoryBase), '--use', 'abort='],
      ...['simd', 'threads', 'bulk-memory', ...features].flatMap(feature => ['--enable', feature]),
    ],
    { stdout: { write: text => messages.push(text) }, stderr: { write: text => messages.push(text) } },
  )
  if (error) throw new Error(`AssemblyScript: ${error.message}\n${messages.join('')}`)
  const binary = readFileSync(output)
  // A host that lacks a feature cannot look inside; the other build of the same text needs the same.
  const imports = WebAssembly.validate(binary) ? WebAssembly.Module.imports(new WebAssembly.Module(binary)) : []
  const foreign = imports.filter(({ kind }) => kind !== 'memory')
  if (foreign.length > 0) throw new Error(`kernels need what no host gives them: ${JSON.stringify(foreign)}`)
  return binary.toString('base64')
}

/** Adds entries to a map, each with a name of its own. */
function addNew(map, entries, where) {
  for (const [name, value] of entries) {
    if (map.has(name)) throw new Error(`${where} ${name}: the name is taken`)
    map.set(name, value)
  }
}

/** Makes wasm.generated.ts of a folder from the kernels of some floors, if any AssemblyScript is newer. */
export async function embedWasm(folder, floors) {
  const target = join(root, folder, 'wasm.generated.ts')
  const files = filesOf(floors)
  const sources = filesOf(['tensor', 'kernels', 'bench']) // those of one floor may import those of another
  const compiler = join(root, 'package-lock.json') // says which compiler
  const newest = Math.max(...[...scripts, compiler, ...sources].map(file => statSync(file).mtimeMs))
  const header = `// Made by scripts/wasm.mjs from the .as.ts files of ${floors.join(' and ')}: ${files.length} files.\n`
  const isFresh = () => statSync(target).mtimeMs > newest && readFileSync(target, 'utf8').startsWith(header)
  if (existsSync(target) && isFresh()) return
  const [kernels, constants] = [new Map(), new Map()]
  const entries = []
  for (const file of files) {
    const name = relative(root, file)
    const text = readFileSync(file, 'utf8')
    const found = kernelsOf(text, name)
    if (found.length > 0) entries.push(file)
    addNew(kernels, found, `${name}: kernel`)
    addNew(constants, constantsOf(text), `${name}: constant`)
  }
  const outputs = join(root, '.cache/wasm')
  mkdirSync(outputs, { recursive: true })
  const output = join(outputs, `${folder}-${process.pid}.wasm`)
  let plain, relaxed
  try {
    plain = await compile(entries, [], output)
    relaxed = await compile(entries, ['relaxed-simd'], output)
  } finally {
    rmSync(output, { force: true })
  }
  writeFileSync(
    target,
    `${header}
import type { WasmModuleSource } from '../tensor/wasm/module.js'

export const wasmModule: WasmModuleSource = {
  plain: ${JSON.stringify(plain)},
  relaxed: ${JSON.stringify(relaxed)},
  kernels: ${JSON.stringify(Object.fromEntries(kernels))},
}

/** Sizes that kernels and those who launch them share. */
export const constants = ${JSON.stringify(Object.fromEntries(constants))} as const
`,
  )
}
