// What the model's structure saves, each beside the same work without it: what is the same at every step is made once,
// what is the same with and without the picture is made for both, a recorded step is replayed, pointwise work is fused
// into the kernels around it.

import { add, cat, conv2d, expand, gelu, groupNorm, linear, mul, permute, silu, slice } from '../../kernels/index.js'
import { UNetSpatioTemporalConditionModel } from '../../models/index.js'
import { preparePicture, withPicture } from '../../models/svd/unet-context.js'
import { into } from '../../nn/index.js'
import { capture, disposeAll, scope, type DType, type Tensor } from '../../tensor/index.js'
import type { Case, OperandSpecs, Operands, SizeClass, Work } from '../case.js'
import { contextChannels, fill, unetConfig, weightOperands } from './modules.js'

interface Video {
  frames: number
  height: number
  width: number
  channels: readonly number[]
}

/** What a step of the UNet, guided and so with two halves, does not do anew. */
interface Savings {
  /** What the context and the frame numbers tell. */
  prepared?: boolean
  /** In the second half: embeddings of time, conv_in of the noisy latents. And conv_in of the picture at every step. */
  shared?: boolean
  /** The host's side. */
  replayed?: boolean
}

const halves = 2

function stepOperands({ frames, height, width, channels }: Video, dtype: DType): OperandSpecs {
  return {
    noisy: { shape: [1, frames, 4, height, width] },
    pictures: { shape: [halves, 4, height, width] },
    context: { shape: [halves, 1, contextChannels] },
    ...weightOperands(new UNetSpatioTemporalConditionModel(unetConfig(channels)).weights, dtype),
  }
}

function step({ frames, channels }: Video, { prepared, shared, replayed }: Savings): Work {
  return {
    setup(operands) {
      const { noisy, pictures, context } = operands
      const unet = new UNetSpatioTemporalConditionModel(unetConfig(channels))
      fill(unet.weights, operands)
      const ids = [6, 127, 0.02]
      const embedding = unet.embed(0.5, shared ? [ids] : [ids, ids])
      const prepare = () => unet.prepare(context, frames, shared ? pictures : undefined)
      const ahead = prepared ? prepare() : undefined
      const predict = () => {
        const sample = shared ? noisy : wholeSample(noisy, pictures)
        return unet.predict(sample, embedding, ahead ?? prepare())
      }
      const recorded = replayed ? capture(noisy.runtime, predict) : undefined
      return {
        run: () => recorded?.replay().share() ?? scope(predict),
        [Symbol.dispose]() {
          for (const resource of [recorded, ahead, embedding, unet]) resource?.dispose()
        },
      }
    },
  }
}

/** [2,F,8,h,w]: both halves as the UNet sees them. */
function wholeSample(noisy: Tensor, pictures: Tensor): Tensor {
  const [, ...video] = noisy.shape
  const [, ...picture] = pictures.shape
  const still = expand(pictures.reshape([halves, 1, ...picture]), [halves, ...video])
  return cat([expand(noisy, [halves, ...video]), still], 2)
}

function stepCases(name: string, video: Video, dtype: DType, small: Video): Case[] {
  const { frames, height, width } = video
  const operands = stepOperands(video, dtype)
  const stepCase = (about: string, savings: Savings, without: Savings): Case => ({
    kernel: 'structure',
    name: `${about}: ${name} at 2 x ${frames} x ${height}x${width} ${dtype}`,
    unit: 'GFLOP/s',
    operands,
    ...step(video, savings),
    plain: step(video, without),
    check: { operands: stepOperands(small, dtype), ...step(small, savings) },
  })
  const ahead = { prepared: true }
  const both = { ...ahead, shared: true }
  const all = { ...both, replayed: true }
  return [
    stepCase('context prepared once', ahead, {}),
    stepCase('halves share', both, ahead),
    stepCase('replayed', all, both),
    stepCase('all of these', all, {}),
  ]
}

