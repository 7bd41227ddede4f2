// Sub-folders of a model as diffusers and transformers lay them out: a configuration, and weights in one file or in
// shards, in full precision or as a variant.

import { NodeFileSource, openCheckpoint, type TensorFile } from '../tensor/files/index.js'
import { FileError } from '../tensor/index.js'
import { ConfigReader } from './config-reader.js'

const maxConfigBytes = 2 ** 20

/** File names of weights without their ending: transformers' and diffusers'. */
export type WeightsBase = 'model' | 'diffusion_pytorch_model'

/** The text of a file of at most `maxBytes`; throws a FileError if it is missing, longer or not UTF-8. */
export async function readConfigText(folder: string, file = 'config.json', maxBytes = maxConfigBytes): Promise<string> {
  const { join } = await import('node:path')
  const source = await NodeFileSource.open(join(folder, file))
  try {
    if (source.size > maxBytes)
      throw new FileError({
        where: source.name,
        what: 'too long for a configuration',
        expected: `at most ${maxBytes} bytes`,
        got: String(source.size),
      })
    const bytes = await source.read(0, source.size)
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    if (cause instanceof FileError) throw cause
    throw new FileError({ where: source.name, what: 'not a text', expected: 'UTF-8' }, { cause })
  } finally {
    await source.close()
  }
}

/** A configuration whose fields are asked for one by one; throws a FileError if the file is no JSON object. */
export async function openConfig(folder: string, file = 'config.json'): Promise<ConfigReader> {
  const { join } = await import('node:path')
  return new ConfigReader(join(folder, file), await readConfigText(folder, file))
}

/**
 * Opens the weights in a sub-folder: `<base>.safetensors`, whole or in shards, in full precision if it is there and
 * else its fp16 variant; with `variant` that one alone. Throws a FileError if there are none, or they are cut short.
 */
export async function openWeights(folder: string, base: WeightsBase, variant?: string): Promise<TensorFile> {
  const { join } = await import('node:path')
  for (const name of weightNames(base, variant)) {
    const path = join(folder, name)
    if (await isThere(path)) return openCheckpoint(path)
  }
  throw new FileError({
    where: folder,
    what: 'no weights',
    expected: weightNames(base, variant).join(' or '),
    hint: 'downloading the .safetensors files of this folder (.bin and .ckpt are not read)',
  })
}

/** Whether there is a file or folder of this name. */
export async function isThere(path: string): Promise<boolean> {
  const { access } = await import('node:fs/promises')
  return access(path).then(
    () => true,
    () => false,
  )
}

/** Names in order of preference. Shards of a variant are known under two spellings, of diffusers and transformers. */
export function weightNames(base: WeightsBase, variant: string | undefined): string[] {
  const full = [`${base}.safetensors`, `${base}.safetensors.index.json`]
  const narrow = (name: string) => [
    `${base}.${name}.safetensors`,
    `${base}.${name}.safetensors.index.json`,
    `${base}.safetensors.index.${name}.json`,
  ]
  return variant === undefined ? [...full, ...narrow('fp16')] : narrow(variant)
}
