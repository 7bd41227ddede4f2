// A trained network as a part of a model folder, as diffusers lays it out.

import { join } from 'node:path'
import type { WeightsBase } from '../models/checkpoint.js'
import { saveWeights, type SaveOptions, type Weights } from '../nn/index.js'
import { makeFolder, replaceFile } from '../tensor/files/index.js'
import { keep, Tensor, type Runtime } from '../tensor/index.js'

/** Writes config.json and the weights, in f16 unless told otherwise; tells the folder. Throws a FileError. */
export async function writeModelPart(
  folder: string,
  base: WeightsBase,
  weights: Weights,
  json: Readonly<Record<string, unknown>>,
  options: SaveOptions = {},
): Promise<string> {
  await makeFolder(folder)
  await saveWeights(join(folder, `${base}.safetensors`), weights, { dtype: 'f16', ...options })
  const config = new TextEncoder().encode(`${JSON.stringify(json, undefined, 2)}\n`)
  await replaceFile(join(folder, 'config.json'), append => append(config))
  return folder
}

/** Puts means over training in the place of the weights, for good. */
export async function useMeans(runtime: Runtime, weights: Weights, means: ReadonlyMap<string, Tensor>): Promise<void> {
  for (const [name, mean] of means)
    weights.parameters.get(name)!.replace(keep(Tensor.from(runtime, await mean.floats(), mean.shape, 'f32', name)))
}
