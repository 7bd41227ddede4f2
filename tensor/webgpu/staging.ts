// Buffers through which the host reads. Sizes are powers of two, so that a loop of reads soon reuses them; a read of
// more than the largest size goes through several.

const smallest = 4096
const largest = 2 ** 26
// Bytes kept between reads.
const keptBytes = 2 ** 26

/** Bytes [start, start + bytes) of the read's source number `source`, which go to `at` in a buffer. */
export interface Chunk {
  readonly source: number
  readonly start: number
  readonly at: number
  readonly bytes: number
}

/** One buffer's part of a read. */
export interface Piece {
  readonly buffer: GPUBuffer
  readonly bytes: number
  readonly chunks: readonly Chunk[]
}

/** Mappable buffers of one device. */
export class Staging {
  readonly #free: GPUBuffer[] = []
  readonly #largest: number
  #kept = 0

  constructor(
    private readonly device: GPUDevice,
    maxBufferSize: number,
  ) {
    this.#largest = Math.min(largest, 2 ** Math.floor(Math.log2(maxBufferSize)))
  }

  /** Buffers for a read of sources of these sizes, multiples of 4, one after the other. */
  acquire(sizes: readonly number[]): Piece[] {
    const plan: { bytes: number; chunks: Chunk[] }[] = []
    sizes.forEach((size, source) => {
      for (let start = 0; start < size;) {
        let piece = plan.at(-1)
        if (!piece || piece.bytes === this.#largest) plan.push((piece = { bytes: 0, chunks: [] }))
        const bytes = Math.min(size - start, this.#largest - piece.bytes)
        piece.chunks.push({ source, start, at: piece.bytes, bytes })
        piece.bytes += bytes
        start += bytes
      }
    })
    return plan.map(piece => ({ ...piece, buffer: this.#buffer(piece.bytes) }))
  }

  /** Takes unmapped buffers back. */
  release(pieces: readonly Piece[]): void {
    for (const { buffer } of pieces) {
      if (this.#kept + buffer.size > keptBytes) buffer.destroy()
      else {
        this.#free.push(buffer)
        this.#kept += buffer.size
      }
    }
  }

  destroy(): void {
    for (const buffer of this.#free) buffer.destroy()
  }

  #buffer(bytes: number): GPUBuffer {
    const size = Math.min(this.#largest, Math.max(smallest, 2 ** Math.ceil(Math.log2(bytes))))
    const found = this.#free.findIndex(buffer => buffer.size === size)
    if (found >= 0) {
      this.#kept -= size
      return this.#free.splice(found, 1)[0]
    }
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST
    return this.device.createBuffer({ label: 'staging', size, usage })
  }
}
