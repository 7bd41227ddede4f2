// `npm run bench -- [options]`: installs and builds what is missing, then runs the benchmark, or with `--real DIR` a model
// of the real size (see docs/benchmark.md).

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { prepare, root } from './prepare.mjs'

prepare()
const program = process.argv.includes('--real') ? 'real.js' : 'main.js'
await import(pathToFileURL(join(root, 'dist/bench', program)).href)
