// Golden files of the scheduler: `<steps>/...` tables and, for some numbers of steps, every step; `add_noise/...`.

import { join } from 'node:path'
import { ConfigReader } from '../../models/config-reader.js'
import type { TensorFile } from '../../tensor/files/index.js'
import { FileError, keep, sizeOf, Tensor, type Runtime, type Shape } from '../../tensor/index.js'
import {
  addNoise,
  initNoiseSigma,
  karrasSigmas,
  predOriginal,
  readEulerConfig,
  timestepOf,
  type EulerConfig,
} from '../schedulers/euler.js'
import { sampleEuler } from '../samplers/euler.js'
import type { GoldenFolder } from './folder.js'
import type { GoldenKind } from './kind.js'
import { withFile } from './network.js'
import { attempt, compare, readNumbers, readTensor, take, type Numbers, type VerifyOutcome } from './outcome.js'

const tableTolerance = 1e-6
const stepTolerance = 1e-5

/** Tables of sigmas and timesteps, which are made on the host. */
async function* verifyTables(
  name: string,
  file: TensorFile,
  config: EulerConfig,
): AsyncGenerator<VerifyOutcome, void, undefined> {
  const steps = stepsOf(file, 'sigmas')
  for (const count of steps) {
    const sigmas = karrasSigmas(count, config)
    const tables = {
      sigmas,
      timesteps: Float32Array.from(sigmas.subarray(0, -1), timestepOf),
      init_noise_sigma: Float32Array.of(initNoiseSigma(sigmas)),
    }
    for (const [table, data] of Object.entries(tables)) {
      const tensor = `${count}/${table}`
      const actual = { data, shape: [data.length] }
      yield compare(name, tensor, actual, await readNumbers(file, tensor), tableTolerance)
    }
  }
}

/** All steps of a run whose model gives what the file holds. */
async function* verifySteps(
  name: string,
  runtime: Runtime,
  file: TensorFile,
  config: EulerConfig,
  count: number,
): AsyncGenerator<VerifyOutcome, void, undefined> {
  const outputs = await rows(runtime, file, `${count}/model_outputs`, count)
  const originals: Tensor[] = []
  const inputs: Tensor[] = []
  const samples: Tensor[] = []
  try {
    using start = await readTensor(runtime, file, `${count}/latents0`)
    let before = start
    const denoise = (input: Tensor) => outputs[inputs.push(keep(input.share())) - 1]
    for (const { step, sigma, sample } of sampleEuler(denoise, start, karrasSigmas(count, config))) {
      originals.push(predOriginal(before, outputs[step - 1], sigma))
      samples.push((before = keep(sample.share())))
    }
    const results = { scaled_inputs: inputs, prev_samples: samples, pred_original: originals }
    for (const [result, tensors] of Object.entries(results)) {
      const expected = await readNumbers(file, `${count}/${result}`)
      yield compare(name, `${count}/${result}`, await stacked(tensors, start.shape), expected, stepTolerance)
    }
  } finally {
    for (const tensor of [...outputs, ...originals, ...inputs, ...samples]) tensor.dispose()
  }
}

async function* verifyNoise(
  name: string,
  runtime: Runtime,
  file: TensorFile,
): AsyncGenerator<VerifyOutcome, void, undefined> {
  const tensor = 'add_noise/noisy'
  const timesteps = await readNumbers(file, 'add_noise/timesteps')
  const sigmas = Array.from(timesteps.data, timestep => Math.exp(4 * timestep))
  using original = await readTensor(runtime, file, 'add_noise/original')
  using noise = await readTensor(runtime, file, 'add_noise/noise')
  const noisy = await take(addNoise(original, noise, sigmas))
  yield compare(name, tensor, noisy, await readNumbers(file, tensor), stepTolerance)
}

/** Numbers of steps that a file has such a tensor for. */
function stepsOf({ tensors }: TensorFile, tensor: string): number[] {
  const names = [...tensors.keys()].filter(name => /^\d+\//.test(name) && name.endsWith(`/${tensor}`))
  return names.map(name => parseInt(name)).sort((a, b) => a - b)
}

/** A tensor whose first axis counts steps, step by step. */
async function rows(runtime: Runtime, file: TensorFile, name: string, count: number): Promise<Tensor[]> {
  const { data, shape } = await readNumbers(file, name)
  if (shape[0] !== count || data.length === 0)
    throw new FileError({ where: file.name, what: `${name} does not fit`, expected: `${count} steps` })
  const size = data.length / count
  return Array.from({ length: count }, (_, i) =>
    Tensor.from(runtime, data.slice(i * size, (i + 1) * size), shape.slice(1)),
  )
}

async function stacked(tensors: readonly Tensor[], shape: Shape): Promise<Numbers> {
  const data = new Float32Array(tensors.length * sizeOf(shape))
  for (const [i, tensor] of tensors.entries()) data.set(await tensor.floats(), i * sizeOf(shape))
  return { data, shape: [tensors.length, ...shape] }
}

async function* verify(folder: GoldenFolder, runtime: Runtime): AsyncGenerator<VerifyOutcome, void, undefined> {
  const { config: fields } = await folder.readObject('scheduler.json')
  const config = readEulerConfig(new ConfigReader(join(folder.path, 'scheduler.json'), JSON.stringify(fields) ?? ''))
  const name = folder.titleOf('scheduler')
  yield* withFile(folder, 'scheduler', async function* (file) {
    yield* attempt(name, () => verifyTables(name, file, config))
    for (const count of stepsOf(file, 'model_outputs'))
      yield* attempt(name, () => verifySteps(name, runtime, file, config, count))
    if (file.tensors.has('add_noise/noisy')) yield* attempt(name, () => verifyNoise(name, runtime, file))
  })
}

export const schedulerKind: GoldenKind = {
  claim: ({ files }) => (files.has('scheduler.json') ? ['scheduler'] : []),
  verify,
}