/** conv_in of a guided step by itself: a small part of it, but the one that the halves can share. */
function inputCase(frames: number, height: number, width: number, channels: number, dtype: DType): Case {
  const operandsOf = (frames: number, height: number, width: number): OperandSpecs => ({
    noisy: { shape: [1, frames, 4, height, width] },
    pictures: { shape: [halves, 4, height, width] },
    weight: { shape: [channels, 3, 3, 8], scale: 72 ** -0.5, dtype },
    bias: { shape: [channels] },
  })
  const shared: Work = {
    setup({ noisy, pictures, weight, bias }) {
      const picture = preparePicture(weight, bias, pictures, halves)
      return { run: () => withPicture(picture, noisy), [Symbol.dispose]: () => disposeAll({ ...picture }) }
    },
  }
  const plain: Work = {
    run: ({ noisy, pictures, weight, bias }) =>
      scope(() => {
        const video = permute(wholeSample(noisy, pictures), [0, 1, 3, 4, 2]) // [2,F,h,w,8]
        return conv2d(video.reshape([-1, ...video.shape.slice(2)]), weight, { padding: 1, bias })
      }),
  }
  return {
    kernel: 'structure',
    name: `halves share conv_in: 2 x ${frames} x ${height}x${width}, 8->${channels} ${dtype}`,
    unit: 'GFLOP/s',
    operands: operandsOf(frames, height, width),
    ...shared,
    plain,
    check: { operands: operandsOf(2, 3, 4), ...shared },
  }
}

interface Fusion {
  about: string
  operands(batch: number, height: number, width: number, channels: number): OperandSpecs
  fused(operands: Operands): Tensor
  apart(operands: Operands): Tensor
}

const norm = { groups: 32, eps: 1e-5 }
const vector = (channels: number) => ({ shape: [channels] })

const fusions: readonly Fusion[] = [
  {
    about: 'group norm and SiLU',
    operands: (batch, height, width, channels) => ({
      x: { shape: [batch, height, width, channels] },
      weight: vector(channels),
      bias: vector(channels),
    }),
    fused: ({ x, weight, bias }) => groupNorm(x, weight, bias, { ...norm, activation: 'silu' }),
    apart: ({ x, weight, bias }) => into(groupNorm(x, weight, bias, norm), silu),
  },
  {
    about: 'convolution, bias, time and residual',
    operands: (batch, height, width, channels) => ({
      x: { shape: [batch, height, width, channels] },
      weight: { shape: [channels, 3, 3, channels], scale: (9 * channels) ** -0.5 },
      bias: vector(channels),
      time: { shape: [1, channels] },
      residual: { shape: [batch, height, width, channels] },
    }),
    fused: ({ x, weight, bias, time, residual }) => conv2d(x, weight, { padding: 1, bias, shift: time, residual }),
    apart: ({ x, weight, bias, time, residual }) => {
      const made = into(conv2d(x, weight, { padding: 1 }), h => add(h, bias))
      return into(
        into(made, h => add(h, time)),
        h => add(h, residual),
      )
    },
  },
  {
    about: 'linear layer and GEGLU',
    operands: (batch, height, width, channels) => ({
      x: { shape: [batch * height * width, channels] },
      weight: { shape: [8 * channels, channels], scale: channels ** -0.5 },
      bias: vector(8 * channels),
    }),
    fused: ({ x, weight, bias }) => linear(x, weight, { bias, activation: 'geglu' }),
    apart: ({ x, weight, bias }) =>
      scope(() => {
        const both = into(linear(x, weight), h => add(h, bias))
        const half = both.shape[1] / 2
        return mul(slice(both, 1, 0, half), into(slice(both, 1, half, 2 * half), gelu))
      }),
  },
]

function fusionCases(batch: number, height: number, width: number, channels: number): Case[] {
  return fusions.map(({ about, operands, fused, apart }): Case => ({
    kernel: 'structure',
    name: `fused ${about}, ${batch} x ${height}x${width} x ${channels}`,
    unit: 'GFLOP/s',
    operands: operands(batch, height, width, channels),
    run: fused,
    plain: { run: apart },
    check: { operands: operands(1, 3, 4, 32), run: fused },
  }))
}

const small = { frames: 2, height: 8, width: 8, channels: [32, 32, 32, 64] }

export const structureCases: Record<SizeClass, Case[]> = {
  software: [
    ...stepCases('tiny UNet', { ...small, frames: 4 }, 'f32', small),
    inputCase(4, 36, 64, 320, 'f32'),
    ...fusionCases(2, 36, 64, 320),
  ],
  full: [
    ...stepCases('SVD UNet', { frames: 14, height: 36, width: 64, channels: [320, 640, 1280, 1280] }, 'f16', small),
    inputCase(25, 72, 128, 320, 'f16'),
    ...fusionCases(14, 72, 128, 320),
  ],
}
