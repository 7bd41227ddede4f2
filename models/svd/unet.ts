// The video UNet of Stable Video Diffusion.
// Ported from huggingface/diffusers: models/unets/unet_spatio_temporal_condition.py (UNetSpatioTemporalConditionModel).
// What differs: channels last inside; embeddings are made once per video, not once per frame, and what stays the same
// from step to step once for all; ten input channels where the motion condition is wanted.

import { add, permute, silu } from '../../kernels/index.js'
import {
  Conv2d,
  GroupNorm,
  into,
  loadModel,
  sinusoids,
  TimestepEmbedding,
  Weights,
  type ModelLoadOptions,
} from '../../nn/index.js'
import type { TensorFile } from '../../tensor/files/index.js'
import { sameShape, scope as release, ShapeError, showShape, type Runtime, type Tensor } from '../../tensor/index.js'
import type { UNetConfig } from './config.js'
import { baseChannels, latentChannels } from './latents.js'
import { DownBlock, MidBlock, UpBlock, type Conditions } from './unet-blocks.js'
import { preparePicture, UNetContext, withPicture } from './unet-context.js'

function check(holds: boolean, what: string, expected: string, got: string): void {
  if (!holds) throw new ShapeError({ where: 'unet', what, expected, got })
}

/** Sinusoids of the numbers that the UNet is told. */
export interface UNetSinusoids {
  /** [B,C], or [1,C] for all videos. */
  readonly time: Tensor
  /** [B n,E]: of n added time ids for each video. */
  readonly ids: Tensor
}

/** Predicts what the sampler needs of a noisy video (v-prediction). */
export class UNetSpatioTemporalConditionModel implements Disposable {
  readonly weights = new Weights()
  /** Whether a tape keeps only what goes into each layer of a block, and computes the layer again on the way back. */
  checkpointing = false
  readonly conv_in: Conv2d
  readonly time_embedding: TimestepEmbedding
  readonly add_embedding: TimestepEmbedding
  readonly down_blocks: readonly DownBlock[]
  readonly mid_block: MidBlock
  readonly up_blocks: readonly UpBlock[]
  readonly conv_norm_out: GroupNorm
  readonly conv_out: Conv2d

  constructor(readonly config: UNetConfig) {
    const { inChannels, outChannels, levels, additionTimeEmbedDim, additionTimeIds } = config
    const scope = this.weights.scope()
    const channels = levels.map(level => level.channels)
    const [widest, narrowest] = [channels[0], channels[channels.length - 1]]
    const tembChannels = 4 * widest
    const last = levels.length - 1
    const optionalInputs = Math.max(0, inChannels - baseChannels)
    this.conv_in = new Conv2d(scope.at('conv_in'), inChannels, widest, { kernel: 3, padding: 1, optionalInputs })
    this.time_embedding = new TimestepEmbedding(scope.at('time_embedding'), widest, tembChannels)
    const ids = additionTimeIds * additionTimeEmbedDim
    this.add_embedding = new TimestepEmbedding(scope.at('add_embedding'), ids, tembChannels)

    const skips = [widest]
    this.down_blocks = levels.map((level, i) => {
      const options = { inChannels: channels[Math.max(i - 1, 0)], tembChannels, resample: i < last }
      for (let n = level.layers + (options.resample ? 1 : 0); n > 0; n--) skips.push(level.channels)
      return new DownBlock(scope.at('down_blocks', i), level, options)
    })
    this.mid_block = new MidBlock(scope.at('mid_block'), levels[last], tembChannels)
    this.up_blocks = levels.toReversed().map((level, i) => {
      const inChannels = i === 0 ? narrowest : channels[last - i + 1]
      const skipChannels = skips.splice(-(level.layers + 1)).toReversed()
      const options = { inChannels, tembChannels, resample: i < last }
      return new UpBlock(scope.at('up_blocks', i), level, options, skipChannels)
    })
    this.conv_norm_out = new GroupNorm(scope.at('conv_norm_out'), widest, {
      groups: levels[0].groups,
      eps: 1e-5,
      activation: 'silu',
    })
    this.conv_out = new Conv2d(scope.at('conv_out'), widest, outChannels, { kernel: 3, padding: 1 })
  }

