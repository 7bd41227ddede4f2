// Time on the device, dispatch by dispatch, through timestamp queries. Each profiled dispatch has a pass of its own, so
// profiling costs a little; it is off unless asked for.

/** One dispatch on the device's clock. */
export interface Timing {
  readonly op: string
  readonly shader: string
  readonly nanoseconds: number
}

/**
 * Timestamps of a recorder's passes: `next` for each pass, `resolve` before and `collect` after a batch of at most
 * `capacity` of them is submitted, `take` for what came out.
 */
export class Profiler {
  readonly #queries: GPUQuerySet
  readonly #resolved: GPUBuffer
  readonly #timings: Promise<Timing[]>[] = []
  #names: { op: string; shader: string }[] = []
  #staging: GPUBuffer | undefined

  constructor(
    private readonly device: GPUDevice,
    private readonly capacity: number,
  ) {
    this.#queries = device.createQuerySet({ label: 'profiler', type: 'timestamp', count: 2 * capacity })
    this.#resolved = device.createBuffer({
      label: 'profiler',
      size: 16 * capacity,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    })
  }

  /** The timestamps of the next pass. */
  next(op: string, shader: string): GPUComputePassTimestampWrites {
    const index = 2 * this.#names.length
    this.#names.push({ op, shader })
    return { querySet: this.#queries, beginningOfPassWriteIndex: index, endOfPassWriteIndex: index + 1 }
  }

  /** Ends a batch: its timestamps go where the host can read them. */
  resolve(encoder: GPUCommandEncoder): void {
    const count = this.#names.length
    if (count === 0) return
    this.#staging = this.device.createBuffer({
      label: 'profiler',
      size: 16 * this.capacity,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    })
    encoder.resolveQuerySet(this.#queries, 0, 2 * count, this.#resolved, 0)
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#staging, 0, 16 * count)
  }

  /** After the batch's submission: begins to read its timestamps. */
  collect(): void {
    const staging = this.#staging
    if (!staging) return
    const names = this.#names
    this.#names = []
    this.#staging = undefined
    const timings = staging.mapAsync(GPUMapMode.READ).then(() => {
      const ticks = new BigUint64Array(staging.getMappedRange())
      const rows = names.map((name, i) => ({ ...name, nanoseconds: Number(ticks[2 * i + 1] - ticks[2 * i]) }))
      staging.destroy()
      return rows
    })
    // A lost device rejects the map; whoever takes the timings hears of it, and nobody else has to.
    timings.catch(() => undefined)
    this.#timings.push(timings)
  }

  /** All timings since the last call. */
  async take(): Promise<Timing[]> {
    return (await Promise.all(this.#timings.splice(0))).flat()
  }

  destroy(): void {
    this.#queries.destroy()
    this.#resolved.destroy()
  }
}
