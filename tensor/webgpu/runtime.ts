// The WebGPU runtime: records dispatches of hand-written WGSL kernels on one device.

import { blockOf, placeOf } from '../block-storage.js'
import { AdapterError, DeviceLostError, KernelError, LifetimeError, UsageError, type RevisionError } from '../errors.js'
import type { Each, Op } from '../op.js'
import { insideCapture, RecordedMemory } from '../recording.js'
import {
  poisonWord,
  type Recording,
  type Runtime,
  type RuntimeOptions,
  type Statistics,
  type Storage,
  type StoredTensor,
} from '../runtime.js'
import { bytesOf } from '../op.js'
import type { AdapterFacts } from './adapter.js'
import type { OpenedDevice } from './device.js'
import { gridOf, wholeWindow, type Dispatch, type Tune, type WebGpuKernel, type Window } from './launch.js'
import { nullDevice } from './null-device.js'
import { Pool, type GpuBlock, type GpuStorage } from './pool.js'
import { Pipelines } from './pipelines.js'
import type { Timing } from './profiler.js'
import { Recorder } from './recorder.js'
import { bound, Replay, type PlacedRange, type RecordedDispatch } from './replay.js'
import { Staging } from './staging.js'

export interface WebGpuOptions extends RuntimeOptions {
  /** Limits to plan with, where they are to be narrower than the device's own: for tests of chunked paths. */
  limits?: Partial<AdapterFacts['limits']>
  /** Time every dispatch (needs timestamp-query). */
  profile?: boolean
  /** Variants to take instead of those that the rules choose. */
  tune?: Tune
}

/** Work being recorded. */
interface Recorded {
  readonly memory: RecordedMemory<GpuBlock>
  readonly dispatches: RecordedDispatch[]
}

/**
 * The runtime of one WebGPU device, which it closes. What goes wrong on the device is thrown by the next `read` or
 * `sync`; once the device is lost, everything throws a DeviceLostError.
 */
export class WebGpuRuntime implements Runtime {
  readonly name = 'webgpu'
  readonly description: string
  /** What kernels plan with. */
  readonly facts: AdapterFacts
  readonly #opened: OpenedDevice
  readonly #kernels: ReadonlyMap<string, WebGpuKernel>
  readonly #pool: Pool
  readonly #pipelines: Pipelines
  readonly #recorder: Recorder
  readonly #staging: Staging
  readonly #poison: boolean
  readonly #tune: Tune | undefined
  readonly #outcomes: Promise<void>[] = []
  /** Makes a runtime that plans as this one does, on a device that does nothing. */
  readonly #dry: () => WebGpuRuntime
  #recording: Recorded | undefined
  #leaks = 0
  #failure: RevisionError | undefined
  /** An error outside every scope; often only the consequence of one that a scope tells of later. */
  #stray: RevisionError | undefined
  #lost: DeviceLostError | undefined
  #closed = false
  /** The operation being recorded, for messages. */
  #current = 'runtime'

