// Options that several commands share.

import type { OpenOptions } from '../../kernels/index.js'
import { runtimeNames } from '../../tensor/index.js'
import type { AdapterWish } from '../../tensor/webgpu/adapter.js'

const adapters: readonly AdapterWish[] = ['hardware', 'lavapipe', 'swiftshader']

/** Where to run. */
export const runtimeOptions = {
  runtime: {
    choices: runtimeNames,
    requiresArg: true,
    describe: 'Where to run. Default: REVISION_RUNTIME, or webgpu if there is a GPU, or wasm',
  },
  adapter: {
    choices: adapters,
    requiresArg: true,
    describe: 'Which WebGPU adapter. Default: REVISION_ADAPTER or the best there is',
  },
  threads: {
    type: 'number',
    requiresArg: true,
    describe: 'Threads of the wasm runtime. Default: REVISION_THREADS or one for each core',
  },
} as const

/** What yargs makes of them. */
export type RuntimeArguments = Pick<OpenOptions, 'runtime' | 'adapter' | 'threads'>
