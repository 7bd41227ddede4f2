// The allocator of the WebAssembly runtime's memory: best fit over ranges of addresses, neighbours merged when freed.
// What it knows stands outside that memory, where no kernel can overwrite it.

/** Every range begins and ends at a multiple of it: a cache line, and whole vectors. */
export const alignment = 64

interface Range {
  start: number
  end: number
}

/** Bytes that a request really takes. */
export function roundUp(bytes: number): number {
  return Math.max(alignment, Math.ceil(bytes / alignment) * alignment)
}

/** Addresses of one growing memory. All sizes in bytes. */
export class Heap {
  /** Allocations served from freed ranges, and those that took new addresses. */
  hits = 0
  misses = 0
  /** Ranges that nobody has, by address; no two of them touch. */
  readonly #free: Range[] = []
  #end: number

  /** Gives out addresses from `start`; `grow` makes the memory reach to an end, or says that it cannot. */
  constructor(
    start: number,
    private readonly grow: (end: number) => boolean,
  ) {
    this.#end = start
  }

  /** Bytes in freed ranges. */
  get idle(): number {
    return this.#free.reduce((sum, { start, end }) => sum + end - start, 0)
  }

  /**
   * The address of `size` bytes, which is a multiple of the alignment; undefined when the memory cannot grow as far.
   */
  allocate(size: number): number | undefined {
    let best = -1
    let bestSize = Infinity
    for (let i = 0; i < this.#free.length; i++) {
      const { start, end } = this.#free[i]
      const room = end - start
      if (room < size || room >= bestSize) continue
      best = i
      bestSize = room
      if (room === size) break
    }
    if (best < 0) return this.#extend(size)
    this.hits++
    const range = this.#free[best]
    const address = range.start
    range.start += size
    if (range.start === range.end) this.#free.splice(best, 1)
    return address
  }

  /** Takes back what `allocate` gave. */
  free(address: number, size: number): void {
    const end = address + size
    const next = this.#indexFrom(address)
    const [before, after] = [this.#free.at(next - 1), this.#free.at(next)]
    const joinsBefore = next > 0 && before?.end === address
    const joinsAfter = after?.start === end
    if (joinsBefore && joinsAfter) {
      before.end = after.end
      this.#free.splice(next, 1)
    } else if (joinsBefore) before.end = end
    else if (joinsAfter) after.start = address
    else this.#free.splice(next, 0, { start: address, end })
  }

  /** New addresses; a freed range at the end is their beginning. */
  #extend(size: number): number | undefined {
    const last = this.#free.at(-1)
    const touches = last?.end === this.#end
    const address = touches ? last.start : this.#end
    if (!this.grow(address + size)) return undefined
    this.misses++
    if (touches) this.#free.pop()
    this.#end = address + size
    return address
  }

  /** The index of the first freed range at or behind an address. */
  #indexFrom(address: number): number {
    let [low, high] = [0, this.#free.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#free[middle].start < address) low = middle + 1
      else high = middle
    }
    return low
  }
}
