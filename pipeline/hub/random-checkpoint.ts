// A checkpoint of a real architecture with random weights: to try sizes, speed and memory without a download. Weights
// keep the variance of what passes through them, so that numbers stay finite through all layers.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseCLIPVisionConfig } from '../../models/clip/config.js'
import { CLIPVisionModelWithProjection } from '../../models/clip/vision.js'
import { parseUNetConfig } from '../../models/svd/config.js'
import { UNetSpatioTemporalConditionModel } from '../../models/svd/unet.js'
import { AutoencoderKLTemporalDecoder } from '../../models/svd/vae.js'
import { parseVaeConfig } from '../../models/svd/vae-config.js'
import type { Parameter, Weights } from '../../nn/index.js'
import { writeSafetensors } from '../../tensor/files/index.js'
import { byteSize, type DType, fromFloat32, Generator, type HostArray, type Shape, sizeOf } from '../../tensor/index.js'
import type { OutputFolder } from '../media/output.js'
import { type ArchitectureName, architectures, modelIndex, schedulerConfig } from './architectures.js'
import { checkRoom } from './room.js'

/** The float types of checkpoints. */
export const checkpointDTypes = ['f16', 'bf16', 'f32'] as const satisfies readonly DType[]

/** What to write, and who hears of it. */
export interface RandomCheckpointOptions {
  like: ArchitectureName
  /** How weights are stored; default: f16. */
  dtype?: (typeof checkpointDTypes)[number]
  /** The same seed gives the same weights; default: 0. */
  seed?: number
  /** Stops between two tensors. */
  signal?: AbortSignal
  /** Hears of bytes written and in all, and of the file that is being written. */
  progress?: (done: number, total: number, path: string) => void
}

interface Part {
  readonly folder: string
  readonly config: object
  readonly file: string
  readonly weights: Weights
}

/**
 * Writes a model in diffusers' layout to `output`, tensor by tensor, so that no more than one is in memory; it is there
 * when the caller commits. Throws a FileError when the disk has no room or refuses, a UsageError on a bad seed.
 */
export async function writeRandomCheckpoint(
  output: OutputFolder,
  { like, dtype = 'f16', seed = 0, signal, progress }: RandomCheckpointOptions,
): Promise<void> {
  const generator = new Generator(seed)
  const parts = partsOf(like)
  const total = parts.reduce((sum, { weights }) => sum + weights.size * byteSize(dtype), 0)
  let done = 0
  for (const [name, config] of [
    ['model_index.json', modelIndex],
    ['scheduler/scheduler_config.json', schedulerConfig],
    ...parts.map(({ folder, config }) => [`${folder}/config.json`, config] as const),
  ] as const)
    await writeJson(output, name, config)
  await checkRoom(output.file('unet'), total)

  for (const { folder, file, weights } of parts) {
    const entries = [...weights.parameters.values()].map(parameter => ({
      name: parameter.name,
      dtype,
      shape: parameter.storedShape,
      data: () => {
        signal?.throwIfAborted()
        const values = randomWeights(parameter, dtype, generator)
        done += values.byteLength
        progress?.(done, total, `${folder}/${file}`)
        return values
      },
    }))
    await writeSafetensors(join(output.file(folder), file), entries)
  }
}

function partsOf(like: ArchitectureName): Part[] {
  const { unet, vae, imageEncoder } = architectures[like]
  const text = JSON.stringify
  const networks = [
    new UNetSpatioTemporalConditionModel(parseUNetConfig('unet', text(unet))),
    new AutoencoderKLTemporalDecoder(parseVaeConfig('vae', text(vae))),
    new CLIPVisionModelWithProjection(parseCLIPVisionConfig('image_encoder', text(imageEncoder))),
  ]
  const base = 'diffusion_pytorch_model.safetensors'
  return [
    { folder: 'unet', config: unet, file: base, weights: networks[0].weights },
    { folder: 'vae', config: vae, file: base, weights: networks[1].weights },
    { folder: 'image_encoder', config: imageEncoder, file: 'model.safetensors', weights: networks[2].weights },
  ]
}

async function writeJson(output: OutputFolder, name: string, value: object): Promise<void> {
  const parts = name.split('/')
  if (parts.length > 1) await mkdir(output.file(parts[0]))
  await writeFile(join(output.file(parts[0]), ...parts.slice(1)), `${JSON.stringify(value, null, 2)}\n`)
}

/**
 * Uniform numbers: kernels and matrices with variance 1 / fan-in, biases near 0, scales of norms near 1; what else
 * there is, tokens and blending factors, in -1..1.
 */
function randomWeights({ name, storedShape }: Parameter, dtype: DType, generator: Generator): HostArray {
  const [middle, bound] = rangeOf(name, storedShape)
  const values = generator.rand(sizeOf(storedShape))
  for (let i = 0; i < values.length; i++) values[i] = middle + bound * (2 * values[i] - 1)
  return fromFloat32(dtype, values)
}

function rangeOf(name: string, shape: Shape): [middle: number, bound: number] {
  if (name.endsWith('.bias')) return [0, 0.1]
  if (shape.length > 1) return [0, Math.sqrt(3 / sizeOf(shape.slice(1)))]
  return name.endsWith('.weight') ? [1, 0.1] : [0, 1]
}
