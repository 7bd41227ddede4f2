// The WebGPU runtime: records dispatches of hand-written WGSL kernels on one device.

import { DeviceLostError, KernelError, LifetimeError, type RevisionError } from '../errors.js'
import type { Each, Op } from '../op.js'
import {
  poisonWord,
  type Runtime,
  type RuntimeOptions,
  type Statistics,
  type Storage,
  type StoredTensor,
} from '../runtime.js'
import { bytesOf } from '../op.js'
import type { AdapterFacts } from './adapter.js'
import type { OpenedDevice } from './device.js'
import { gridOf, wholeWindow, type Dispatch, type WebGpuKernel, type Window } from './launch.js'
import { gpuStorage, Pool, type GpuStorage } from './pool.js'
import { Pipelines, type BoundRange } from './pipelines.js'
import type { Timing } from './profiler.js'
import { Recorder } from './recorder.js'
import { Staging } from './staging.js'

export interface WebGpuOptions extends RuntimeOptions {
  /** Limits to plan with, where they are to be narrower than the device's own: for tests of chunked paths. */
  limits?: Partial<AdapterFacts['limits']>
  /** Time every dispatch (needs timestamp-query). */
  profile?: boolean
}

// Outputs of this many bytes in one batch are enough work to hand over, however few the dispatches.
const batchBytes = 2 ** 28

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
  readonly #outcomes: Promise<void>[] = []
  #batchBytes = 0
  #leaks = 0
  #failure: RevisionError | undefined
  /** An error outside every scope; often only the consequence of one that a scope tells of later. */
  #stray: RevisionError | undefined
  #lost: DeviceLostError | undefined
  #closed = false
  /** The operation being recorded, for messages. */
  #current = 'runtime'

  constructor(
    opened: OpenedDevice,
    kernels: readonly WebGpuKernel[],
    shaders: Readonly<Record<string, string>>,
    options: WebGpuOptions = {},
  ) {
    const { device, facts } = opened
    this.#opened = opened
    this.#poison = options.poison ?? false
    this.facts = { ...facts, limits: { ...facts.limits, ...options.limits } }
    this.description = facts.description
    this.#kernels = new Map(kernels.map(kernel => [kernel.op.name, kernel]))
    if (options.profile && !facts.features.timestamps)
      throw new KernelError({ where: 'profile', what: 'adapter has no timestamp queries', got: facts.description })
    this.#recorder = new Recorder(device, options.profile ?? false)
    this.#pipelines = new Pipelines(device, shaders, outcome => this.#watch(outcome))
    this.#pool = new Pool(device, {
      maxBytes: options.maxBytes ?? Infinity,
      maxBufferBytes: facts.limits.maxBufferSize,
      flush: () => this.#recorder.flush(),
      onDestroy: () => this.#pipelines.forgetGroups(),
      watch: outcome => this.#watch(outcome),
    })
    this.#staging = new Staging(device)
    device.onuncapturederror = (event: GPUUncapturedErrorEvent) => {
      event.preventDefault() // or the driver prints it as well
      this.#stray ??= new KernelError({ where: this.#current, what: `device error: ${event.error.message}` })
    }
    void opened.lost.then(reason => {
      this.#lost = new DeviceLostError({ where: this.#current, what: `device lost (${reason})`, hint: 'a new runtime' })
    })
  }

  allocate(bytes: number, label: string): Storage {
    this.#assertAlive(label)
    const storage = this.#pool.acquire(bytes, label)
    if (this.#poison)
      this.upload(storage, new Uint8Array(new Uint32Array(Pool.roundUp(bytes) / 4).fill(poisonWord).buffer))
    return storage
  }

  upload(storage: Storage, data: Uint8Array, offset = 0): void {
    this.#assertAlive(storage.label)
    const gpu = gpuStorage(storage)
    // A write takes effect before commands that are still being recorded: those that use the buffer must go first.
    if (gpu.batch === this.#recorder.batch) this.#recorder.flush()
    const whole = data.byteLength & ~3
    this.#opened.device.queue.writeBuffer(gpu.buffer, offset, data.buffer, data.byteOffset, whole)
    if (whole < data.byteLength) {
      const tail = new Uint8Array(4)
      tail.set(data.subarray(whole))
      this.#opened.device.queue.writeBuffer(gpu.buffer, offset + whole, tail)
    }
  }

  async read(storages: readonly Storage[]): Promise<Uint8Array[]> {
    this.#assertAlive('read')
    const parts = storages.map(storage => gpuStorage(storage))
    const staging = this.#staging.acquire(parts.reduce((sum, { bytes }) => sum + Pool.roundUp(bytes), 0))
    let offset = 0
    for (const { buffer, bytes } of parts) {
      const size = Pool.roundUp(bytes)
      this.#recorder.copy(buffer, staging, offset, size)
      offset += size
    }
    this.#recorder.flush()
    try {
      await this.#opened.wait(staging.mapAsync(GPUMapMode.READ, 0, offset))
    } catch (error) {
      throw await this.#reasonFor(error)
    }
    const mapped = new Uint8Array(staging.getMappedRange(0, offset))
    let start = 0
    const copies = parts.map(({ bytes }) => {
      const copy = mapped.slice(start, start + bytes)
      start += Pool.roundUp(bytes)
      return copy
    })
    staging.unmap()
    this.#staging.release(staging)
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
    this.#batchBytes += outputs.reduce((sum, tensor) => sum + bytesOf(tensor), 0)
    if (this.#batchBytes > batchBytes) this.#flush()
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
    return { live, peak, idle, hits, misses, dispatches, submits, leaks: this.#leaks }
  }

  resetPeak(): void {
    this.#pool.peak = this.#pool.live
  }

  /** Device times of every dispatch since the last call; empty unless the runtime was opened with `profile`. */
  async timings(): Promise<Timing[]> {
    this.#flush()
    return (await this.#recorder.profiler?.take()) ?? []
  }

  /** Destroys idle buffers. */
  trim(): void {
    this.#pool.trim()
  }

  async sync(): Promise<void> {
    this.#assertAlive('sync')
    this.#flush()
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

  #flush(): void {
    this.#recorder.flush()
    this.#batchBytes = 0
  }

  #dispatch(op: string, { shader, defines = {}, bindings, uniforms, workgroups }: Dispatch): void {
    const pipeline = this.#pipelines.get(shader, defines)
    const limit = this.facts.limits.maxStorageBufferBindingSize
    const given = new Set(Object.keys(bindings))
    const storages: GpuStorage[] = []
    const ranges = pipeline.interface.buffers.map(({ name, index }): BoundRange => {
      const bound = bindings[name]
      if (!bound) throw new KernelError({ where: op, what: `${shader} is not given a binding`, expected: name })
      given.delete(name)
      const { tensor, offset, size }: Window = 'tensor' in bound ? bound : wholeWindow(bound)
      const storage = gpuStorage(tensor.storage)
      if (size > limit)
        throw new KernelError({
          where: op,
          what: `binding ${name} of ${shader} is larger than the device allows`,
          expected: `at most ${limit} bytes`,
          got: String(size),
        })
      storages.push(storage)
      return { index, id: storage.id, buffer: storage.buffer, offset, size }
    })
    if (given.size > 0)
      throw new KernelError({ where: op, what: `${shader} has no such binding`, got: [...given].join(', ') })
    const group = this.#pipelines.bindGroup(pipeline, ranges, this.#recorder.arena)
    this.#recorder.dispatch(op, pipeline, group, uniforms, gridOf(op, workgroups, this.facts))
    for (const storage of storages) storage.batch = this.#recorder.batch
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

  #assertAlive(where: string): void {
    if (this.#closed) throw new LifetimeError({ where, what: 'runtime is closed' })
    if (this.#lost) throw new DeviceLostError({ ...this.#lost.parts, where })
  }
}
