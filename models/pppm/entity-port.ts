// The way in and out of the PPPM's transformer for one kind of entity.

import {
  add,
  affine,
  matmul,
  mean,
  mul,
  permute,
  sigmoid,
  slice,
  softmax,
  square,
  sub,
  sum,
} from '../../kernels/index.js'
import { Linear, type Parameter, type WeightScope } from '../../nn/index.js'
import { scope as release, Tensor } from '../../tensor/index.js'
import type { PPPMConfig } from './config.js'
import { featuresOf, parametersOf, type EntityKind } from './kinds.js'

/** What the network makes of the entities of one kind. */
export interface Mended {
  /** [B,E,T,R]: mended parameters. */
  readonly parameters: Tensor
  /** [B,E,T]: the frame that each given frame belongs to. */
  readonly times: Tensor
}

// How sharply a frame counts for its own place alone, at most, and how little one that is not trusted counts.
const sharpest = 12
const untrusted = 20
// How much larger differences between frames are seen.
const contrast = 4
// Numbers by which frames are compared, and how near in time those are that all resemble each other.
const likeness = 32
const nextTo = 2
// Frames that a frame is moved by for each unit of the network's output.
const frameScale = 8

/** A kind of entity's weights; fields are named as in checkpoints. */
export class EntityPort {
  readonly proj_in: Linear
  readonly proj_mean: Linear
  readonly proj_like: Linear
  readonly proj_time: Linear
  readonly proj_out: Linear
  /** [maxEntities, D]: tells entities of a kind apart. */
  readonly slots: Parameter

  constructor(
    scope: WeightScope,
    private readonly kind: EntityKind,
    { width, maxEntities }: PPPMConfig,
  ) {
    this.proj_in = new Linear(scope.at('proj_in'), featuresOf(kind), width)
    this.proj_mean = new Linear(scope.at('proj_mean'), featuresOf(kind), width, { bias: false })
    this.proj_like = new Linear(scope.at('proj_like'), parametersOf(kind), likeness, { bias: false })
    // A model that has learnt nothing moves nothing and corrects nothing.
    this.proj_time = new Linear(scope.at('proj_time'), width, 4, { init: 0 })
    this.proj_out = new Linear(scope.at('proj_out'), width, parametersOf(kind), { init: 0 })
    this.slots = scope.parameter('slots', [maxEntities, width], { dtype: 'f32' })
  }

  /**
   * Features [B,E,T,F] to tokens [B,E T,D], entity by entity; places [T,D] are added to those of each frame. What frames
   * have in common is told apart from how they differ, which is little.
   */
  enter(features: Tensor, places: Tensor): Tensor {
    const [batch, entities, frames] = features.shape
    return release(() => {
      const slots = slice(this.slots.value, 0, 0, entities).reshape([entities, 1, -1]) // [E,1,D]
      const common = mean(features, { axes: [2], keepDims: true }) // [B,E,1,F]
      const own = affine(sub(features, common), contrast, 0)
      const shared = add(this.proj_mean.forward(common), add(slots, places)) // [B,E,T,D]
      const alike = matmul(this.#resemblance(own), places) // [B,E,T,D]
      const tokens = this.proj_in.forward(own, { residual: add(shared, alike) })
      return tokens.reshape([batch, entities * frames, -1])
    })
  }

  /** How much each frame resembles which others, neighbours left out: features [B,E,T,F] to shares of 1, [B,E,T,T]. */
  #resemblance(own: Tensor): Tensor {
    const [batch, entities, frames] = own.shape
    const points = this.proj_like.forward(slice(own, 3, 0, parametersOf(this.kind))) // [B,E,T,L]
    const lengths = sum(square(points), { axes: [-1] }).reshape([batch, entities, 1, frames])
    const products = matmul(points, permute(points, [0, 1, 3, 2])) // [B,E,T,T]
    const near = Float32Array.from({ length: frames ** 2 }, (_, i) =>
      Math.abs((i % frames) - Math.floor(i / frames)) <= nextTo ? -100 : 0,
    )
    const apart = Tensor.from(own.runtime, near, [frames, frames])
    return softmax(add(sub(affine(products, 2, 0), lengths), apart))
  }

  /** Tokens [B,E T,D] and the features [B,E,T,F] that they began with to frames put in their places and corrected. */
  leave(tokens: Tensor, features: Tensor): Mended {
    const [batch, entities, frames, width] = features.shape
    const rows = batch * entities
    return release(() => {
      const alone = tokens.reshape([rows, frames, -1]) // [B E,T,D]
      const given = features.reshape([rows, frames, width])
      const told = this.proj_time.forward(alone) // [B E,T,4]
      const column = (x: Tensor, i: number) => slice(x, 2, i, i + 1) // [B E,T,1]
      const row = (x: Tensor) => x.reshape([rows, 1, frames])
      const count = Float32Array.from({ length: frames }, (_, frame) => frame)
      const order = Tensor.from(tokens.runtime, count, [frames])
      const times = add(affine(row(column(told, 0)), frameScale, 0), order) // [B E,1,T]
      const sharpness = affine(sigmoid(row(column(told, 1))), sharpest, 0)
      const trust = affine(row(column(given, width - 1)), untrusted, -untrusted)
      const weight = add(row(column(told, 2)), trust)
      const distance = sub(order.reshape([frames, 1]), times) // [B E,T,T]: from each place to each given frame
      const shares = softmax(sub(weight, mul(square(distance), sharpness)))
      const size = parametersOf(this.kind)
      const taken = matmul(shares, slice(given, 2, 0, size)) // [B E,T,R]
      const correction = mul(this.proj_out.forward(alone), sigmoid(column(told, 3)))
      const parameters = add(taken, correction).reshape([batch, entities, frames, size])
      return { parameters, times: times.reshape([batch, entities, frames]) }
    })
  }
}
