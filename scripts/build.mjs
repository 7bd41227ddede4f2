// Builds dist/: embeds the WGSL files in TypeScript modules, one for the kernels and one for the bench (so that Node
// and browsers load them the same way), likewise their WebAssembly modules (wasm.mjs), then compiles.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { root, run } from './prepare.mjs'
import { embedWasm } from './wasm.mjs'

function embedShaders(floor, beside) {
  const folder = join(root, floor)
  const files = readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter(entry => entry.isFile() && entry.name.endsWith('.wgsl'))
    .map(entry => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
  const entries = files.map(file => {
    const name = relative(folder, file).split(sep).join('/')
    return `  ${JSON.stringify(name)}: ${JSON.stringify(readFileSync(file, 'utf8'))},`
  })
  const text = `// Made by scripts/build.mjs from the .wgsl files beside ${beside}.\nexport const shaders: Record<string, string> = {\n${entries.join('\n')}\n}\n`
  const target = join(folder, 'shaders.generated.ts')
  let old
  try {
    old = readFileSync(target, 'utf8')
  } catch {
    old = undefined // first build
  }
  if (text !== old) writeFileSync(target, text)
}

embedShaders('kernels', 'the kernels')
embedShaders('bench', 'the bench')
await embedWasm('kernels', ['tensor', 'kernels'])
await embedWasm('bench', ['tensor', 'bench'])
run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc')])
mkdirSync(join(root, 'dist'), { recursive: true })
writeFileSync(join(root, 'dist/.built'), '')
