// Modules of Stable Video Diffusion with random weights: what the kernels come to when they work together. Their
// outputs are checked on a small module of the same make, against the plain loops.

import { AutoencoderKLTemporalDecoder, UNetSpatioTemporalConditionModel } from '../../models/index.js'
import type { VaeConfig } from '../../models/index.js'
import { sinusoids, SpatioTemporalResBlock, TransformerSpatioTemporalModel, Weights } from '../../nn/index.js'
import { scope, type DType, type Tensor } from '../../tensor/index.js'
import type { Case, Computation, OperandSpecs, Operands, SizeClass } from '../case.js'
import { contextChannels, fill, unetConfig, weightOperands } from './modules.js'

interface Module {
  weights: Weights
  forward(operands: Operands): Tensor
}

interface Subject {
  name: string
  inputs: OperandSpecs
  /** Called for each set of operands. */
  build(): Module
}

/** The module at work, its weights among the operands. */
function computation({ inputs, build }: Subject, dtype: DType): Computation {
  return {
    operands: { ...inputs, ...weightOperands(build().weights, dtype) },
    setup(operands) {
      const { weights, forward } = build()
      fill(weights, operands)
      return { run: () => scope(() => forward(operands)), [Symbol.dispose]: () => weights.dispose() }
    },
  }
}

function moduleCase(subject: Subject, dtype: DType, check: Subject): Case {
  return {
    kernel: 'block',
    name: `${subject.name} ${dtype}`,
    unit: 'GFLOP/s',
    ...computation(subject, dtype),
    check: computation(check, dtype),
  }
}

function residual(frames: number, height: number, width: number, channels: number): Subject {
  const tembChannels = 4 * channels
  const options = { inChannels: channels, outChannels: channels, tembChannels, eps: 1e-5 }
  return {
    name: `SpatioTemporalResBlock ${channels} at ${frames} x ${height}x${width}`,
    inputs: { x: { shape: [frames, height, width, channels] }, temb: { shape: [1, tembChannels] } },
    build() {
      const weights = new Weights()
      const block = new SpatioTemporalResBlock(weights.scope(), options)
      return { weights, forward: ({ x, temb }) => block.forward(x, frames, temb) }
    },
  }
}

function transformer(frames: number, height: number, width: number, channels: number): Subject {
  const heads = channels / 64
  const numbers = Array.from({ length: frames }, (_, i) => i)
  return {
    name: `TransformerSpatioTemporalModel ${channels} at ${frames} x ${height}x${width}`,
    inputs: { x: { shape: [frames, height, width, channels] }, context: { shape: [1, 1, contextChannels] } },
    build() {
      const weights = new Weights()
      const block = new TransformerSpatioTemporalModel(weights.scope(), { layers: 1, channels, heads, contextChannels })
      const forward = ({ x, context }: Operands) =>
        block.forward(x, block.prepare(context, sinusoids(x.runtime, numbers, channels)))
      return { weights, forward }
    },
  }
}

function unetStep(name: string, frames: number, height: number, width: number, channels: readonly number[]): Subject {
  return {
    name: `${name} at ${frames} x ${height}x${width}`,
    inputs: { sample: { shape: [1, frames, 8, height, width] }, context: { shape: [1, 1, contextChannels] } },
    build() {
      const unet = new UNetSpatioTemporalConditionModel(unetConfig(channels))
      const forward = ({ sample, context }: Operands) => unet.forward(sample, 0.5, context, [[6, 127, 0.02]])
      return { weights: unet.weights, forward }
    },
  }
}

function vaeFrame(name: string, height: number, width: number, blockOutChannels: readonly number[]): Subject {
  const config: VaeConfig = {
    inChannels: 3,
    outChannels: 3,
    latentChannels: 4,
    blockOutChannels,
    layersPerBlock: 2,
    groups: 32,
    scalingFactor: 0.18215,
  }
  return {
    name: `${name} to 1 x ${8 * height}x${8 * width}`,
    inputs: { z: { shape: [1, 4, height, width] } },
    build() {
      const vae = new AutoencoderKLTemporalDecoder(config)
      return { weights: vae.weights, forward: ({ z }) => vae.decode(z, 1) }
    },
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
