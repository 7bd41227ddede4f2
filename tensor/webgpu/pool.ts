// Device memory: a pool of buffers. A loop whose steps ask for the same sizes allocates in its first steps only.
//
// Buffers are reused for their exact size, which is quick and wastes nothing, as long as idle memory stays within
// bounds. Networks whose layers come in many sizes would leave several times their peak idle that way. So beyond the
// bound a larger buffer serves as well, and what has been idle longest is destroyed before anything new is made.

import { BlockStorage } from '../block-storage.js'
import { OutOfMemoryError } from '../errors.js'
import type { Block, RecordedMemory } from '../recording.js'

/** A buffer and who uses it. */
export class GpuBlock implements Block {
  /** Number of the last batch of commands that uses the buffer. */
  batch = 0
  holders = 0
  /** Bytes of it that its holders asked for. */
  asked = 0
  /** When it was last given back, in releases of its pool. */
  idleSince = 0
  /** The device refused the memory, as it told later: nothing can be done with the buffer. */
  refused = false
  constructor(
    readonly buffer: GPUBuffer,
    /** Distinguishes buffers in cache keys. */
    readonly id: number,
    readonly size: number,
  ) {}
}

export type GpuStorage = BlockStorage<GpuBlock>

export interface PoolOptions {
  /**
   * Largest sum of live and idle bytes; beyond it idle buffers go first, then allocations fail. With it buffers are
   * never larger than asked for: so whatever fits in exact sizes fits.
   */
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

// Memory of which no more is kept than this share of what was live at most, or so many bytes.
const keptShare = 1.5
const keptBytes = 2 ** 28

/**
 * The buffers of one device. Requests and releases take effect at once, on the host's clock: work recorded earlier runs
 * before whatever the next owner of a buffer records. Throws an OutOfMemoryError beyond its bounds; what the device
 * itself refuses is told to `watch`.
 */
export class Pool {
  /** Bytes asked for by those who hold a buffer, and at the most so far. */
  live = 0
  peak = 0
  hits = 0
  misses = 0
  /** Where allocations go to and come from while work is being recorded. */
  recording: RecordedMemory<GpuBlock> | undefined
  /**
   * Idle buffers by size. Those made first are at the end of each list, and are reused first: so the steps of a loop
   * get the same buffers again, and their bind groups.
   */
  readonly #free = new Map<number, GpuBlock[]>()
  /** Bytes of all buffers. */
  #held = 0
  #releases = 0
  #lastId = 0

  constructor(
    private readonly device: GPUDevice,
    private readonly options: PoolOptions,
  ) {}

  /** Bytes of buffers that nobody asked for. */
  get idle(): number {
    return this.#held - this.live
  }

  /** Bytes that a request really takes: whole vec4s, since kernels may bind any buffer as array<vec4>. */
  static roundUp(bytes: number): number {
    return Math.max(16, Math.ceil(bytes / 16) * 16)
  }

  /** A `constant` keeps its contents as long as the recording in which it is made. */
  acquire(bytes: number, label: string, constant = false): GpuStorage {
    const { recording } = this
    const size = Pool.roundUp(bytes)
    if (recording && !constant) return new BlockStorage(recording.draft(size), bytes, label)
    const block = this.take(size, label)
    if (constant) recording?.hold(block)
    block.holders++
    return new BlockStorage(block, bytes, label)
  }

  release(storage: GpuStorage): void {
    const block = storage.release()
    if (block) this.drop(block)
  }

  /** Takes note that one user less holds the block; after the last one it is idle. */
  drop(block: GpuBlock): void {
    if (--block.holders > 0) return
    block.idleSince = ++this.#releases
    this.live -= block.asked
    const list = this.#free.get(block.size) ?? []
    const older = list.findIndex(({ id }) => id < block.id)
    list.splice(older < 0 ? list.length : older, 0, block)
    this.#free.set(block.size, list)
  }

  /** A block that nobody holds yet. */
  take(size: number, label: string): GpuBlock {
    const { maxBytes } = this.options
    const bound = Math.min(maxBytes, Math.max(keptBytes, keptShare * Math.max(this.peak, this.live + size)))
    let block = this.#reuse(size)
    if (!block && maxBytes === Infinity && this.#held + size > bound) block = this.#reuseLarger(size)
    if (block) this.hits++
    else {
      this.#shrink(bound - size)
      this.#assertRoom(size, label)
      this.misses++
      block = this.#create(size, label)
    }
    block.asked = size
    this.live += size
    this.peak = Math.max(this.peak, this.live)
    return block
  }

  /** Destroys every idle buffer. */
  trim(): void {
    this.#shrink(0)
  }

  /** An idle block; those that the device refused are thrown away on the way. */
  #reuse(size: number): GpuBlock | undefined {
    const list = this.#free.get(size) ?? []
    for (let block = list.pop(); block; block = list.pop()) {
      if (!block.refused) return block
      this.#destroy(block)
    }
    return undefined
  }

  /** The smallest idle block that is larger. */
  #reuseLarger(size: number): GpuBlock | undefined {
    const sizes = [...this.#free.keys()].filter(other => other > size).sort((a, b) => a - b)
    for (const other of sizes) {
      const block = this.#reuse(other)
      if (block) return block
    }
    return undefined
  }

  /** Destroys blocks that have been idle longest, until no more bytes are held than these. */
  #shrink(bytes: number): void {
    if (this.#held <= bytes) return
    const idle = [...this.#free.values()].flat().sort((a, b) => a.idleSince - b.idleSince)
    if (idle.length === 0) return
    this.options.flush()
    for (const block of idle) {
      if (this.#held <= bytes) break
      const list = this.#free.get(block.size)!
      list.splice(list.indexOf(block), 1)
      this.#destroy(block)
    }
    this.options.onDestroy()
  }

  #assertRoom(size: number, label: string): void {
    const { maxBytes, maxBufferBytes } = this.options
    const { live, peak } = this
    if (size > maxBufferBytes || this.#held + size > maxBytes)
      throw new OutOfMemoryError(label, { asked: size, live, peak })
  }

  #destroy({ buffer, size }: GpuBlock): void {
    buffer.destroy()
    this.#held -= size
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
    this.#held += size
    return block
  }
}