  /**
   * Builds the model and loads its weights. With `config.inChannels` above 8 a checkpoint of 8 channels will do: the
   * weights of the channels that it lacks are zero. Errors: as loadModel.
   */
  static load(
    runtime: Runtime,
    file: TensorFile,
    config: UNetConfig,
    options?: ModelLoadOptions<UNetSpatioTemporalConditionModel>,
  ): Promise<UNetSpatioTemporalConditionModel> {
    return loadModel(runtime, () => new UNetSpatioTemporalConditionModel(config), file, options)
  }

  /**
   * sample [B,F,inChannels,H,W] to [B,F,outChannels,H,W]. `timestep` (0.25 ln sigma) is one number for all videos or
   * one for each; encoderHiddenStates [B,M,D]; addedTimeIds: for each video, or one row for all, fps - 1, motion
   * bucket, noise augmentation. Throws a ShapeError if they do not fit each other.
   */
  forward(
    sample: Tensor,
    timestep: number | readonly number[],
    encoderHiddenStates: Tensor,
    addedTimeIds: readonly (readonly number[])[],
  ): Tensor {
    return release(() => {
      const embedding = this.embed(timestep, addedTimeIds)
      return this.predict(sample, embedding, this.prepare(encoderHiddenStates, sample.shape[1]))
    })
  }

  /**
   * The part of `forward` that is the same at every step: what becomes of encoderHiddenStates [B,M,D] and the numbers
   * of so many frames; and of pictureLatents [B,4,H,W], if they are given: then samples come without these channels,
   * which are the same for all frames. Throws a ShapeError if they do not fit.
   */
  prepare(encoderHiddenStates: Tensor, frames: number, pictureLatents?: Tensor): UNetContext {
    const { levels } = this.config
    const { weight, bias } = this.conv_in
    const { runtime, shape } = encoderHiddenStates
    const [batch] = shape
    const contexts = levels.every(({ contextChannels }) => contextChannels === shape[2])
    const isContext = shape.length === 3 && batch > 0 && shape[1] > 0 && contexts
    check(isContext, 'encoderHiddenStates do not fit', `[B, M, ${levels[0].contextChannels}]`, showShape(shape))
    check(Number.isInteger(frames) && frames > 0, 'frames cannot be counted', 'a whole number from 1', String(frames))
    const { transformers, picture } = release(() => {
      const numbers = Array.from({ length: frames }, (_, i) => i)
      const widths = new Set(levels.map(({ channels }) => channels))
      const positions = new Map([...widths].map(channels => [channels, sinusoids(runtime, numbers, channels)])) // [F,C]
      const models = [...this.down_blocks, this.mid_block, ...this.up_blocks].flatMap(({ attentions }) => attentions)
      return {
        transformers: new Map(
          models.map(model => [model, model.prepare(encoderHiddenStates, positions.get(model.channels)!)]),
        ),
        picture: pictureLatents && preparePicture(weight.value, bias!.value, pictureLatents, batch),
      }
    })
    return new UNetContext(batch, frames, transformers, picture)
  }

  /**
   * The part of `forward` that takes numbers: the embedding of time and ids, a row for each of addedTimeIds, [B,T],
   * after SiLU. Throws a ShapeError if they do not fit each other.
   */
  embed(timestep: number | readonly number[], addedTimeIds: readonly (readonly number[])[]): Tensor {
    return release(() => this.embedSinusoids(this.sinusoids(timestep, addedTimeIds)))
  }

