// The video autoencoder as a model that learns: short videos through the encoder, frame by frame, with noise as strong as
// it says itself into the latents, and through the decoder, frames together.

import { abs, add, affine, exp, mean, mul, slice, square, sub } from '../../kernels/index.js'
import { latentChannels } from '../../models/svd/latents.js'
import { videoPixels } from '../../models/svd/preprocess.js'
import { resizeNearest } from '../../models/svd/resize.js'
import { AutoencoderKLTemporalDecoder } from '../../models/svd/vae.js'
import type { Parameter, Weights } from '../../nn/index.js'
import { disposeAll, joinFloats, keep, overwrite, Tensor, type Generator, type Runtime } from '../../tensor/index.js'
import { drawClip, type FoundClip } from '../clip-folder.js'
import type { Clip } from '../svd/clips.js'
import type { Task } from '../trainer.js'
import type { VaeTrainConfig } from './config.js'

export type VaeTaskOptions = { readonly clips: readonly FoundClip[] } & Pick<
  VaeTrainConfig,
  'train' | 'frames' | 'stride' | 'batch' | 'width' | 'height' | 'lossWeights'
>

/** Training of a video autoencoder. */
export class VaeTask implements Task, Disposable {
  readonly weights: Weights
  readonly parameters: readonly Parameter[]
  readonly #batch: {
    /** [N,3,H,W] in -1..1 */
    readonly pictures: Tensor
    /** [N,1,H,W]: what a pixel counts. */
    readonly counts: Tensor
    /** [N,4,h,w] */
    readonly noise: Tensor
  }

  constructor(
    runtime: Runtime,
    private readonly vae: AutoencoderKLTemporalDecoder,
    private readonly options: VaeTaskOptions,
  ) {
    const { batch, frames, width, height, train } = options
    this.weights = vae.weights
    const only = train === 'all' ? [''] : AutoencoderKLTemporalDecoder.decoderWeights
    const learns = ({ name }: Parameter) => only.some(start => name.startsWith(start))
    this.parameters = [...vae.weights.parameters.values()].filter(learns)
    const allocate = (shape: readonly number[], label: string) => keep(Tensor.zeros(runtime, shape, 'f32', label))
    const pictures = batch * frames
    this.#batch = {
      pictures: allocate([pictures, 3, height, width], 'pictures'),
      counts: allocate([pictures, 1, height, width], 'counts'),
      noise: allocate([pictures, latentChannels, height / vae.scale, width / vae.scale], 'noise'),
    }
  }

  async prepare(random: Generator): Promise<string> {
    const { clips, batch } = this.options
    const drawn: Clip[] = []
    for (let i = 0; i < batch; i++) drawn.push(await drawClip(clips, this.options, random))
    const { pictures, counts, noise } = this.#batch
    overwrite(pictures, joinFloats(drawn.flatMap(clip => this.#pixels(clip))))
    overwrite(counts, joinFloats(drawn.flatMap(clip => this.#counts(clip))))
    overwrite(noise, random.randn(noise.size))
    return 'videos'
  }

  loss(): { loss: Tensor; parts: Readonly<Record<string, Tensor>> } {
    const { frames, lossWeights } = this.options
    const { pictures, counts, noise } = this.#batch
    const { mean: centre, logvar } = this.vae.encode(pictures) // [N,4,h,w]
    const latents = add(centre, mul(exp(affine(logvar, 0.5, 0)), noise))
    const error = sub(this.vae.decode(latents, frames), pictures) // [N,3,H,W]
    const pixel = mean(mul(abs(error), counts))
    const edge = add(mean(abs(slopes(error, 2))), mean(abs(slopes(error, 3))))
    // Of a normal distribution from the standard one, times 2 and without the constant.
    const kl = mean(sub(add(square(centre), exp(logvar)), logvar))
    const loss = add(pixel, add(affine(edge, lossWeights.edge, 0), affine(kl, 0.5 * lossWeights.kl, 0)))
    return { loss, parts: { pixel, edge, kl } }
  }

  dispose(): void {
    disposeAll(this.#batch)
  }

  #pixels({ frames }: Clip): Float32Array[] {
    const { width, height } = this.options
    return frames.map(frame => videoPixels(frame, width, height))
  }

  #counts({ frames, labels }: Clip): Float32Array[] {
    const { width, height, lossWeights } = this.options
    if (!labels) return frames.map(() => new Float32Array(width * height).fill(1))
    return labels.map(map =>
      Float32Array.from(resizeNearest(map, width, height).data, label => (label === 0 ? 1 : lossWeights.figure)),
    )
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** Differences between neighbours along an axis. */
function slopes(x: Tensor, axis: number): Tensor {
  const size = x.shape[axis]
  return sub(slice(x, axis, 1, size), slice(x, axis, 0, size - 1))
}
