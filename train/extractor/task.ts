// The part extractor as a model that learns: frames, with what is known of them.

import { abs, add, affine, gather, logSoftmax, mean, mul, sub, sum } from '../../kernels/index.js'
import type { PartExtractor } from '../../models/extractor/extractor.js'
import { videoPixels } from '../../models/svd/preprocess.js'
import type { Weights } from '../../nn/index.js'
import {
  disposeAll,
  joinFloats,
  keep,
  overwrite,
  Tensor,
  type DType,
  type Generator,
  type Runtime,
} from '../../tensor/index.js'
import { drawClip, type FoundClip } from '../clip-folder.js'
import type { Task } from '../trainer.js'
import type { ExtractorTrainConfig } from './config.js'
import { targetsOf, type ExtractorTargets } from './targets.js'

export type ExtractorTaskOptions = { readonly clips: readonly FoundClip[] } & Pick<
  ExtractorTrainConfig,
  'batch' | 'background' | 'places' | 'depths'
>

/** Training of a part extractor. */
export class ExtractorTask implements Task, Disposable {
  readonly weights: Weights
  /** [N,3,S,S] */
  readonly #pictures: Tensor
  readonly #targets: Readonly<Record<keyof ExtractorTargets, Tensor>>

  constructor(
    runtime: Runtime,
    private readonly extractor: PartExtractor,
    private readonly options: ExtractorTaskOptions,
  ) {
    const { batch } = options
    const { imageSize: size, joints } = extractor.config
    this.weights = extractor.weights
    const allocate = (name: string, shape: readonly number[], dtype: DType = 'f32') =>
      keep(Tensor.zeros(runtime, [batch, ...shape], dtype, name))
    this.#pictures = allocate('pictures', [3, size, size])
    this.#targets = {
      labels: allocate('labels', [size, size, 1], 'i32'),
      counts: allocate('counts', [size, size, 1]),
      places: allocate('places', [joints, (size * size) / 4]),
      depths: allocate('depths', [joints]),
      known: allocate('known', [joints]),
    }
  }

  async prepare(random: Generator): Promise<string> {
    const { clips, batch, background } = this.options
    const { config } = this.extractor
    const pictures: Float32Array[] = []
    const targets: ExtractorTargets[] = []
    for (let i = 0; i < batch; i++) {
      const clip = await drawClip(clips, { frames: 1, stride: 1 }, random)
      pictures.push(videoPixels(clip.frames[0], config.imageSize, config.imageSize))
      targets.push(targetsOf(clip, config, background))
    }
    overwrite(this.#pictures, joinFloats(pictures))
    const { labels, ...numbers } = this.#targets
    const all = new Int32Array(labels.size)
    targets.forEach((target, i) => all.set(target.labels, i * target.labels.length))
    overwrite(labels, all)
    for (const [name, tensor] of Object.entries(numbers) as [keyof typeof numbers, Tensor][])
      overwrite(tensor, joinFloats(targets.map(target => target[name])))
    return 'pictures'
  }

  loss(): { loss: Tensor; parts: Readonly<Record<string, Tensor>> } {
    const { places: placesWeight, depths: depthsWeight } = this.options
    const { labels, counts, places, depths, known } = this.#targets
    const seen = this.extractor.forward(this.#pictures)
    const part = affine(mean(mul(gather(logSoftmax(seen.labels, -1), -1, labels), counts)), -1, 0)
    const place = affine(mean(sum(mul(logSoftmax(seen.places, -1), places), { axes: [2] })), -1, 0)
    const depth = mean(mul(abs(sub(seen.depths, depths)), known))
    const joints = add(affine(place, placesWeight, 0), affine(depth, depthsWeight, 0))
    return { loss: add(part, joints), parts: { part, place, depth } }
  }

  dispose(): void {
    disposeAll([this.#pictures, this.#targets])
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}
