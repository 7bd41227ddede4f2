// The bench itself: case by case it checks the outputs, measures everybody by turns, and writes a row.

import { scope, sizeOf, type Runtime, type Tensor } from '../tensor/index.js'
import { ReferenceRuntime } from '../tensor/reference/runtime.js'
import { referenceKernels } from '../kernels/reference.js'
import type { Case, Computation, SizeClass } from './case.js'
import { bestOf, measureCeiling, shareOf } from './ceiling/ceiling.js'
import { judge, sampleOf, type Sample } from './check.js'
import { costOfRun, type Cost } from './cost.js'
import { timeRun } from './device-time.js'
import { measure, spreadOf, type Runner, type Spread } from './measure.js'
import { hostOperands, uploadOperands } from './operands.js'
import { oursRunner, variantOf, type Ours } from './ours.js'
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
  /** Told of every row as soon as it is there. */
  readonly progress?: (row: Measured) => void
}

/** Runs the cases. One that fails or computes the wrong thing has a row that says so, without a rate. */
export async function runBench(ours: Ours, options: BenchOptions): Promise<Report> {
  const { cases, shapes, seconds, peers = [], progress } = options
  const ceilingOf = () => (ours.webgpu ? measureCeiling(ours.webgpu) : null)
  const before = await ceilingOf()
  const measured: Measured[] = []
  for (const subject of cases) {
    const row = await new CaseRun(ours, subject, peers).row(seconds)
    measured.push(row)
    progress?.(row)
  }
  // The better of two: others may have kept the machine busy during one.
  const after = await ceilingOf()
  const ceiling = before && after && bestOf(before, after)
  const rows = measured.map(row => ({ ...row, ceiling_share: ceiling && shareOf(row, ceiling) }))
  return {
    adapter: ours.runtime.description,
    runtime: ours.runtime.name,
    shapes,
    date: new Date().toISOString(),
    ceiling,
    peers: Object.fromEntries(peers.map(({ name, version }) => [name, version])),
    rows,
  }
}

/** What the first run of a case tells. */
interface FirstRun {
  seconds: number
  bytesAllocated: number
  variant: string
  dispatches: number
  error: number
}

/** The output's elements at the sampled places, and what they must be. */
interface Checked {
  sample: Sample
  actual: ArrayLike<number>
}

const defaultTolerance = 1e-4

async function withOperands<T>(
  runtime: Runtime,
  subject: Computation,
  body: (operands: Readonly<Record<string, Tensor>>) => Promise<T>,
): Promise<T> {
  const operands = uploadOperands(runtime, subject.operands)
  const module = subject.setup?.(operands)
  try {
    return await body(operands)
  } finally {
    module?.[Symbol.dispose]()
    for (const tensor of Object.values(operands)) tensor.dispose()
  }
}

/** The elements of the output. */
const outputOn = (runtime: Runtime, subject: Computation) =>
  withOperands(runtime, subject, async operands => {
    using out = scope(() => subject.run(operands))
    return out.floats()
  })

class CaseRun {
  readonly #notes: Record<string, string> = {}
  #cost: Cost = { flops: 0, bytes: 0 }
  /** Of the whole case, for peers; a case checked on small operands has none. */
  #sample: Sample | undefined

  constructor(
    private readonly ours: Ours,
    private readonly subject: Case,
    private readonly peers: readonly Peer[],
  ) {}

