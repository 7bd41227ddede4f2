// What the video UNet makes of all that stays the same through the steps of a video: the context, the frame numbers,
// the picture. Steps are given it ready made.

import { add, cat, conv2d, permute, slice } from '../../kernels/index.js'
import type { SpatioTemporalContext, TransformerSpatioTemporalModel } from '../../nn/index.js'
import { disposeAll, scope as release, ShapeError, showShape, type Tensor } from '../../tensor/index.js'
import { baseChannels, latentChannels } from './latents.js'

/** Made by `prepare`; release it by `using` or `dispose()`. Its tensors belong to the open scope, if there is one. */
export class UNetContext implements Disposable {
  constructor(
    /** Videos of a batch. */
    readonly batch: number,
    readonly frames: number,
    readonly transformers: ReadonlyMap<TransformerSpatioTemporalModel, SpatioTemporalContext>,
    /** Where samples come without the picture's channels. */
    readonly picture: PictureInput | undefined,
  ) {}

  /** Harmless when repeated. */
  dispose(): void {
    disposeAll([this.transformers, this.picture])
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

/**
 * A convolution is a sum over input channels, so conv_in is cut in two: what it makes of the picture is the same for
 * all frames and steps, and what it makes of the rest is the same with the picture and without it.
 */
export interface PictureInput {
  /** [B,1,h,w,C]: conv_in of the picture, bias included. */
  readonly made: Tensor
  /** [C,3,3,in - 4]: the weight of the channels beside the picture's. */
  readonly weight: Tensor
}

/**
 * Cuts conv_in, weight [C,3,3,in] and bias [C], for pictureLatents [B,4,h,w], which are its input channels 4 to 8.
 * Throws a ShapeError if they are not that, for `batch` videos.
 */
export function preparePicture(weight: Tensor, bias: Tensor, pictureLatents: Tensor, batch: number): PictureInput {
  const { shape } = pictureLatents
  if (shape.length !== 4 || shape[0] !== batch || shape[1] !== latentChannels)
    throw new ShapeError({
      where: 'unet',
      what: 'pictureLatents do not fit',
      expected: `[${batch}, ${latentChannels}, h, w]`,
      got: showShape(shape),
    })
  return release(() => {
    const inChannels = weight.shape[3]
    const own = slice(weight, -1, latentChannels, baseChannels) // [C,3,3,4]
    const before = slice(weight, -1, 0, latentChannels)
    const rest = inChannels === baseChannels ? before : cat([before, slice(weight, -1, baseChannels, inChannels)], -1)
    const pictures = permute(pictureLatents, [0, 2, 3, 1]) // [B,h,w,4]
    const made = conv2d(pictures, own, { padding: 1, bias }) // [B,h,w,C]
    return { made: made.reshape([batch, 1, ...made.shape.slice(1)]), weight: rest }
  })
}

/** conv_in of a sample without the picture's channels, [B or 1,F,in - 4,h,w], beside the picture: [B F,h,w,C]. */
export function withPicture({ made, weight }: PictureInput, sample: Tensor): Tensor {
  return release(() => {
    const [videos, frames, channels, height, width] = sample.shape
    const pictures = permute(sample, [0, 1, 3, 4, 2]).reshape([-1, height, width, channels]) // [B or 1 F,h,w,in - 4]
    const rest = conv2d(pictures, weight, { padding: 1 }).reshape([videos, frames, height, width, -1])
    const whole = add(rest, made) // [B,F,h,w,C]
    return whole.reshape([-1, ...whole.shape.slice(2)])
  })
}
