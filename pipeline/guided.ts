// The UNet as the picture guides it. What is the same at every step is made before the first, what is the same with and
// without the picture once for both.

import { cat, expand, mix, slice } from '../kernels/index.js'
import type { UNetSpatioTemporalConditionModel } from '../models/svd/unet.js'
import type { UNetContext } from '../models/svd/unet-context.js'
import { disposeAll, scope, Tensor } from '../tensor/index.js'
import type { Observer } from '../nn/index.js'

/** The picture as the UNet is told of it. */
export interface PictureTensors {
  /** [1, 1, D] */
  readonly embeddings: Tensor
  /** [1, 4, h, w] */
  readonly pictureLatents: Tensor
}

/** What differs from step to step, and from clip to clip. */
export interface GuidedInput {
  /** [1, F, 4, h, w], scaled. */
  readonly input: Tensor
  /** [1, T] of `unet.embed`. */
  readonly embedding: Tensor
  /** [1, F, 2, h, w], for a UNet with channels for it. */
  readonly motion: Tensor | undefined
  /** [1, F, 1, 1, 1]: how strictly each frame follows the picture. */
  readonly guidance: Tensor
}

export interface GuidedOptions {
  /** Frames of every clip. */
  readonly frames: number
  /** Whether the picture guides at all; else the UNet runs once. */
  readonly guided: boolean
  /** The UNet runs with the picture and without it in turns, not as one batch. */
  readonly sequential: boolean
  readonly observe?: Observer
}

/** A UNet with a picture. Release it by `using` or `dispose()`; the UNet stays. */
export class GuidedUNet implements Disposable {
  /** [B, 4, h, w] */
  readonly #pictures: Tensor
  readonly #context: UNetContext
  readonly #blank: UNetContext | undefined
  readonly #held: readonly Tensor[]

  constructor(
    private readonly unet: UNetSpatioTemporalConditionModel,
    { embeddings, pictureLatents }: PictureTensors,
    private readonly options: GuidedOptions,
  ) {
    const { frames, guided, sequential } = options
    const together = guided && !sequential
    const batched = (tensor: Tensor) => scope(() => (together ? withZeros(tensor) : tensor.share()))
    const hidden = batched(embeddings) // [B,1,D]
    this.#pictures = batched(pictureLatents) // [B,4,h,w]
    this.#context = unet.prepare(hidden, frames, this.#pictures)
    const noHidden = Tensor.zeros(embeddings.runtime, embeddings.shape)
    const noPicture = Tensor.zeros(embeddings.runtime, pictureLatents.shape)
    this.#blank = guided && !together ? unet.prepare(noHidden, frames, noPicture) : undefined
    this.#held = [hidden, this.#pictures, noHidden, noPicture]
  }

  /** What the UNet says of a clip, [1, F, 4, h, w]. Throws what the UNet throws. */
  predict({ input, embedding, motion, guidance }: GuidedInput): Tensor {
    const { guided, observe } = this.options
    return scope(() => {
      observe?.('unet_in', wholeInput(input, this.#pictures, motion))
      const sample = motion ? cat([input, motion], 2) : input // [1,F,4 or 6,h,w]
      const output = this.unet.predict(sample, embedding, this.#context) // [B,F,4,h,w]
      observe?.('unet_out', output)
      if (!guided) return output
      if (this.#blank) return mix(output, this.unet.predict(sample, embedding, this.#blank), guidance)
      return mix(slice(output, 0, 1, 2), slice(output, 0, 0, 1), guidance)
    })
  }

  dispose(): void {
    disposeAll(this.#held)
    this.#context.dispose()
    this.#blank?.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** [1, ...] to [2, ...], zeros first. */
function withZeros(tensor: Tensor): Tensor {
  return cat([Tensor.zeros(tensor.runtime, tensor.shape), tensor], 0)
}

/** What the UNet sees all in all, [B, F, 8 or 10, h, w]: noisy latents, the picture's in every frame, the motion. */
function wholeInput(input: Tensor, pictures: Tensor, motion: Tensor | undefined): Tensor {
  const [, frames, ...size] = input.shape
  const [batch, ...picture] = pictures.shape
  const still = expand(pictures.reshape([batch, 1, ...picture]), [batch, frames, ...picture])
  const parts = [expand(input, [batch, frames, ...size]), still]
  return cat(motion ? [...parts, expand(motion, motion.shape.with(0, batch))] : parts, 2)
}