  async row(seconds: number): Promise<Measured> {
    const { kernel, name, unit } = this.subject
    const cost = await this.#guard('ours', () => costOfRun(this.subject))
    if (cost) this.#cost = cost
    const { first, spreads } = cost ? await this.#measureWall(seconds) : { spreads: new Map<string, Spread>() }
    const wall = spreads.get('ours')
    const device = wall && (await this.#measureDevice(Math.min(seconds, 1)))
    const rates = this.peers.map(peer => [peer.name, this.#rate(spreads.get(peer.name)?.median)] as const)
    return {
      kernel,
      name,
      unit,
      ours: this.#rate(wall?.median),
      device: this.#rate(device?.median),
      peers: Object.fromEntries(rates),
      variant: first?.variant ?? '',
      dispatches: first?.dispatches ?? 0,
      ...this.#cost,
      seconds: wall ?? null,
      peer_seconds: Object.fromEntries([...spreads].filter(([who]) => who !== 'ours')),
      first_call: first?.seconds ?? null,
      bytes_allocated: first?.bytesAllocated ?? 0,
      error: first?.error ?? null,
      notes: this.#notes,
    }
  }

  /** Checks us and every peer, then measures those who were right. */
  async #measureWall(seconds: number): Promise<{ first?: FirstRun; spreads: Map<string, Spread> }> {
    const { runtime } = this.ours
    const runners: Runner[] = []
    const spreads = new Map<string, Spread>()
    let first: FirstRun | undefined
    try {
      await withOperands(runtime, this.subject, async operands => {
        first = await this.#guard('ours', () => this.#first(operands))
        if (first) runners.push(oursRunner(runtime, this.subject, operands))
        for (const peer of this.subject.peer ? this.peers : []) {
          const runner = await this.#guard(peer.name, () => this.#openPeer(peer))
          if (runner) runners.push(runner)
        }
        const results = await measure(runners, seconds)
        results.forEach((result, i) => {
          if (result instanceof Error) this.#notes[runners[i].name] = result.message
          else spreads.set(runners[i].name, result)
        })
      })
    } catch (error) {
      this.#notes.ours = (error as Error).message
    }
    return { first, spreads }
  }

  /** The first run, and its check. */
  async #first(operands: Readonly<Record<string, Tensor>>): Promise<FirstRun> {
    const { runtime, takeDispatches } = this.ours
    const { subject } = this
    takeDispatches()
    runtime.resetPeak()
    const before = runtime.statistics().live
    const start = performance.now()
    using out = scope(() => subject.run(operands))
    await runtime.sync()
    const seconds = (performance.now() - start) / 1e3
    const dispatches = takeDispatches()
    const bytesAllocated = runtime.statistics().peak - before
    const { sample, actual } = await this.#check(out)
    const { error, complaint } = judge(sample, actual, subject.tolerance ?? defaultTolerance)
    if (complaint) throw new Error(complaint)
    return { seconds, bytesAllocated, variant: variantOf(dispatches), dispatches: dispatches.length, error }
  }

  async #check(out: Tensor): Promise<Checked> {
    const { check, operands } = this.subject
    if (typeof check === 'function') {
      this.#sample = sampleOf(sizeOf(out.shape), check(hostOperands(operands)))
      const elements = await out.floats()
      return { sample: this.#sample, actual: this.#sample.indices.map(index => elements[index]) }
    }
    const truth = new ReferenceRuntime(referenceKernels)
    const expected = Array.from(await outputOn(truth, check))
    await truth.close()
    const actual = await outputOn(this.ours.runtime, check)
    return { sample: { indices: expected.map((_, index) => index), expected }, actual }
  }

  async #openPeer(peer: Peer): Promise<Runner> {
    const { peer: task, operands, tolerance = defaultTolerance } = this.subject
    if (!task || !this.#sample) throw new Error('there is nothing to check it against')
    await peer.prepare(task, operands)
    const { complaint } = judge(this.#sample, await peer.values(this.#sample.indices), tolerance)
    if (complaint) throw new Error(complaint)
    return peer
  }

  /** Seconds per run on the device's clock, where it can be told. */
  async #measureDevice(seconds: number): Promise<Spread | undefined> {
    const { profiled } = this.ours
    if (!profiled) return undefined
    return this.#guard('device time', () =>
      withOperands(profiled, this.subject, async operands => {
        const run = () => scope(() => void this.subject.run(operands))
        const end = performance.now() + 1e3 * seconds
        await timeRun(profiled, run) // compiles
        const times: number[] = []
        do times.push(await timeRun(profiled, run))
        while (performance.now() < end)
        return spreadOf(times, 1)
      }),
    )
  }

  async #guard<T>(who: string, body: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await body()
    } catch (error) {
      this.#notes[who] = (error as Error).message.split('\n')[0]
      return undefined
    }
  }

  #rate(seconds: number | undefined): number | null {
    const { flops, bytes } = this.#cost
    return seconds === undefined ? null : (this.subject.unit === 'GFLOP/s' ? flops : bytes) / seconds / 1e9
  }
}
