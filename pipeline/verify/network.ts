// What the golden folders of networks share: a configuration, a checkpoint, and files of inputs and outputs.

import { join } from 'node:path'
import type { TensorFile } from '../../tensor/files/index.js'
import { FileError, type Runtime, type Tensor } from '../../tensor/index.js'
import type { GoldenFolder } from './folder.js'
import { attempt, compare, readNumbers, take, type VerifyCase, type VerifyOutcome } from './outcome.js'

/** Of networks computed in f32. */
export const networkTolerance = 1e-4

/** A golden folder with its checkpoint open. */
export interface NetworkFolder {
  readonly folder: GoldenFolder
  readonly runtime: Runtime
  readonly config: string
  /** What messages call config.json. */
  readonly configPath: string
  readonly checkpoint: TensorFile
}

/** What a network's config.json says it is: `_class_name` or `model_type`; undefined without such a file. */
export async function networkClass(folder: GoldenFolder): Promise<string | undefined> {
  if (!folder.files.has('config.json')) return undefined
  const { _class_name, model_type } = await folder.readObject('config.json')
  const name = _class_name ?? model_type
  return typeof name === 'string' ? name : undefined
}

/** Opens the checkpoint for as long as `body` runs. */
export async function* withNetwork<T>(
  folder: GoldenFolder,
  runtime: Runtime,
  weights: string,
  body: (network: NetworkFolder) => AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  const config = await folder.readText('config.json')
  const checkpoint = await folder.open(weights)
  try {
    yield* body({ folder, runtime, config, configPath: join(folder.path, 'config.json'), checkpoint })
  } finally {
    await checkpoint.close()
  }
}

/** Opens a file of inputs and outputs for as long as `body` runs. */
export async function* withFile<T>(
  folder: GoldenFolder,
  name: string,
  body: (file: TensorFile) => AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  const file = await folder.open(name)
  try {
    yield* body(file)
  } finally {
    await file.close()
  }
}

/** Attempts `body` for each of these files; `name` is what outcomes call it. */
export async function* attemptFiles(
  folder: GoldenFolder,
  files: readonly string[],
  body: (name: string, file: TensorFile) => AsyncIterable<VerifyOutcome>,
): AsyncGenerator<VerifyOutcome, void, undefined> {
  for (const io of files) {
    const name = `${folder.title}/${io}`
    yield* withFile(folder, io, file => attempt(name, () => body(name, file)))
  }
}

/** Compares outputs with the tensors of their names, as far as a file has them, and releases the outputs. */
export async function* compareOutputs(
  name: string,
  file: TensorFile,
  outputs: Readonly<Record<string, Tensor>>,
  tolerance = networkTolerance,
): AsyncGenerator<VerifyCase, void, undefined> {
  const present = Object.keys(outputs).filter(output => file.tensors.has(output))
  if (present.length === 0)
    throw new FileError({ where: file.name, what: 'no outputs', expected: Object.keys(outputs).join(', ') })
  for (const [output, tensor] of Object.entries(outputs)) {
    const actual = await take(tensor)
    if (file.tensors.has(output)) yield compare(name, output, actual, await readNumbers(file, output), tolerance)
  }
}
