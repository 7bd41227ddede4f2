// The command line of the bench (see docs/benchmark.md).

import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { RevisionError, UsageError, type RuntimeName } from '../tensor/index.js'
import { parseWish } from '../tensor/webgpu/adapter.js'
import { runBench } from './bench.js'
import { sizeClasses, type Case, type SizeClass } from './case.js'
import { casesOf } from './cases/index.js'
import { pageOf } from './html.js'
import { openOurs } from './ours.js'
import { startPeers, type Peer } from './peers/client.js'
import { installPeers } from './peers/install.js'
import { peerNames } from './peers/protocol.js'
import { showRate, textOf } from './report.js'

const usage = `npm run bench -- [options]
  --kernel NAMES    families, separated by commas (default: all)
  --runtime NAME    webgpu (default) or reference
  --adapter NAME    hardware, lavapipe or swiftshader (default: the best there is)
  --shapes CLASS    full or software (default: full on a GPU, else software)
  --peers NAMES     tfjs, jax, ort: other libraries to compare with, installed when first used
  --patience N      seconds to wait for an answer of a peer (default: 300)
  --seconds N       for each case and library (default: 2)
  --json FILE       write the figures
  --html FILE       write a page with plots
`

const runtimes: readonly RuntimeName[] = ['webgpu', 'reference']

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

function numberOf(where: string, text: string): number {
  const value = Number(text)
  if (value > 0 && value <= 3600) return value
  throw new UsageError({
    where,
    what: 'not a time',
    expected: 'seconds up to 3600',
    got: JSON.stringify(text.slice(0, 40)),
  })
}

async function save(file: string, text: string): Promise<void> {
  // One level only: Node's recursive mkdir never returns where a file system refuses with ENOENT, as /proc does.
  await mkdir(dirname(file)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  await writeFile(file, text)
}

const note = (line: string) => console.error(line)

async function openPeers(names: Parameters<typeof startPeers>[0], adapter: string | undefined, patience: number) {
  if (names.length === 0) return []
  const obstacle = installPeers(note)
  if (obstacle === undefined) return startPeers(names, adapter, patience, note)
  note(`peers cannot be installed, going on without: ${obstacle}`)
  return []
}

function chooseCases(shapes: SizeClass, kernels: string | undefined): Case[] {
  const cases = casesOf(shapes)
  const families = [...new Set(cases.map(({ kernel }) => kernel))]
  const wanted = listOf('--kernel', kernels, families)
  return wanted.length === 0 ? cases : cases.filter(({ kernel }) => wanted.includes(kernel))
}

/** Runs the bench; returns the exit code: 1 when a case of ours failed. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      kernel: { type: 'string' },
      runtime: { type: 'string', default: 'webgpu' },
      adapter: { type: 'string' },
      shapes: { type: 'string' },
      peers: { type: 'string' },
      patience: { type: 'string', default: '300' },
      seconds: { type: 'string', default: '2' },
      json: { type: 'string' },
      html: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    console.log(usage)
    return 0
  }
  const names = listOf('--peers', values.peers, peerNames)
  const seconds = numberOf('--seconds', values.seconds)
  const patience = numberOf('--patience', values.patience)
  const wish = parseWish(values.adapter, '--adapter')
  const shapesWish = values.shapes === undefined ? undefined : oneOf('--shapes', values.shapes, sizeClasses)
  chooseCases(shapesWish ?? 'software', values.kernel) // complains before anything is opened

  const ours = await openOurs(oneOf('--runtime', values.runtime, runtimes), wish)
  let peers: Peer[] = []
  try {
    const shapes = shapesWish ?? (ours.kind === 'hardware' ? 'full' : 'software')
    peers = await openPeers(names, ours.kind ?? wish, patience)
    const report = await runBench(ours, {
      cases: chooseCases(shapes, values.kernel),
      shapes,
      seconds,
      peers,
      progress: row => note(`${row.kernel} ${row.name}: ${showRate(row.ours)} ${row.unit}`),
    })
    console.log(textOf(report))
    if (values.json !== undefined) await save(values.json, `${JSON.stringify(report, null, 1)}\n`)
    if (values.html !== undefined) await save(values.html, pageOf(report))
    return report.rows.some(row => row.ours === null) ? 1 : 0
  } finally {
    for (const peer of peers) await peer.close()
    await ours.close()
  }
}

try {
  process.exitCode = await main()
} catch (error) {
  const ours = error instanceof RevisionError || (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS')
  console.error(ours ? (error as Error).message : error)
  process.exitCode = 2
}
