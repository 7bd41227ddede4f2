// Options that several commands share.

import { openRuntime, type OpenOptions } from '../../kernels/index.js'
import { runtimeNames, UsageError, type Runtime } from '../../tensor/index.js'
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

/** How much memory to take. */
export const memoryOptions = {
  'max-memory': { type: 'string', requiresArg: true, describe: 'Device memory to keep within, such as 12GiB' },
  'low-memory': { type: 'boolean', describe: 'Take as little memory as can be, for a little more time' },
} as const

/** What yargs makes of them. */
export interface MemoryArguments {
  maxMemory?: string
  lowMemory?: boolean
}

/** What a user types for an option: `--max-guidance` for maxGuidance. */
export function optionOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`
}

// Which runtime each option is about.
const owners = { adapter: 'webgpu', threads: 'wasm' } as const

/**
 * Opens the runtime that the options ask for. Throws a UsageError for an option of another runtime, which would change
 * nothing; and what `openRuntime` throws.
 */
export async function openFor(
  { runtime: name, adapter, threads }: RuntimeArguments,
  options: Pick<OpenOptions, 'quiet' | 'maxBytes'> = {},
): Promise<Runtime> {
  const args = { adapter, threads }
  checkOwners(args, name ?? (process.env.REVISION_RUNTIME || (adapter && owners.adapter)))
  const runtime = await openRuntime({ runtime: name, ...args, ...options })
  try {
    checkOwners(args, runtime.name)
    return runtime
  } catch (error) {
    await runtime.close()
    throw error
  }
}

function checkOwners(args: Omit<RuntimeArguments, 'runtime'>, runtime: string | undefined): void {
  for (const name of ['adapter', 'threads'] as const)
    if (args[name] !== undefined && runtime !== undefined && runtime !== owners[name])
      throw new UsageError({
        where: `--${name}`,
        what: `means nothing to the ${runtime} runtime`,
        hint: `--runtime ${owners[name]}, or none of both`,
      })
}