  /** The host's part of `embed`. */
  sinusoids(timestep: number | readonly number[], addedTimeIds: readonly (readonly number[])[]): UNetSinusoids {
    const { additionTimeEmbedDim, additionTimeIds, levels } = this.config
    const steps = typeof timestep === 'number' ? [timestep] : timestep
    const batch = addedTimeIds.length
    const isIds = batch > 0 && addedTimeIds.every(ids => ids.length === additionTimeIds)
    check(isIds, 'addedTimeIds do not fit', `rows of ${additionTimeIds}`, JSON.stringify(addedTimeIds))
    check([1, batch].includes(steps.length), 'timesteps do not fit', `1 or ${batch}`, String(steps.length))
    const { runtime } = this.time_embedding.linear_1.weight.value
    const time = sinusoids(runtime, steps, levels[0].channels)
    return { time, ids: sinusoids(runtime, addedTimeIds.flat(), additionTimeEmbedDim) }
  }

  /** The device's part of `embed`, which can be captured. */
  embedSinusoids({ time, ids }: UNetSinusoids): Tensor {
    return release(() => {
      const scope = this.weights.scope()
      const time_proj = scope.at('time_proj').observe(time)
      const add_time_proj = scope.at('add_time_proj').observe(ids)
      const rows = add_time_proj.reshape([ids.shape[0] / this.config.additionTimeIds, -1]) // [B,ids E]
      const added = this.add_embedding.forward(rows) // [B,T]
      return silu(add(this.time_embedding.forward(time_proj), added))
    })
  }

  /**
   * The part of `forward` that takes tensors alone, so that it can be captured: `embedding` [B,T] or [1,T] from
   * `embed`, `context` from `prepare`. With a picture in it, sample is [B,F,inChannels - 4,H,W], or [1,F,...] for all
   * videos. Throws a ShapeError if they do not fit each other.
   */
  predict(sample: Tensor, embedding: Tensor, context: UNetContext): Tensor {
    this.#check(sample, embedding, context)
    const { batch, frames, transformers } = context
    const [height, width] = sample.shape.slice(3)
    return release(() => {
      const conditions: Conditions = { frames, temb: embedding, transformers, checkpointing: this.checkpointing }
      const skips = [this.#input(sample, context)] // [B F,H,W,C]
      for (const block of this.down_blocks) skips.push(...block.forward(skips[skips.length - 1], conditions))
      let h = this.mid_block.forward(skips[skips.length - 1], conditions)
      for (const block of this.up_blocks) h = block.forward(h, skips, conditions)
      const out = into(
        into(h, h => this.conv_norm_out.forward(h)),
        h => this.conv_out.forward(h),
      )
      const video = into(out, x => x.reshape([batch, frames, height, width, -1]))
      return into(video, x => permute(x, [0, 1, 4, 2, 3])) // [B,F,out,H,W]
    })
  }

  /** Releases the weights. */
  dispose(): void {
    this.weights.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** conv_in of a sample, [B F,H,W,C]. */
  #input(sample: Tensor, { picture }: UNetContext): Tensor {
    if (picture) return this.weights.scope('conv_in').observe(withPicture(picture, sample))
    const [, , channels, height, width] = sample.shape
    const video = permute(sample, [0, 1, 3, 4, 2]) // [B,F,H,W,in]
    const pictures = into(video, x => x.reshape([-1, height, width, channels]))
    return into(pictures, x => this.conv_in.forward(x))
  }

  #check({ shape }: Tensor, { shape: embedding }: Tensor, { batch, frames, picture }: UNetContext): void {
    const { inChannels, levels } = this.config
    const [videos, length, channels, ...size] = shape
    const batches = picture ? [batch, 1] : [batch]
    const own = picture ? inChannels - latentChannels : inChannels
    const [height, width] = picture ? picture.made.shape.slice(2) : size
    const isVideo = size.length === 2 && size.every(n => n > 0) && sameShape(size, [height, width])
    const fits = isVideo && batches.includes(videos) && length === frames && channels === own
    const goal = `[${batches.join(' or ')}, ${frames}, ${own}, ${picture ? `${height}, ${width}` : 'H, W'}]`
    check(fits, 'sample does not fit', goal, showShape(shape))
    const rows = [batch, 1].map(row => [row, 4 * levels[0].channels])
    const isEmbedding = rows.some(row => sameShape(embedding, row))
    check(isEmbedding, 'embedding does not fit', rows.map(showShape).join(' or '), showShape(embedding))
  }
}
