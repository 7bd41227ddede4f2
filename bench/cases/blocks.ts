// Modules of Stable Video Diffusion with random weights: what the kernels come to when they work together. Their
// outputs are checked on a small module of the same make, against the plain loops.

import { AutoencoderKLTemporalDecoder, UNetSpatioTemporalConditionModel } from '../../models/index.js'
import type { UNetConfig, VaeConfig } from '../../models/index.js'
import { sinusoids, SpatioTemporalResBlock, TransformerSpatioTemporalModel, Weights } from '../../nn/index.js'
import { sizeOf, type DType, type Tensor } from '../../tensor/index.js'
import type { Case, Computation, OperandSpec, SizeClass } from '../case.js'

const contextChannels = 1024

/**
 * The weights as operands: f16 or f32 where the module leaves the choice, and of a size that keeps activations near 1.
 */
function weightOperands(weights: Weights, dtype: DType): Record<string, OperandSpec> {
  const specs = [...weights.parameters].map(([name, { shape, options }]): [string, OperandSpec] => {
    const scale = shape.length > 1 ? sizeOf(shape.slice(1)) ** -0.5 : 1
    return [name, { shape, scale, dtype: options.dtype === 'f32' ? 'f32' : dtype }]
  })
  return Object.fromEntries(specs)
}

interface Module {
  name: string
  weights: Weights
  inputs: Record<string, OperandSpec>
  forward(operands: Readonly<Record<string, Tensor>>): Tensor
}

/** The module at work, its weights among the operands. */
function computation({ weights, inputs, forward }: Module, dtype: DType): Computation {
  return {
    operands: { ...inputs, ...weightOperands(weights, dtype) },
    setup(operands) {
      for (const [name, parameter] of weights.parameters) parameter.replace(operands[name].share())
      return weights
    },
    run: forward,
  }
}

function moduleCase(module: Module, dtype: DType, check: Module): Case {
  return {
    kernel: 'block',
    name: `${module.name} ${dtype}`,
    unit: 'GFLOP/s',
    ...computation(module, dtype),
    check: computation(check, dtype),
  }
}

function residual(frames: number, height: number, width: number, channels: number): Module {
  const weights = new Weights()
  const tembChannels = 4 * channels
  const options = { inChannels: channels, outChannels: channels, tembChannels, eps: 1e-5 }
  const block = new SpatioTemporalResBlock(weights.scope(), options)
  return {
    name: `SpatioTemporalResBlock ${channels} at ${frames} x ${height}x${width}`,
    weights,
    inputs: { x: { shape: [frames, height, width, channels] }, temb: { shape: [1, tembChannels] } },
    forward: ({ x, temb }) => block.forward(x, frames, temb),
  }
}

function transformer(frames: number, height: number, width: number, channels: number): Module {
  const weights = new Weights()
  const heads = channels / 64
  const block = new TransformerSpatioTemporalModel(weights.scope(), { layers: 1, channels, heads, contextChannels })
  const numbers = Array.from({ length: frames }, (_, i) => i)
  return {
    name: `TransformerSpatioTemporalModel ${channels} at ${frames} x ${height}x${width}`,
    weights,
    inputs: { x: { shape: [frames, height, width, channels] }, context: { shape: [1, 1, contextChannels] } },
    forward(operands) {
      using positions = sinusoids(operands.x.runtime, numbers, channels)
      return block.forward(operands.x, operands.context, positions)
    },
  }
}

/** A UNet with Stable Video Diffusion's four levels, of which the last has no attention. */
function unetConfig(channels: readonly number[]): UNetConfig {
  const levels = channels.map((n, i) => ({
    channels: n,
    layers: 2,
    heads: n / 32 > 8 ? n / 64 : 2,
    contextChannels,
    transformerLayers: 1,
    downAttention: i < channels.length - 1,
    upAttention: i < channels.length - 1,
  }))
  return {
    inChannels: 8,
    outChannels: 4,
    levels,
    additionTimeEmbedDim: 256,
    additionTimeIds: 3,
    numFrames: 25,
    sampleSize: 96,
  }
}

function unetStep(name: string, frames: number, height: number, width: number, channels: readonly number[]): Module {
  const unet = new UNetSpatioTemporalConditionModel(unetConfig(channels))
  return {
    name: `${name} at ${frames} x ${height}x${width}`,
    weights: unet.weights,
    inputs: { sample: { shape: [1, frames, 8, height, width] }, context: { shape: [1, 1, contextChannels] } },
    forward: ({ sample, context }) => unet.forward(sample, 0.5, context, [[6, 127, 0.02]]),
  }
}

function vaeFrame(name: string, height: number, width: number, blockOutChannels: readonly number[]): Module {
  const config: VaeConfig = {
    inChannels: 3,
    outChannels: 3,
    latentChannels: 4,
    blockOutChannels,
    layersPerBlock: 2,
    scalingFactor: 0.18215,
  }
  const vae = new AutoencoderKLTemporalDecoder(config)
  return {
    name: `${name} to 1 x ${8 * height}x${8 * width}`,
    weights: vae.weights,
    inputs: { z: { shape: [1, 4, height, width] } },
    forward: ({ z }) => vae.decode(z, 1),
  }
}

const small = {
  residual: residual(2, 4, 6, 64),
  transformer: transformer(2, 4, 6, 64),
  unet: unetStep('small UNet step', 2, 8, 8, [32, 32, 32, 64]),
  vae: vaeFrame('small VAE decode', 4, 4, [32, 32, 32, 64]),
}

export const blockCases: Record<SizeClass, Case[]> = {
  software: [
    moduleCase(residual(2, 18, 32, 320), 'f32', small.residual),
    moduleCase(transformer(2, 18, 32, 320), 'f32', small.transformer),
    moduleCase(unetStep('tiny UNet step', 4, 16, 16, [32, 32, 32, 64]), 'f32', small.unet),
    moduleCase(vaeFrame('tiny VAE decode', 16, 16, [32, 32, 32, 64]), 'f32', small.vae),
  ],
  full: [
    moduleCase(residual(25, 72, 128, 320), 'f16', small.residual),
    moduleCase(residual(25, 18, 32, 1280), 'f16', small.residual),
    moduleCase(transformer(25, 72, 128, 320), 'f16', small.transformer),
    moduleCase(transformer(25, 18, 32, 1280), 'f16', small.transformer),
    moduleCase(unetStep('SVD-XT UNet step', 25, 72, 128, [320, 640, 1280, 1280]), 'f16', small.unet),
    moduleCase(vaeFrame('SVD VAE decode', 72, 128, [128, 256, 512, 512]), 'f16', small.vae),
  ],
}
