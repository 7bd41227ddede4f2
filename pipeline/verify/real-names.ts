// svd-real-names.json: configurations of the real model, and the names and shapes of the tensors in its checkpoints.

import { join } from 'node:path'
import {
  AutoencoderKLTemporalDecoder,
  CLIPVisionModelWithProjection,
  parseCLIPVisionConfig,
  parseUNetConfig,
  parseVaeConfig,
  UNetSpatioTemporalConditionModel,
} from '../../models/index.js'
import { isObject } from '../../models/config-reader.js'
import type { Weights } from '../../nn/index.js'
import { FileError } from '../../tensor/index.js'
import type { GoldenFolder } from './folder.js'
import type { VerifyCase } from './outcome.js'

/** The file's name. */
export const realNamesFile = 'svd-real-names.json'

// Building a network takes no memory for its weights.
const networks: Readonly<Record<string, (where: string, text: string) => { readonly weights: Weights }>> = {
  unet: (where, text) => new UNetSpatioTemporalConditionModel(parseUNetConfig(where, text)),
  vae: (where, text) => new AutoencoderKLTemporalDecoder(parseVaeConfig(where, text)),
  image_encoder: (where, text) => new CLIPVisionModelWithProjection(parseCLIPVisionConfig(where, text)),
}

/** Compares the tensors that networks of the real configurations want with those of the real checkpoints. */
export async function* verifyRealNames(folder: GoldenFolder): AsyncGenerator<VerifyCase, void, undefined> {
  if (!folder.files.has(realNamesFile)) return
  const where = join(folder.path, realNamesFile)
  const { configs, names } = await folder.readObject(realNamesFile)
  if (!isObject(configs) || !isObject(names))
    throw new FileError({ where, what: 'no names of a model', expected: 'configs and names' })
  for (const [part, build] of Object.entries(networks)) {
    const [config, expected] = [configs[part], names[part]]
    if (!isObject(config) || !isObject(expected))
      throw new FileError({ where, what: `no names of ${part}`, expected: 'a configuration and names' })
    const { parameters } = build(where, JSON.stringify(config)).weights
    const declared = new Map([...parameters.values()].map(({ name, storedShape }) => [name, String(storedShape)]))
    const strangers = [...new Set([...declared.keys(), ...Object.keys(expected)])].filter(
      name => declared.get(name) !== (Object.hasOwn(expected, name) ? String(expected[name]) : undefined),
    )
    const [error, tolerance] = [strangers.length, 0]
    const message = error > 0 ? `tensors that differ, such as ${strangers[0]}` : undefined
    const name = folder.titleOf('svd-real-names')
    yield { name, tensor: part, error, tolerance, ok: error <= tolerance, absolute: true, message }
  }
}
