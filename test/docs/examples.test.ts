// Every example of README.md and docs/ runs as it stands there: `ts` blocks as programs that import the package by its
// name, `sh` blocks that call the command line, in an empty folder. A block that begins with the name of a file is
// there for later blocks to import.

import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import ts from 'typescript'
import { writeMotion } from '../../train/motion/scene-file.js'
import { writeClips } from '../support/clips.js'
import { makeTinyDepthModel } from '../support/depth.js'
import { makeTinyModel } from '../support/model.js'
import { walk } from '../support/motion.js'
import { golden, projectRoot } from '../support/paths.js'
import { smallVocabulary, writeVocabulary } from '../support/vocabulary.js'

const exec = promisify(execFile)

interface Example {
  readonly file: string
  readonly line: number
  readonly language: 'ts' | 'sh'
  readonly code: string
}

async function examples(): Promise<Example[]> {
  const docs = (await readdir(join(projectRoot, 'docs')))
    .filter(name => name.endsWith('.md'))
    .map(name => `docs/${name}`)
  const found: Example[] = []
  for (const file of ['README.md', ...docs]) {
    const text = await readFile(join(projectRoot, file), 'utf8')
    for (const match of text.matchAll(/^```(ts|sh)\n([^]*?)^```$/gm))
      found.push({
        file,
        line: text.slice(0, match.index).split('\n').length,
        language: match[1] as Example['language'],
        code: match[2],
      })
  }
  return found
}

// Inside dist/, so that the package's own name resolves.
const folder = await mkdtemp(join(projectRoot, 'dist/examples-'))
t.teardown(() => rm(folder, { recursive: true }))
await makeTinyModel(join(folder, 'svd'))
await makeTinyDepthModel(join(folder, 'depth-anything-v2-small'))
await cp(golden('clip-text-tiny'), join(folder, 'clip/text_encoder'), { recursive: true })
await cp(golden('clip-vision-tiny/quickgelu'), join(folder, 'golden'), { recursive: true })
await writeVocabulary(join(folder, 'clip/tokenizer'), smallVocabulary([]))
await symlink(join(projectRoot, 'docs/pictures/demo.png'), join(folder, 'photo.png'))
await writeClips(join(folder, 'clips'), 2)
await mkdir(join(folder, 'motions/walking'), { recursive: true })
await writeMotion(join(folder, 'motions/walking/one.npz'), walk(40))
const smallest = { base: 'svd', frames: 2, stride: 1, width: 64, height: 64, pictures: 1, accumulate: 1 }
await writeFile(join(folder, 'svd.json'), JSON.stringify({ ...smallest, steps: 1, warmup: 0 }))
const brief = { steps: 1, warmup: 0, batch: 2 }
const networks = join(projectRoot, 'weights/pocket/configs')
for (const name of ['vae', 'encoder', 'extractor']) {
  const settings = { [`${name}_config`]: join(networks, `${name}-network.json`), ...brief }
  await writeFile(join(folder, `${name}.json`), JSON.stringify({ ...settings, ...(name === 'vae' && { frames: 2 }) }))
}
const guide = await readFile(join(projectRoot, 'docs/cli.md'), 'utf8')
await writeFile(join(folder, 'jobs.jsonl'), /^```jsonl\n([^]*?)^```$/m.exec(guide)![1])

// Where an example names no runtime it runs on the CPU; those that ask for WebGPU get the adapter that is everywhere.
const env = { ...process.env, REVISION_RUNTIME: 'wasm', REVISION_ADAPTER: 'swiftshader', REVISION_QUIET: '1' }
const options = { cwd: folder, env }

for (const [index, { file, line, language, code }] of (await examples()).entries())
  await t.test(`${file}:${line}`, async t => {
    if (language === 'ts') {
      const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext }
      const { outputText } = ts.transpileModule(code, { compilerOptions })
      const name = /^\/\/ ([\w-]+)\.ts$/m.exec(code.split('\n', 1)[0])?.[1] ?? String(index)
      await writeFile(join(folder, `${name}.js`), outputText)
      await exec(process.execPath, [`${name}.js`], options)
      t.pass('runs')
      return
    }
    const commands = code.replaceAll('\\\n', ' ').split('\n')
    for (const command of commands.filter(line => line.startsWith('npx revision '))) {
      const args = command.split('#')[0].trim().split(/\s+/).slice(2)
      await exec(process.execPath, [join(projectRoot, 'dist/pipeline/cli/main.js'), ...args], options)
      t.pass(command)
    }
  })
