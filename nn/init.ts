// Models without a checkpoint: weights as torch's layers begin, and a file of them in the end.
// Ported from pytorch/pytorch: torch/nn/modules/linear.py, conv.py (reset_parameters), normalization.py.

import { writeSafetensors, type SafetensorsEntry } from '../tensor/files/index.js'
import {
  fromFloat32,
  keep,
  sizeOf,
  Tensor,
  toFloat32,
  type DType,
  type Generator,
  type Runtime,
  type Shape,
} from '../tensor/index.js'
import type { Parameter, Weights } from './weights.js'

/**
 * Fills all weights with fresh ones, f32: matrices and kernels uniform within 1 / sqrt(inputs), and so the vector named
 * `bias` beside one; other vectors named `weight` 1, named `bias` 0, all else normal with deviation 0.02; a parameter's
 * `init` overrules that. Numbers come in the order of declaration, so that a seed gives the same model everywhere.
 */
export function initializeWeights(runtime: Runtime, weights: Weights, random: Generator): void {
  for (const parameter of weights.parameters.values()) {
    const data = toDevice(parameter, fresh(parameter, weights, random))
    parameter.replace(keep(Tensor.from(runtime, data, parameter.shape, 'f32', parameter.name)))
  }
}

/** In the checkpoint's layout. */
function fresh({ name, storedShape, options: { init } }: Parameter, weights: Weights, random: Generator): Float32Array {
  const size = sizeOf(storedShape)
  if (typeof init === 'number') return new Float32Array(size).fill(init)
  if (init) return random.randn(size).map(x => x * init.deviation)
  const kind = name.slice(name.lastIndexOf('.') + 1)
  const sibling = weights.parameters.get(name.replace(/bias$/, 'weight'))
  if (kind === 'weight' || kind === 'bias') {
    const shape = kind === 'bias' ? sibling?.storedShape : storedShape
    if (!shape || shape.length < 2) return new Float32Array(size).fill(kind === 'weight' ? 1 : 0)
    const bound = 1 / Math.sqrt(sizeOf(shape.slice(1)))
    return random.rand(size).map(x => (2 * x - 1) * bound)
  }
  return random.randn(size).map(x => x * 0.02)
}

/** How weights are written. */
export interface SaveOptions {
  /** Default: that of each weight. */
  dtype?: DType
  /** In the place of the weights, by their names and in the device's layout: means over training. */
  values?: ReadonlyMap<string, Tensor>
  metadata?: Readonly<Record<string, string>>
}

/** The weights as a checkpoint has them: its names, layouts and shapes. */
export function checkpointEntries(weights: Weights, { dtype, values }: SaveOptions = {}): SafetensorsEntry[] {
  return [...weights.parameters.values()].map(parameter => {
    const value = values?.get(parameter.name) ?? parameter.value
    const target = dtype ?? value.dtype
    const data = async () => fromFloat32(target, toStored(parameter, toFloat32(value.dtype, await value.data())))
    return { name: parameter.name, dtype: target, shape: parameter.storedShape, data }
  })
}

/** Writes the weights as a checkpoint that `loadWeights` and others' loaders read. Errors: as writeSafetensors. */
export function saveWeights(path: string, weights: Weights, options: SaveOptions = {}): Promise<void> {
  return writeSafetensors(path, checkpointEntries(weights, options), options.metadata)
}

/** Copies rows of `from` cells by `to` cells into rows of `to` by `from`. */
function transposed(data: Float32Array, rows: number, from: number, to: number): Float32Array {
  const out = new Float32Array(data.length)
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < from; i++)
      for (let j = 0; j < to; j++) out[(row * to + j) * from + i] = data[(row * from + i) * to + j]
  return out
}

const kernelSizes = ([outputs, inputs, ...kernel]: Shape) => ({ outputs, inputs, taps: sizeOf(kernel) })

/** [O, I, ...kernel] to [O, ...kernel, I], if the parameter is kept so. */
function toDevice({ storedShape, options: { layout } }: Parameter, data: Float32Array): Float32Array {
  if (layout !== 'channels-last') return data
  const { outputs, inputs, taps } = kernelSizes(storedShape)
  return transposed(data, outputs, inputs, taps)
}

/** The other way round. */
function toStored({ storedShape, options: { layout } }: Parameter, data: Float32Array): Float32Array {
  if (layout !== 'channels-last') return data
  const { outputs, inputs, taps } = kernelSizes(storedShape)
  return transposed(data, outputs, taps, inputs)
}
