// Videos longer than a model was trained on: at every step the UNet sees overlapping clips, and what it says of a frame
// is blended over the clips that hold it. So all clips grow together, and none ends where another begins.
// After Bar-Tal et al., "MultiDiffusion: Fusing Diffusion Paths for Controlled Image Generation" (arXiv:2302.08113), over
// time instead of space.

import { affine, cat, mix, slice } from '../../kernels/index.js'
import { disposeAll, keep, scope, Tensor, UsageError, type Runtime } from '../../tensor/index.js'

/** How a video is cut. */
export interface ClipOptions {
  /** Frames of a clip: as many as the model was trained on. */
  readonly frames: number
  /** Frames that neighbouring clips share at least. Default: a quarter of a clip. */
  readonly overlap?: number
}

/** Frames first..end of a video, end not included. */
export interface Clip {
  readonly first: number
  readonly end: number
}

/**
 * Cuts a video into as few clips of one length as can be, evenly; into one if it is no longer than a clip.
 *
 * @throws UsageError for clips that do not go on
 */
export function planClips(frames: number, options: ClipOptions | undefined): Clip[] {
  if (options === undefined) return [{ first: 0, end: frames }]
  const { frames: length, overlap = Math.ceil(length / 4) } = options
  const isCut = Number.isInteger(length) && length >= 1 && Number.isInteger(overlap) && overlap >= 0 && overlap < length
  if (!isCut)
    throw new UsageError({
      where: 'clips',
      what: 'no such clips',
      expected: 'a whole number of frames, and fewer of them shared',
      got: `${length} frames, ${overlap} shared`,
    })
  if (frames <= length) return [{ first: 0, end: frames }]
  const count = Math.ceil((frames - overlap) / (length - overlap))
  return Array.from({ length: count }, (_, i) => {
    const first = Math.round((i * (frames - length)) / (count - 1))
    return { first, end: first + length }
  })
}

/** Puts together what was predicted of clips. Release it by `using` or `dispose()`. */
export class ClipBlend implements Disposable {
  /** [1, overlap, 1, 1, 1] for each clip but the first: how much of it counts against those before. */
  readonly #ramps: readonly Tensor[]

  constructor(
    runtime: Runtime,
    private readonly clips: readonly Clip[],
  ) {
    this.#ramps = clips.slice(1).map(({ first }, i) => {
      const overlap = clips[i].end - first
      const ramp = Float32Array.from({ length: overlap }, (_, frame) => (frame + 1) / (overlap + 1))
      return keep(Tensor.from(runtime, ramp, [1, overlap, 1, 1, 1], 'f32', 'ramp'))
    })
  }

  /**
   * The whole [1, F, C, h, w] of clips [1, frames, C, h, w], which are asked for one after the other and may come in the
   * same memory. What is said of a frame by two clips goes evenly over from the one to the other.
   */
  whole(predict: (clip: Clip) => Tensor): Tensor {
    const [start, ...others] = this.clips
    if (others.length === 0) return predict(start)
    return scope(() =>
      others.reduce(
        (before, clip, i) => {
          const made = before.shape[1]
          const next = predict(clip)
          if (clip.first === made) return cat([before, next], 1)
          const both = mix(slice(next, 1, 0, made - clip.first), slice(before, 1, clip.first, made), this.#ramps[i])
          return cat([slice(before, 1, 0, clip.first), both, slice(next, 1, made - clip.first, next.shape[1])], 1)
        },
        affine(predict(start), 1, 0),
      ),
    )
  }

  dispose(): void {
    disposeAll(this.#ramps)
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}
