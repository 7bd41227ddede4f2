// Device memory: an exact-size pool. A loop whose steps ask for the same sizes allocates in its first step only.

import { LifetimeError, OutOfMemoryError } from '../errors.js'
import { Draft, insideCapture, settled, type Block, type Place, type RecordedMemory } from '../recording.js'
import type { Storage } from '../runtime.js'

/** A buffer and who uses it. */
export class GpuBlock implements Block {
  /** Number of the last batch of commands that uses the buffer. */
  batch = 0
  holders = 0
  /** The device refused the memory, as it told later: nothing can be done with the buffer. */
  refused = false
  constructor(
    readonly buffer: GPUBuffer,
    /** Distinguishes buffers in cache keys. */
    readonly id: number,
    readonly size: number,
  ) {}
}

/** A block in the hands of a tensor or a kernel, with the size and label that they asked for. */
export class GpuStorage implements Storage {
  released = false
  constructor(
    readonly place: Place<GpuBlock>,
    readonly bytes: number,
    readonly label: string,
  ) {}
}

/** Where a storage is; throws when it was released. */
export function placeOf(storage: Storage): Place<GpuBlock> {
  const gpu = storage as GpuStorage
  if (gpu.released) throw new LifetimeError({ where: gpu.label, what: 'memory used after it was released' })
  return gpu.place
}

/** The block of a storage; throws when it was released, or is part of work that is being recorded. */
export function blockOf(storage: Storage): GpuBlock {
  const block = settled(placeOf(storage))
  if (!block) throw insideCapture(storage.label)
  return block
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

/**
 * The buffers of one device. Requests and releases take effect at once, on the host's clock: work recorded earlier runs
 * before whatever the next owner of a buffer records. Throws an OutOfMemoryError beyond its bounds; what the device itself
 * refuses is told to `watch`.
 */
export class Pool {
  live = 0
  peak = 0
  idle = 0
  hits = 0
  misses = 0
  /** Where allocations go to and come from while work is being recorded. */
  recording: RecordedMemory<GpuBlock> | undefined
  readonly #free = new Map<number, GpuBlock[]>()
  #lastId = 0

  constructor(
    private readonly device: GPUDevice,
    private readonly options: PoolOptions,
  ) {}

  /** Bytes that a request really takes: whole vec4s, since kernels may bind any buffer as array<vec4>. */
  static roundUp(bytes: number): number {
    return Math.max(16, Math.ceil(bytes / 16) * 16)
  }

  /** A `constant` keeps its contents as long as the recording in which it is made. */
  acquire(bytes: number, label: string, constant = false): GpuStorage {
    const { recording } = this
    const size = Pool.roundUp(bytes)
    if (recording && !constant) return new GpuStorage(recording.draft(size), bytes, label)
    const block = this.take(size, label)
    if (constant) recording?.hold(block)
    block.holders++
    return new GpuStorage(block, bytes, label)
  }

  release(storage: GpuStorage): void {
    if (storage.released) return
    storage.released = true
    const { place } = storage
    if (place instanceof Draft) place.kept = false
    const block = settled(place)
    if (block) this.drop(block)
  }

  /** Takes note that one user less holds the block; after the last one it is idle. */
  drop(block: GpuBlock): void {
    if (--block.holders > 0) return
    const { size } = block
    const list = this.#free.get(size)
    if (list) list.push(block)
    else this.#free.set(size, [block])
    this.live -= size
    this.idle += size
  }

  /** A block that nobody holds yet. */
  take(size: number, label: string): GpuBlock {
    let block = this.#reuse(size)
    if (block) this.hits++
    else {
      this.#reserve(size, label)
      this.misses++
      block = this.#create(size, label)
    }
    this.live += size
    this.peak = Math.max(this.peak, this.live)
    return block
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

  /** An idle block; those that the device refused are thrown away on the way. */
  #reuse(size: number): GpuBlock | undefined {
    const list = this.#free.get(size) ?? []
    for (let block = list.pop(); block; block = list.pop()) {
      this.idle -= size
      if (!block.refused) return block
      block.buffer.destroy()
    }
    return undefined
  }

  #reserve(size: number, label: string): void {
    const { maxBytes, maxBufferBytes } = this.options
    if (this.live + this.idle + size > maxBytes) this.trim()
    if (size > maxBufferBytes || this.live + size > maxBytes)
      throw new OutOfMemoryError(label, { asked: size, live: this.live, peak: this.peak })
  }

  #create(size: number, label: string): GpuBlock {
    const { live, peak } = this
    this.device.pushErrorScope('out-of-memory')
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST
    const block = new GpuBlock(this.device.createBuffer({ label, size, usage }), ++this.#lastId, size)
    this.options.watch(
      this.device.popErrorScope().then(error => {
        if (!error) return
        block.refused = true
        throw new OutOfMemoryError(label, { asked: size, live, peak })
      }),
    )
    return block
  }
}
