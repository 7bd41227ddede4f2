// Device memory: an exact-size pool. A loop whose steps ask for the same sizes allocates in its first step only.

import { LifetimeError, OutOfMemoryError } from '../errors.js'
import type { Storage } from '../runtime.js'

/** A buffer with the label of its present user. */
export class GpuStorage implements Storage {
  /** Number of the last batch of commands that uses the buffer. */
  batch = 0
  released = false
  constructor(
    readonly buffer: GPUBuffer,
    /** Distinguishes buffers in cache keys. */
    readonly id: number,
    readonly bytes: number,
    readonly label: string,
  ) {}
}

/** The device side of a storage; throws when it was released. */
export function gpuStorage(storage: Storage): GpuStorage {
  const gpu = storage as GpuStorage
  if (gpu.released) throw new LifetimeError({ where: gpu.label, what: 'memory used after it was released' })
  return gpu
}

interface Idle {
  buffer: GPUBuffer
  id: number
  batch: number
}

export interface PoolOptions {
  /** Largest sum of live and idle bytes; beyond it idle buffers go first, then allocations fail. */
  maxBytes: number
  /** Largest single buffer. */
  maxBufferBytes: number
  /** Called before idle buffers are destroyed: commands that use them must have been submitted. */
  flush: () => void
  /** Called after idle buffers are destroyed. */
  onDestroy: () => void
  /** Takes the outcome of an allocation, which the device tells late. */
  watch: (outcome: Promise<void>) => void
}

export class Pool {
  live = 0
  peak = 0
  idle = 0
  hits = 0
  misses = 0
  readonly #free = new Map<number, Idle[]>()
  #lastId = 0

  constructor(
    private readonly device: GPUDevice,
    private readonly options: PoolOptions,
  ) {}

  /** Bytes that a request really takes: whole vec4s, since kernels may bind any buffer as array<vec4>. */
  static roundUp(bytes: number): number {
    return Math.max(16, Math.ceil(bytes / 16) * 16)
  }

  acquire(bytes: number, label: string): GpuStorage {
    const size = Pool.roundUp(bytes)
    const found = this.#free.get(size)?.pop()
    if (found) {
      this.idle -= size
      this.hits++
    } else {
      this.#reserve(size, label)
      this.misses++
    }
    this.live += size
    this.peak = Math.max(this.peak, this.live)
    const { buffer, id, batch } = found ?? { buffer: this.#create(size, label), id: ++this.#lastId, batch: 0 }
    const storage = new GpuStorage(buffer, id, bytes, label)
    storage.batch = batch
    return storage
  }

  release(storage: GpuStorage): void {
    if (storage.released) return
    storage.released = true
    const size = Pool.roundUp(storage.bytes)
    const { buffer, id, batch } = storage
    const list = this.#free.get(size)
    if (list) list.push({ buffer, id, batch })
    else this.#free.set(size, [{ buffer, id, batch }])
    this.live -= size
    this.idle += size
  }

  /** Destroys every idle buffer. */
  trim(): void {
    if (this.idle === 0) return
    this.options.flush()
    for (const list of this.#free.values()) for (const { buffer } of list) buffer.destroy()
    this.#free.clear()
    this.idle = 0
    this.options.onDestroy()
  }

  #reserve(size: number, label: string): void {
    const { maxBytes, maxBufferBytes } = this.options
    if (this.live + this.idle + size > maxBytes) this.trim()
    if (size > maxBufferBytes || this.live + size > maxBytes)
      throw new OutOfMemoryError(label, { asked: size, live: this.live, peak: this.peak })
  }

  #create(size: number, label: string): GPUBuffer {
    const { live, peak } = this
    this.device.pushErrorScope('out-of-memory')
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST
    const buffer = this.device.createBuffer({ label, size, usage })
    this.options.watch(
      this.device.popErrorScope().then(error => {
        if (error) throw new OutOfMemoryError(label, { asked: size, live, peak })
      }),
    )
    return buffer
  }
}
