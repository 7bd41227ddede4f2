// The command line of the bench (see docs/benchmark.md).

import { availableParallelism } from 'node:os'
import { mostThreads } from '../tensor/wasm/command.js'
import { runBench } from './bench.js'
import { pageOf } from './html.js'
import { chooseCases, readOptions, usage, type Settings } from './options.js'
import { openOurs } from './ours.js'
import { startPeers, type Peer, type PeerOptions } from './peers/client.js'
import { installPeers } from './peers/install.js'
import { runProgram } from './program.js'
import { showRate, textOf } from './report.js'
import { save } from './save.js'
import { tuneText } from './tune.js'

const note = (line: string) => console.error(line)

async function openPeers(names: Settings['peers'], options: PeerOptions): Promise<Peer[]> {
  if (names.length === 0) return []
  const obstacle = installPeers(note)
  if (obstacle === undefined) return startPeers(names, options, note)
  note(`peers cannot be installed, going on without: ${obstacle}`)
  return []
}

/** Runs the bench; returns the exit code: 1 when a case of ours failed. */
async function main(settings: Settings): Promise<number> {
  const { runtime, adapter, tune, patience, seconds, variants, saveTune, json, html } = settings
  const { threads = Math.min(availableParallelism(), mostThreads) } = settings
  const ours = await openOurs(runtime, { adapter, tune, threads })
  let peers: Peer[] = []
  try {
    const shapes = settings.shapes ?? (ours.kind === 'hardware' ? 'full' : 'software')
    peers = await openPeers(settings.peers, { adapter: ours.kind ?? adapter, threads, patience })
    const report = await runBench(ours, {
      cases: chooseCases(shapes, settings.kernels),
      shapes,
      seconds,
      peers,
      variants,
      progress: row => note(`${row.kernel} ${row.name}: ${showRate(row.ours)} ${row.unit}`),
    })
    console.log(textOf(report))
    if (json !== undefined) await save(json, `${JSON.stringify(report, null, 1)}\n`)
    if (html !== undefined) await save(html, pageOf(report))
    if (saveTune !== undefined) await save(saveTune, tuneText(report, tune))
    return report.rows.some(row => row.ours === null) ? 1 : 0
  } finally {
    for (const peer of peers) await peer.close()
    await ours.close()
  }
}

await runProgram(async () => {
  const settings = await readOptions(process.argv.slice(2))
  if (settings) process.exitCode = await main(settings)
  else console.log(usage)
})
