// One case: checks everybody's output, measures those who were right by turns, and makes the row.

import { ReferenceRuntime } from '../tensor/reference/runtime.js'
import { scope, sizeOf, type Runtime, type Tensor } from '../tensor/index.js'
import { referenceKernels } from '../kernels/reference.js'
import { makeReady, type Case, type Computation, type OperandSpecs, type Ready, type Work } from './case.js'
import { judge, sampleOf, type Sample } from './check.js'
import { costOfRun, type Cost } from './cost.js'
import { timeRun } from './device-time.js'
import { measure, spreadOf, type Runner, type Spread } from './measure.js'
import { hostOperands, uploadOperands } from './operands.js'
import { oursRunner, variantOf, type Ours } from './ours.js'
import type { Peer } from './peers/client.js'
import type { Measured } from './report.js'

/** What the first run of a case tells. */
interface FirstRun {
  seconds: number
  bytesAllocated: number
  variant: string
  dispatches: number
  error: number
  /** What the kernels asked their tune table about. */
  classes: readonly string[]
}

/** The output's elements at the sampled places, and what they must be. */
interface Checked {
  sample: Sample
  actual: ArrayLike<number>
}

/** What came of the measurement. */
interface Wall {
  first?: FirstRun
  /** The variants that there are, and the one that the rule took. */
  variants?: readonly string[]
  chosen?: string
  spreads: ReadonlyMap<string, Spread>
}

const defaultTolerance = 1e-4
const singleName = 'one thread'
const plainName = 'plain'

/** Work as it is done with operands on a runtime. */
async function withReady<T>(
  runtime: Runtime,
  operands: OperandSpecs,
  works: readonly Work[],
  body: (...ready: Ready[]) => Promise<T>,
): Promise<T> {
  const tensors = uploadOperands(runtime, operands)
  const ready: Ready[] = []
  try {
    for (const work of works) ready.push(makeReady(work, tensors))
    return await body(...ready)
  } finally {
    for (const item of ready) item[Symbol.dispose]()
    for (const tensor of Object.values(tensors)) tensor.dispose()
  }
}

/** One run's output, to be released. */
const once = (ready: Ready) => scope(() => ready.run())

/** The elements of the output. */
const outputOn = (runtime: Runtime, subject: Computation) =>
  withReady(runtime, subject.operands, [subject], async ready => {
    using out = once(ready)
    return out.floats()
  })

export class CaseRun {
  readonly #notes: Record<string, string> = {}
  #cost: Cost = { flops: 0, bytes: 0 }
  /** Of the whole case, for variants and peers; a case checked on small operands has none. */
  #sample: Sample | undefined

  constructor(
    private readonly ours: Ours,
    private readonly subject: Case,
    private readonly peers: readonly Peer[],
    private readonly variants: boolean,
  ) {}

