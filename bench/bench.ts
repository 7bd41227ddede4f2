// The bench itself: case by case a row, between two measurements of what the adapter can do.

import type { Case, SizeClass } from './case.js'
import { CaseRun } from './case-run.js'
import { bestOf, shareOf, type Ceiling } from './ceiling/ceiling.js'
import type { Ours } from './ours.js'
import type { Peer } from './peers/client.js'
import type { Measured, Report } from './report.js'

export interface BenchOptions {
  /** All of one class. */
  readonly cases: readonly Case[]
  readonly shapes: SizeClass
  /** For each case and each library, about. */
  readonly seconds: number
  /** Other libraries, each in its own process. */
  readonly peers?: readonly Peer[]
  /** Measures the variants that the kernels' rules did not take, too. */
  readonly variants?: boolean
  /** Told of every row as soon as it is there. */
  readonly progress?: (row: Measured) => void
}

/** What can be done at best, and by one thread alone; null where that is not known. */
async function ceilings(ours: Ours): Promise<[Ceiling | null, Ceiling | null]> {
  return [(await ours.measureCeiling?.()) ?? null, (await ours.measureSingleCeiling?.()) ?? null]
}

/** Runs the cases. One that fails or computes the wrong thing has a row that says so, without a rate. */
export async function runBench(ours: Ours, options: BenchOptions): Promise<Report> {
  const { cases, shapes, seconds, peers = [], variants = false, progress } = options
  const before = await ceilings(ours)
  const measured: Measured[] = []
  for (const subject of cases) {
    const row = await new CaseRun(ours, subject, peers, variants).row(seconds)
    measured.push(row)
    progress?.(row)
  }
  // The better of two: others may have kept the machine busy during one.
  const after = await ceilings(ours)
  const [ceiling, single] = before.map((found, i) => bestOf(found, after[i]))
  const rows = measured.map(row => ({ ...row, ceiling_share: ceiling && shareOf(row, ceiling) }))
  return {
    adapter: ours.runtime.description,
    runtime: ours.runtime.name,
    threads: ours.threads ?? null,
    shapes,
    date: new Date().toISOString(),
    ceiling,
    ceiling_one_thread: single,
    peers: Object.fromEntries(peers.map(({ name, version }) => [name, version])),
    rows,
  }
}