  /** Throws a UsageError for a `tune` of another adapter, and an AdapterError for a `profile` that it cannot make. */
  constructor(
    opened: OpenedDevice,
    kernels: readonly WebGpuKernel[],
    shaders: Readonly<Record<string, string>>,
    options: WebGpuOptions = {},
  ) {
    const { device, facts } = opened
    this.#opened = opened
    this.#poison = options.poison ?? false
    this.#tune = options.tune
    this.#dry = () =>
      new WebGpuRuntime(nullDevice(facts), kernels, shaders, { ...options, profile: false, poison: false })
    this.facts = { ...facts, limits: { ...facts.limits, ...options.limits } }
    this.description = facts.description
    this.#kernels = new Map(kernels.map(kernel => [kernel.op.name, kernel]))
    if (options.tune && options.tune.adapter !== '*' && options.tune.adapter !== facts.description)
      throw new UsageError({
        where: 'tune',
        what: 'made for another adapter',
        expected: facts.description,
        got: options.tune.adapter,
      })
    if (options.profile && !facts.features.timestamps)
      throw new AdapterError({ where: 'profile', what: 'adapter has no timestamp queries', got: facts.description })
    this.#recorder = new Recorder(device, options.profile ?? false)
    this.#pipelines = new Pipelines(device, shaders, outcome => this.#watch(outcome))
    this.#pool = new Pool(device, {
      maxBytes: options.maxBytes ?? Infinity,
      maxBufferBytes: this.facts.limits.maxBufferSize,
      flush: () => this.#recorder.flush(),
      onDestroy: () => this.#pipelines.forgetGroups(),
      watch: outcome => this.#watch(outcome),
    })
    this.#staging = new Staging(device, this.facts.limits.maxBufferSize)
    device.onuncapturederror = (event: GPUUncapturedErrorEvent) => {
      event.preventDefault() // or the driver prints it as well
      this.#stray ??= new KernelError({ where: this.#current, what: `device error: ${event.error.message}` })
    }
    void opened.lost.then(reason => {
      this.#lost = new DeviceLostError({ where: this.#current, what: `device lost (${reason})`, hint: 'a new runtime' })
    })
  }

  allocate(bytes: number, label: string, contents?: Uint8Array): Storage {
    this.#assertAlive(label)
    const storage = this.#pool.acquire(bytes, label, contents !== undefined)
    if (contents) this.#write(blockOf(storage), contents)
    else if (!this.#recording) this.#poisonIfWanted(blockOf(storage))
    return storage
  }

  upload(storage: Storage, data: Uint8Array, offset = 0): void {
    this.#assertNotRecording(storage.label)
    this.#write(blockOf(storage), data, offset)
  }

  copy(source: Storage, target: Storage): void {
    this.#assertNotRecording(target.label)
    const [from, to] = [source, target].map(storage => blockOf<GpuBlock>(storage))
    if (from === to) return
    this.#recorder.copy(from.buffer, 0, to.buffer, 0, Pool.roundUp(target.bytes))
    from.batch = to.batch = this.#recorder.batch
  }

  async read(storages: readonly Storage[]): Promise<Uint8Array[]> {
    this.#assertNotRecording('read')
    const sources = storages.map(storage => blockOf<GpuBlock>(storage).buffer)
    const copies = storages.map(({ bytes }) => new Uint8Array(bytes))
    const pieces = this.#staging.acquire(storages.map(({ bytes }) => Pool.roundUp(bytes)))
    for (const { buffer, chunks } of pieces)
      for (const { source, start, at, bytes } of chunks) this.#recorder.copy(sources[source], start, buffer, at, bytes)
    this.#recorder.flush()
    try {
      const { wait } = this.#opened
      await wait(Promise.all(pieces.map(({ buffer, bytes }) => buffer.mapAsync(GPUMapMode.READ, 0, bytes))))
    } catch (error) {
      for (const { buffer } of pieces) buffer.destroy()
      throw await this.#reasonFor(error)
    }
    for (const { buffer, bytes, chunks } of pieces) {
      const mapped = new Uint8Array(buffer.getMappedRange(0, bytes))
      for (const { source, start, at, bytes } of chunks) {
        const rest = copies[source].subarray(start) // shorter than a last chunk, which is padded
        rest.set(mapped.subarray(at, at + Math.min(bytes, rest.length)))
      }
      buffer.unmap()
    }
    this.#staging.release(pieces)
    await this.#throwFailures()
    return copies
  }

  run<I extends object, P>(
    op: Op<I, P>,
    inputs: Each<I, StoredTensor>,
    outputs: readonly StoredTensor[],
    params: P,
  ): void {
    this.#assertAlive(op.name)
    const kernel = this.#kernels.get(op.name)
    if (!kernel) throw new KernelError({ where: op.name, what: 'no WGSL kernel' })
    this.#current = op.name
    const scratch: Storage[] = []
    try {
      const dispatches = kernel.plan({
        inputs,
        outputs,
        params,
        facts: this.facts,
        tune: this.#tune,
        scratch: (shape, dtype) => {
          const storage = this.allocate(bytesOf({ shape, dtype }), `${op.name} scratch`)
          scratch.push(storage)
          return { shape, dtype, storage }
        },
      })
      for (const dispatch of dispatches) this.#dispatch(op.name, dispatch)
    } finally {
      for (const storage of scratch) this.release(storage)
    }
  }

  capture(body: () => void): Recording {
    this.#assertNotRecording('capture')
    const memory = new RecordedMemory<GpuBlock>(block => this.#pool.drop(block))
    const dispatches: RecordedDispatch[] = []
    this.#recording = { memory, dispatches }
    this.#pool.recording = memory
    let work: Replay
    try {
      body()
      memory.settle(size => {
        const block = this.#pool.take(size, 'capture')
        this.#poisonIfWanted(block)
        return block
      })
      work = new Replay(this.#opened.device, this.#pipelines, dispatches)
    } catch (error) {
      memory.release()
      throw error
    } finally {
      this.#recording = this.#pool.recording = undefined
    }
    const replay = () => {
      this.#assertAlive('capture')
      work.run(this.#recorder)
      for (const block of memory.blocks) block.batch = this.#recorder.batch
    }
    const release = () => {
      this.#recorder.flush()
      work.destroy()
      memory.release()
    }
    return { replay, release }
  }

  /**
   * Runs the body on a runtime that plans as this one does but has no memory and runs nothing: what it would take.
   * Throws what the body throws, an OutOfMemoryError beyond `maxBytes` among it.
   */
  dryRun(body: (runtime: Runtime) => void): Statistics {
    const dry = this.#dry()
    body(dry)
    return dry.statistics()
  }

  async warmUp(body: (runtime: Runtime) => void): Promise<void> {
    this.#assertAlive('warm-up')
    const dry = this.#dry()
    body(dry)
    await this.#opened.wait(this.#pipelines.prepare(dry.#pipelines.sources))
    await this.#throwFailures()
  }

  release(storage: Storage): void {
    this.#pool.release(storage as GpuStorage)
  }

  reportLeak(): void {
    this.#leaks++
  }

  statistics(): Statistics {
    const { live, peak, idle, hits, misses } = this.#pool
    const { dispatches, submits } = this.#recorder
    const { count: pipelines } = this.#pipelines
    return { live, peak, idle, hits, misses, dispatches, submits, pipelines, leaks: this.#leaks }
  }

  resetPeak(): void {
    this.#pool.peak = this.#pool.live
  }

  /** Device times of every dispatch since the last call; empty unless the runtime was opened with `profile`. */
  async timings(): Promise<Timing[]> {
    this.#recorder.flush()
    return (await this.#recorder.profiler?.take()) ?? []
  }

  trim(): void {
    this.#pool.trim()
  }

  async sync(): Promise<void> {
    this.#assertAlive('sync')
    this.#recorder.flush()
    await this.#opened.wait(this.#opened.device.queue.onSubmittedWorkDone())
    await this.#throwFailures()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    if (!this.#lost) {
      this.#recorder.flush()
      this.#pool.trim()
      this.#recorder.destroy()
      this.#staging.destroy()
    }
    await Promise.allSettled(this.#outcomes)
    await this.#opened.close()
  }

  #poisonIfWanted(block: GpuBlock): void {
    if (this.#poison) this.#write(block, new Uint8Array(new Uint32Array(block.size / 4).fill(poisonWord).buffer))
  }

  #write(block: GpuBlock, data: Uint8Array, offset = 0): void {
    // A write takes effect before commands that are still being recorded: those that use the buffer must go first.
    if (block.batch === this.#recorder.batch) this.#recorder.flush()
    const whole = data.byteLength & ~3
    const { queue } = this.#opened.device
    queue.writeBuffer(block.buffer, offset, data.buffer, data.byteOffset, whole)
    if (whole < data.byteLength) {
      const tail = new Uint8Array(4)
      tail.set(data.subarray(whole))
      queue.writeBuffer(block.buffer, offset + whole, tail)
    }
  }

  #dispatch(op: string, { shader, defines = {}, bindings, uniforms, workgroups }: Dispatch): void {
    const pipeline = this.#pipelines.get(shader, defines)
    const limit = this.facts.limits.maxStorageBufferBindingSize
    const given = new Set(Object.keys(bindings))
    let written = 0
    const ranges = pipeline.interface.buffers.map(({ name, index, writable }): PlacedRange => {
      const bound = bindings[name]
      if (!bound) throw new KernelError({ where: op, what: `${shader} is not given a binding`, expected: name })
      given.delete(name)
      const { tensor, offset, size }: Window = 'tensor' in bound ? bound : wholeWindow(bound)
      if (size > limit)
        throw new KernelError({
          where: op,
          what: `binding ${name} of ${shader} is larger than the device allows`,
          expected: `at most ${limit} bytes`,
          got: String(size),
        })
      if (writable) written += size
      return { index, place: placeOf(tensor.storage), offset, size }
    })
    if (given.size > 0)
      throw new KernelError({ where: op, what: `${shader} has no such binding`, got: [...given].join(', ') })
    const launch = { op, pipeline, grid: gridOf(op, workgroups, this.facts), written }
    if (this.#recording) {
      this.#recording.dispatches.push({ ...launch, ranges, uniforms })
      this.#recording.memory.use(ranges.map(({ place }) => place))
      return
    }
    const buffers = ranges.map(bound)
    const group = this.#pipelines.bindGroup(pipeline, buffers, this.#recorder.arena)
    this.#recorder.dispatch(launch, group, uniforms)
    for (const { block } of buffers) block.batch = this.#recorder.batch
  }

  #watch(outcome: Promise<void>): void {
    const settled = outcome.catch((error: unknown) => {
      this.#failure ??= error as RevisionError
    })
    this.#outcomes.push(settled)
    void settled.finally(() => this.#outcomes.splice(this.#outcomes.indexOf(settled), 1))
  }

  async #throwFailures(): Promise<void> {
    await Promise.all(this.#outcomes)
    this.#assertAlive(this.#current)
    const failure = this.#failure ?? this.#stray
    this.#failure = this.#stray = undefined
    if (failure) throw failure
  }

  async #reasonFor(error: unknown): Promise<unknown> {
    await Promise.all(this.#outcomes)
    return this.#lost ?? this.#failure ?? this.#stray ?? error
  }

  #assertNotRecording(where: string): void {
    this.#assertAlive(where)
    if (this.#recording) throw insideCapture(where)
  }

  #assertAlive(where: string): void {
    if (this.#closed) throw new LifetimeError({ where, what: 'runtime is closed' })
    if (this.#lost) throw new DeviceLostError({ ...this.#lost.parts, where })
  }
}
