// `npm run bench -- [options]`: installs and builds what is missing, then runs the benchmark (see docs/benchmark.md).

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { prepare, root } from './prepare.mjs'

prepare()
await import(pathToFileURL(join(root, 'dist/bench/main.js')).href)