  /** Measures it, each library for about so many seconds. */
  async row(seconds: number): Promise<Measured> {
    const { kernel, name, unit } = this.subject
    const cost = await this.#guard('ours', () => costOfRun(this.subject))
    if (cost) this.#cost = cost
    const {
      first,
      variants = [],
      chosen,
      spreads,
    } = cost ? await this.#measureWall(seconds) : ({ spreads: new Map() } as Wall)
    const wall = spreads.get('ours')
    const device = wall && (await this.#measureDevice(Math.min(seconds, 1)))
    const spreadsOf = (names: readonly string[]) =>
      Object.fromEntries(
        names.flatMap(name => {
          const spread = spreads.get(name === chosen ? 'ours' : name)
          return spread ? [[name, spread]] : []
        }),
      )
    const ratesOf = (names: readonly string[]) =>
      Object.fromEntries(names.map(name => [name, this.#rate(spreads.get(name === chosen ? 'ours' : name)?.median)]))
    const peers = this.peers.map(peer => peer.name)
    return {
      kernel,
      name,
      unit,
      ours: this.#rate(wall?.median),
      device: this.#rate(device?.median),
      one_thread: this.#rate(spreads.get(singleName)?.median),
      plain: this.#rate(spreads.get(plainName)?.median),
      peers: ratesOf(peers),
      variant: first?.variant ?? '',
      chosen: chosen ?? null,
      variants: ratesOf(variants),
      classes: first?.classes ?? [],
      dispatches: first?.dispatches ?? 0,
      ...this.#cost,
      seconds: wall ?? null,
      plain_seconds: spreads.get(plainName) ?? null,
      variant_seconds: spreadsOf(variants),
      peer_seconds: spreadsOf(peers),
      first_call: first?.seconds ?? null,
      bytes_allocated: first?.bytesAllocated ?? 0,
      error: first?.error ?? null,
      notes: this.#notes,
    }
  }

  /** Checks us and every peer, then measures those who were right. */
  async #measureWall(seconds: number): Promise<Wall> {
    const { runtime, single } = this.ours
    const { subject } = this
    const runners: Runner[] = []
    const spreads = new Map<string, Spread>()
    let wall: Wall = { spreads }
    const runnerOf = (name: string, runtime: Runtime, ready: Ready) =>
      oursRunner(name, runtime, () => once(ready).dispose())
    const measureAll = async () => {
      const results = await measure(runners, seconds)
      results.forEach((result, i) => {
        if (result instanceof Error) this.#notes[runners[i].name] = result.message
        else spreads.set(runners[i].name, result)
      })
    }
    try {
      const works = subject.plain ? [subject, subject.plain] : [subject]
      await withReady(runtime, subject.operands, works, async (ready, plain?: Ready) => {
        const first = await this.#guard('ours', () => this.#first(ready))
        if (first) {
          runners.push(runnerOf('ours', runtime, ready))
          const { runners: others, ...found } = await this.#variantRunners(ready, first)
          runners.push(...others)
          wall = { first, ...found, spreads }
          const same = plain && (await this.#guard(plainName, () => this.#assertSame(ready, plain)))
          if (same) runners.push(runnerOf(plainName, runtime, plain))
        }
        for (const peer of subject.peer ? this.peers : []) {
          const runner = await this.#guard(peer.name, () => this.#openPeer(peer))
          if (runner) runners.push(runner)
        }
        if (!single || !first) return measureAll()
        await withReady(single, subject.operands, [subject], ready => {
          runners.push(runnerOf(singleName, single, ready))
          return measureAll()
        })
      })
    } catch (error) {
      this.#notes.ours = (error as Error).message
    }
    return wall
  }

  /** The first run, and its check. */
  async #first(ready: Ready): Promise<FirstRun> {
    const { runtime, takeDispatches, variants } = this.ours
    takeDispatches()
    variants?.choose.takeClasses()
    runtime.resetPeak()
    const before = runtime.statistics().live
    const start = performance.now()
    using out = once(ready)
    await runtime.sync()
    const seconds = (performance.now() - start) / 1e3
    const dispatches = takeDispatches()
    const classes = variants?.choose.takeClasses() ?? []
    const bytesAllocated = runtime.statistics().peak - before
    const error = await this.#assertRight(out)
    return { seconds, bytesAllocated, variant: variantOf(dispatches), dispatches: dispatches.length, error, classes }
  }

  /**
   * The variants, where the case is about one class of shapes. Those that the rule did not take have run once, were
   * checked, and are to be measured.
   */
  async #variantRunners(
    ready: Ready,
    first: FirstRun,
  ): Promise<{ variants: readonly string[]; chosen?: string; runners: Runner[] }> {
    const { runtime, takeDispatches, variants } = this.ours
    const runners: Runner[] = []
    if (!this.variants || !variants || first.classes.length !== 1 || !this.#sample) return { variants: [], runners }
    // A variant that a kernel does not have plans what the rule does.
    const programs = new Map<string, string>()
    for (const name of variants.names)
      await this.#guard(name, async () => {
        const run = () => variants.choose.with(name, () => once(ready))
        takeDispatches()
        using out = run()
        const program = variantOf(takeDispatches())
        if (programs.has(program)) return
        programs.set(program, name)
        if (program === first.variant) return
        await this.#assertRight(out)
        runners.push(oursRunner(name, runtime, () => run().dispose()))
      })
    return { variants: [...programs.values()], chosen: programs.get(first.variant), runners }
  }

  /** How far the output is off; throws where that is too far. */
  async #assertRight(out: Tensor): Promise<number> {
    const { sample, actual } = await this.#check(out)
    const { error, complaint } = judge(sample, actual, this.subject.tolerance ?? defaultTolerance)
    if (complaint) throw new Error(complaint)
    return error
  }

  /** Whether the plain way comes to the same output; throws where it does not. */
  async #assertSame(ready: Ready, plain: Ready): Promise<true> {
    using out = once(ready)
    using other = once(plain)
    const { indices, expected } = sampleOf(sizeOf(out.shape), () => 0)
    const [ours, theirs] = [await out.floats(), await other.floats()]
    const sample = { indices, expected: expected.map((_, i) => ours[indices[i]]) }
    const { complaint } = judge(
      sample,
      indices.map(index => theirs[index]),
      this.subject.tolerance ?? defaultTolerance,
    )
    if (complaint) throw new Error(complaint)
    return true
  }

  async #check(out: Tensor): Promise<Checked> {
    const { check, operands } = this.subject
    if (typeof check === 'function') {
      const sample = (this.#sample ??= sampleOf(sizeOf(out.shape), check(hostOperands(operands))))
      const elements = await out.floats()
      return { sample, actual: sample.indices.map(index => elements[index]) }
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
      withReady(profiled, this.subject.operands, [this.subject], async ready => {
        const run = () => once(ready).dispose()
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
