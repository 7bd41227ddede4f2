// The video UNet as a model that learns.

import { mean, square, sub } from '../../kernels/index.js'
import { addedTimeIdCount, baseChannels, conditionChannels, latentChannels } from '../../models/svd/latents.js'
import type { UNetSinusoids, UNetSpatioTemporalConditionModel } from '../../models/svd/unet.js'
import type { Parameter, Weights } from '../../nn/index.js'
import {
  disposeAll,
  joinFloats,
  keep,
  overwrite,
  scope,
  Tensor,
  type Generator,
  type Runtime,
} from '../../tensor/index.js'
import type { Task } from '../trainer.js'
import type { EncodedClip } from './encode.js'
import { drawSample, type Sample, type VideoSize } from './sampler.js'

/** Clips in the order of their numbers. */
export interface ClipSource {
  readonly count: number
  read(clip: number): Promise<EncodedClip>
}

/** What a video UNet learns from. */
export interface SVDTaskOptions {
  readonly clips: ClipSource
  readonly size: VideoSize
  /** Clips of a batch. */
  readonly batch: number
  readonly train: 'temporal' | 'all'
  /** Told to the UNet: frames a second, and how much moves. */
  readonly fps: number
  readonly motionBucket: number
}

/** A batch on the device. */
interface DeviceBatch {
  /** [B,F,10,h,w] */
  readonly input: Tensor
  /** [B,F,4,h,w] */
  readonly target: Tensor
  /** [B,1,D] */
  readonly embeddings: Tensor
  readonly sinusoids: UNetSinusoids
}

/** Whether a weight learns where only motion is to be learned: conv_in, and all that looks at several frames. */
export const isTemporal = (name: string) => name.startsWith('conv_in.') || name.includes('.temporal_')

/** Training of a video UNet of ten input channels. */
export class SVDTask implements Task, Disposable {
  readonly weights: Weights
  readonly parameters: readonly Parameter[]
  readonly #batch: DeviceBatch

  constructor(
    runtime: Runtime,
    private readonly unet: UNetSpatioTemporalConditionModel,
    private readonly options: SVDTaskOptions,
  ) {
    const { size, batch, train } = options
    const { levels, additionTimeEmbedDim } = unet.config
    this.weights = unet.weights
    this.parameters = [...unet.weights.parameters.values()].filter(({ name }) => train === 'all' || isTemporal(name))
    const allocate = (shape: readonly number[], label: string) => keep(Tensor.zeros(runtime, shape, 'f32', label))
    const video = (channels: number) => [batch, size.frames, channels, size.height, size.width]
    this.#batch = {
      input: allocate(video(baseChannels + conditionChannels), 'noisy video'),
      target: allocate(video(latentChannels), 'target'),
      embeddings: allocate([batch, 1, levels[0].contextChannels], 'embeddings'),
      sinusoids: {
        time: allocate([batch, levels[0].channels], 'time'),
        ids: allocate([batch * addedTimeIdCount, additionTimeEmbedDim], 'ids'),
      },
    }
  }

  async prepare(random: Generator): Promise<string> {
    const { clips, size, batch, fps, motionBucket } = this.options
    const { input, target, embeddings, sinusoids } = this.#batch
    const samples: Sample[] = []
    for (const clip of random.randint(0, clips.count, batch))
      samples.push(drawSample(await clips.read(clip), size, random))
    overwrite(input, joinFloats(samples.map(({ input }) => input)))
    overwrite(target, joinFloats(samples.map(({ target }) => target)))
    overwrite(embeddings, joinFloats(samples.map(({ embedding }) => embedding)))
    scope(() => {
      const ids = samples.map(({ strength }) => [fps - 1, motionBucket, strength])
      const told = this.unet.sinusoids(
        samples.map(({ timestep }) => timestep),
        ids,
      )
      overwrite(sinusoids.time, told.time)
      overwrite(sinusoids.ids, told.ids)
    })
    return 'videos'
  }

  loss(): { loss: Tensor; parts: Readonly<Record<string, Tensor>> } {
    const { unet } = this
    const { input, target, embeddings, sinusoids } = this.#batch
    const context = unet.prepare(embeddings, this.options.size.frames)
    const found = unet.predict(input, unet.embedSinusoids(sinusoids), context) // [B,F,4,h,w]
    return { loss: mean(square(sub(found, target))), parts: {} }
  }

  dispose(): void {
    disposeAll(this.#batch)
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}
