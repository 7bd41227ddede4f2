// What cases about modules share: their weights are among the operands.

import type { UNetConfig } from '../../models/index.js'
import type { Weights } from '../../nn/index.js'
import { sizeOf, type DType } from '../../tensor/index.js'
import type { OperandSpec, Operands } from '../case.js'

/** Channels of what cross-attention sees. */
export const contextChannels = 1024

/**
 * The weights as operands: f16 or f32 where the module leaves the choice, and of a size that keeps activations near 1.
 */
export function weightOperands(weights: Weights, dtype: DType): Record<string, OperandSpec> {
  const specs = [...weights.parameters].map(([name, { shape, options }]): [string, OperandSpec] => {
    const scale = shape.length > 1 ? sizeOf(shape.slice(1)) ** -0.5 : 1
    return [name, { shape, scale, dtype: options.dtype === 'f32' ? 'f32' : dtype }]
  })
  return Object.fromEntries(specs)
}

/** Fills weights with operands of their names; releasing them leaves the operands alone. */
export function fill(weights: Weights, operands: Operands): Weights {
  for (const [name, parameter] of weights.parameters) parameter.replace(operands[name].share())
  return weights
}

/** A UNet with Stable Video Diffusion's four levels, of which the last has no attention. */
export function unetConfig(channels: readonly number[]): UNetConfig {
  const levels = channels.map((n, i) => ({
    channels: n,
    groups: 32,
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
