// `npm run bench -- [options]`: installs and builds what is missing, then runs the benchmark, or with `--real DIR` a model
// of the real size, or with `--calls` a call of every operation (see docs/benchmark.md), or with `--fit MOTIONS` how near
// fitted bodies are (see docs/extraction.md).

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { prepare, root } from './prepare.mjs'

prepare()
const programs = { '--real': 'real.js', '--calls': 'calls.js', '--fit': 'fit.js' }
const option = Object.keys(programs).find(name => process.argv.includes(name))
const program = programs[option] ?? 'main.js'
await import(pathToFileURL(join(root, 'dist/bench', program)).href)
