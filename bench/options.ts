// What the command line of the bench says (see docs/benchmark.md).

import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { readTune } from '../kernels/index.js'
import { runtimeNames } from '../tensor/runtime.js'
import { FileError, UsageError, type RuntimeName, type Tune } from '../tensor/index.js'
import { parseWish, type AdapterWish } from '../tensor/webgpu/adapter.js'
import { sizeClasses, type Case, type SizeClass } from './case.js'
import { casesOf } from './cases/index.js'
import { peerNames, type PeerName } from './peers/protocol.js'

export const usage = `npm run bench -- [options]
  --kernel NAMES    families, separated by commas (default: all)
  --runtime NAME    ${runtimeNames.join(', ')} (default: webgpu)
  --adapter NAME    for webgpu: hardware, lavapipe or swiftshader (default: the best there is)
  --threads N       for wasm and for peers on the CPU (default: REVISION_THREADS, else one for each core)
  --shapes CLASS    full or software (default: full on a GPU, else software)
  --peers NAMES     ${peerNames.join(', ')}:
                    other libraries to compare with, installed when first used
  --patience N      seconds to wait for an answer of a peer (default: 300)
  --no-variants     do not measure the variants that the rules did not take
  --tune FILE       for webgpu: take the variants that this table names
  --save-tune FILE  write a table of the variants that won clearly
  --seconds N       for each case and library (default: 2)
  --json FILE       write the figures
  --html FILE       write a page with plots
`

export interface Settings {
  readonly kernels: string | undefined
  readonly runtime: RuntimeName
  readonly adapter: AdapterWish | undefined
  readonly threads: number | undefined
  readonly shapes: SizeClass | undefined
  readonly peers: readonly PeerName[]
  readonly patience: number
  readonly variants: boolean
  readonly tune: Tune | undefined
  readonly saveTune: string | undefined
  readonly seconds: number
  readonly json: string | undefined
  readonly html: string | undefined
}

function oneOf<T extends string>(where: string, text: string, known: readonly T[]): T {
  const found = known.find(name => name === text)
  if (found !== undefined) return found
  throw new UsageError({
    where,
    what: 'unknown name',
    expected: known.join(', '),
    got: JSON.stringify(text.slice(0, 40)),
  })
}

function listOf<T extends string>(where: string, text: string | undefined, known: readonly T[]): T[] {
  return text === undefined ? [] : text.split(',').map(name => oneOf(where, name, known))
}

function secondsOf(where: string, text: string): number {
  const value = Number(text)
  if (value > 0 && value <= 3600) return value
  throw new UsageError({
    where,
    what: 'not a time',
    expected: 'seconds up to 3600',
    got: JSON.stringify(text.slice(0, 40)),
  })
}

const mostThreads = 64

function threadsOf(where: string, text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0 && value <= mostThreads) return value
  throw new UsageError({
    where,
    what: 'not a number of threads',
    expected: `1 to ${mostThreads}`,
    got: JSON.stringify(text.slice(0, 40)),
  })
}

/** The option's number of threads, else that of REVISION_THREADS. */
function wantedThreads(option: string | undefined): number | undefined {
  if (option !== undefined) return threadsOf('--threads', option)
  const text = process.env.REVISION_THREADS
  return text ? threadsOf('REVISION_THREADS', text) : undefined
}

async function tableOf(file: string): Promise<Tune> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new FileError({ where: '--tune', what: 'cannot be read', got: (error as Error).message })
  }
  return readTune(text, file)
}

/** The cases of a class that belong to the families named. Throws a UsageError for a family that is none. */
export function chooseCases(shapes: SizeClass, kernels: string | undefined): Case[] {
  const cases = casesOf(shapes)
  const families = [...new Set(cases.map(({ kernel }) => kernel))]
  const wanted = listOf('--kernel', kernels, families)
  return wanted.length === 0 ? cases : cases.filter(({ kernel }) => wanted.includes(kernel))
}

/**
 * Reads the arguments; undefined where help is asked for. Throws a UsageError or a FileError, and what parseArgs does.
 */
export async function readOptions(args: readonly string[]): Promise<Settings | undefined> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      kernel: { type: 'string' },
      runtime: { type: 'string', default: 'webgpu' },
      adapter: { type: 'string' },
      threads: { type: 'string' },
      shapes: { type: 'string' },
      peers: { type: 'string' },
      patience: { type: 'string', default: '300' },
      'no-variants': { type: 'boolean', default: false },
      tune: { type: 'string' },
      'save-tune': { type: 'string' },
      seconds: { type: 'string', default: '2' },
      json: { type: 'string' },
      html: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return undefined
  const runtime = oneOf('--runtime', values.runtime, runtimeNames)
  const shapes = values.shapes === undefined ? undefined : oneOf('--shapes', values.shapes, sizeClasses)
  chooseCases(shapes ?? 'software', values.kernel) // complains before anything is opened
  const saveTune = values['save-tune']
  if (saveTune !== undefined && (runtime !== 'webgpu' || values['no-variants']))
    throw new UsageError({
      where: '--save-tune',
      what: 'nothing to choose from',
      expected: '--runtime webgpu with its variants measured',
      got: values['no-variants'] ? '--no-variants' : runtime,
    })
  return {
    kernels: values.kernel,
    runtime,
    adapter: parseWish(values.adapter, '--adapter'),
    threads: wantedThreads(values.threads),
    shapes,
    peers: listOf('--peers', values.peers, peerNames),
    patience: secondsOf('--patience', values.patience),
    variants: !values['no-variants'],
    tune: values.tune === undefined ? undefined : await tableOf(values.tune),
    saveTune,
    seconds: secondsOf('--seconds', values.seconds),
    json: values.json,
    html: values.html,
  }
}
