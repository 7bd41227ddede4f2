// The image encoder as a model that learns without words: two pictures of a clip are to be more alike than those of
// different clips (InfoNCE, van den Oord et al., arXiv:1807.03748, with CLIP's symmetric loss, arXiv:2103.00020).

import { add, affine, logSoftmax, mean, mul } from '../../kernels/index.js'
import { clipSimilarity } from '../../models/clip/similarity.js'
import type { CLIPVisionModelWithProjection } from '../../models/clip/vision.js'
import { clipPixels } from '../../models/svd/preprocess.js'
import type { Weights } from '../../nn/index.js'
import { disposeAll, joinFloats, keep, overwrite, Tensor, type Generator, type Runtime } from '../../tensor/index.js'
import { drawClip, type FoundClip } from '../clip-folder.js'
import type { Task } from '../trainer.js'

export interface EncoderTaskOptions {
  readonly clips: readonly FoundClip[]
  /** Clips of a batch. */
  readonly batch: number
  readonly temperature: number
}

/** Training of an image encoder. */
export class EncoderTask implements Task, Disposable {
  readonly weights: Weights
  readonly #batch: {
    /** [B,3,S,S]: a picture of each clip, and another. */
    readonly one: Tensor
    readonly other: Tensor
    /** [B,B]: B on the diagonal, for a mean over all. */
    readonly pairs: Tensor
  }

  constructor(
    runtime: Runtime,
    private readonly encoder: CLIPVisionModelWithProjection,
    private readonly options: EncoderTaskOptions,
  ) {
    const { batch } = options
    const { imageSize: size } = encoder.config
    this.weights = encoder.weights
    const pictures = () => keep(Tensor.zeros(runtime, [batch, 3, size, size], 'f32', 'pictures'))
    const diagonal = Float32Array.from({ length: batch * batch }, (_, i) => (i % (batch + 1) === 0 ? batch : 0))
    this.#batch = { one: pictures(), other: pictures(), pairs: keep(Tensor.from(runtime, diagonal, [batch, batch])) }
  }

  async prepare(random: Generator): Promise<string> {
    const { clips, batch } = this.options
    const { imageSize } = this.encoder.config
    // Each clip once, as long as there are enough.
    const order = random.randperm(clips.length)
    const taken = Array.from({ length: batch }, (_, i) => [clips[order[i % order.length]]])
    const draw = async (own: readonly FoundClip[]) =>
      clipPixels((await drawClip(own, { frames: 1, stride: 1 }, random)).frames[0], imageSize)
    for (const tensor of [this.#batch.one, this.#batch.other]) {
      const pictures: Float32Array[] = []
      for (const own of taken) pictures.push(await draw(own))
      overwrite(tensor, joinFloats(pictures))
    }
    return 'pairs'
  }

  loss(): { loss: Tensor; parts: Readonly<Record<string, Tensor>> } {
    const { one, other, pairs } = this.#batch
    const [a, b] = [one, other].map(pictures => this.encoder.forward(pictures).imageEmbeds) // [B,D]
    const scale = -Math.log(this.options.temperature)
    const [there, back] = [clipSimilarity(a, b, scale), clipSimilarity(b, a, scale)] // [B,B]
    const likelihood = (logits: Tensor) => mean(mul(logSoftmax(logits, -1), pairs))
    return { loss: affine(add(likelihood(there), likelihood(back)), -0.5, 0), parts: {} }
  }

  dispose(): void {
    disposeAll(this.#batch)
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}
