// `revision inspect`: what is in a checkpoint. Only headers are read, however large the files.

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { CommandModule } from 'yargs'
import { weightNames } from '../../models/checkpoint.js'
import { openCheckpoint } from '../../tensor/files/index.js'
import { systemError } from '../../tensor/files/system-error.js'
import { FileError, showShape, sizeOf } from '../../tensor/index.js'
import { oneLine } from './exit.js'
import { jsonText } from './json.js'
import { showBytes } from './progress.js'

interface InspectArguments {
  path: string
  json?: boolean
}

/** One tensor of a checkpoint. */
interface TensorEntry {
  /** The network's sub-folder, in a model folder. */
  part?: string
  name: string
  /** The element type in the file. */
  dtype: string
  shape: readonly number[]
  parameters: number
  bytes: number
}

interface Counts {
  tensors: number
  parameters: number
  bytes: number
}

const weightBases = ['diffusion_pytorch_model', 'model'] as const

// A name is no longer than this in a list for people.
const maxName = 200

export const inspectCommand: CommandModule<object, InspectArguments> = {
  command: 'inspect <path>',
  describe: 'List the tensors of a checkpoint',
  builder: program =>
    program
      .positional('path', { type: 'string', describe: 'A .safetensors file, its index, or the folder of a model' })
      .options({ json: { type: 'boolean', describe: 'Print one JSON object' } }) as never,
  handler: run,
}

async function run({ path, json }: InspectArguments): Promise<void> {
  const files = await filesOf(path)
  const tensors: TensorEntry[] = []
  for (const { part, file } of files) tensors.push(...(await tensorsOf(file, part)))
  const total = count(tensors)
  const dtypes = [...new Set(tensors.map(({ dtype }) => dtype))]
  const parts = files.map(({ part, file }) => ({
    part,
    file,
    ...count(tensors.filter(tensor => tensor.part === part)),
  }))
  if (json) {
    const { parameters, bytes } = total
    console.log(jsonText({ path, parameters, bytes, dtypes, parts, tensors }, 2))
    return
  }
  for (const { part, file, ...counts } of parts) {
    console.log(oneLine(file))
    for (const tensor of tensors) if (tensor.part === part) console.log(`  ${describe(tensor)}`)
    if (parts.length > 1) console.log(`  ${summary(counts)}\n`)
  }
  console.log(`${summary(total)}, ${dtypes.join(' and ') || 'nothing'}`)
}

/** Where the weights are: in a model folder one checkpoint for each network. */
async function filesOf(path: string): Promise<{ part?: string; file: string }[]> {
  if (!(await stat(path).catch(() => undefined))?.isDirectory()) return [{ file: path }]
  const own = await weightsIn(path)
  if (own !== undefined) return [{ file: own }]
  const entries = await readdir(path, { withFileTypes: true }).catch((cause: unknown) => {
    throw systemError(path, 'cannot be read', cause)
  })
  const files: { part: string; file: string }[] = []
  for (const { name: part } of entries.filter(entry => !entry.isFile()).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const file = await weightsIn(join(path, part))
    if (file !== undefined) files.push({ part, file })
  }
  if (files.length === 0)
    throw new FileError({
      where: path,
      what: 'no weights in this folder',
      expected: 'a diffusers model, or one of its parts',
      hint: 'the path of a .safetensors file',
    })
  return files
}

/** The checkpoint in a folder, if there is one: of several the one that would be loaded. */
async function weightsIn(folder: string): Promise<string | undefined> {
  const names = await readdir(folder).catch((): string[] => [])
  const found = weightBases.flatMap(base => weightNames(base, undefined)).find(name => names.includes(name))
  return found === undefined ? undefined : join(folder, found)
}

async function tensorsOf(path: string, part: string | undefined): Promise<TensorEntry[]> {
  const file = await openCheckpoint(path)
  try {
    return [...file.tensors].map(([name, { stored, shape, byteSize }]) => ({
      part,
      name,
      dtype: stored,
      shape,
      parameters: sizeOf(shape),
      bytes: byteSize,
    }))
  } finally {
    await file.close()
  }
}

function count(tensors: readonly TensorEntry[]): Counts {
  const counts = { tensors: tensors.length, parameters: 0, bytes: 0 }
  for (const { parameters, bytes } of tensors) {
    counts.parameters += parameters
    counts.bytes += bytes
  }
  return counts
}

function describe({ name, dtype, shape, parameters, bytes }: TensorEntry): string {
  const shown = name.length > maxName ? `${name.slice(0, maxName)}...` : name
  return `${oneLine(shown)}  ${dtype} ${showShape(shape)}  ${parameters} parameters, ${bytes} bytes`
}

function summary({ tensors, parameters, bytes }: Counts): string {
  return `${tensors} tensors, ${parameters.toLocaleString('en')} parameters, ${showBytes(bytes)}`
}
