// What a stage may do to take less memory. The video is the same, to the rounding of f32.

/** How a stage goes about its work. */
export interface MemoryPolicy {
  /** Layers that can work in chunks keep the largest intermediate of a chunk below so many bytes, if one part fits. */
  readonly chunkBytes: number
  /** The two halves of guidance run one after the other, not as one batch. */
  readonly sequentialGuidance: boolean
  /** A denoising step is recorded once and replayed: it takes less time on the host, and all of its memory at once. */
  readonly replay: boolean
}

/** For those who have room: as few and as large pieces of work as can be. */
export const quick: MemoryPolicy = { chunkBytes: 2 ** 28, sequentialGuidance: false, replay: true }

/** As little memory as can be. */
export const thrifty: MemoryPolicy = { chunkBytes: 2 ** 24, sequentialGuidance: true, replay: false }

/** From the quickest to the thriftiest. */
export const policies: readonly MemoryPolicy[] = [
  quick,
  { ...quick, replay: false },
  { ...quick, sequentialGuidance: true, replay: false },
  thrifty,
]
