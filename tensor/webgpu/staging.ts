// Buffers through which the host reads. Sizes are powers of two, so that a loop of reads soon reuses them.

const smallest = 4096
// Kept between reads; a larger one is destroyed after use.
const largestKept = 2 ** 26

export class Staging {
  readonly #free: GPUBuffer[] = []

  constructor(private readonly device: GPUDevice) {}

  /** A mappable buffer of at least `bytes` bytes. */
  acquire(bytes: number): GPUBuffer {
    const size = Math.max(smallest, 2 ** Math.ceil(Math.log2(bytes)))
    const found = this.#free.findIndex(buffer => buffer.size === size)
    if (found >= 0) return this.#free.splice(found, 1)[0]
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST
    return this.device.createBuffer({ label: 'staging', size, usage })
  }

  release(buffer: GPUBuffer): void {
    if (buffer.size > largestKept) buffer.destroy()
    else this.#free.push(buffer)
  }

  destroy(): void {
    for (const buffer of this.#free) buffer.destroy()
  }
}
