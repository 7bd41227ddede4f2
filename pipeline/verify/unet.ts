// Golden folders of the video UNet: `io*` files of inputs, outputs and what modules inside gave.

import { parseUNetConfig, UNetSpatioTemporalConditionModel, type UNetConfig } from '../../models/index.js'
import type { TensorFile } from '../../tensor/files/index.js'
import { FileError, type Runtime, type Tensor } from '../../tensor/index.js'
import type { GoldenFolder } from './folder.js'
import type { GoldenKind } from './kind.js'
import { SeenModules } from './modules.js'
import { compareOutputs, networkClass, networkTolerance, withFile, withNetwork } from './network.js'
import { attempt, readNumbers, readTensor, type VerifyOutcome } from './outcome.js'
import { verifyGradients } from './weight-gradients.js'

const weights = 'diffusion_pytorch_model'

// At the deepest level norms of tiny pictures see one or two values, and amplify rounding.
const deepest = /^(down_blocks\.3|mid_block|up_blocks\.0)/

/** What the UNet is called with. */
export interface UNetInputs {
  readonly sample: Tensor
  readonly timestep: number[]
  readonly encoderHiddenStates: Tensor
  readonly addedTimeIds: number[][]
}

/** The inputs in a golden file, on a runtime. */
export async function readUNetInputs(runtime: Runtime, file: TensorFile): Promise<UNetInputs> {
  const timestep = await readNumbers(file, 'timestep')
  const { data, shape } = await readNumbers(file, 'added_time_ids')
  if (shape.length !== 2) throw new FileError({ where: file.name, what: 'added_time_ids are no rows of ids' })
  const ids = shape[1]
  return {
    sample: await readTensor(runtime, file, 'sample'),
    timestep: [...timestep.data],
    encoderHiddenStates: await readTensor(runtime, file, 'encoder_hidden_states'),
    addedTimeIds: Array.from({ length: shape[0] }, (_, row) => [...data.subarray(row * ids, (row + 1) * ids)]),
  }
}

/** A checkpoint in which a golden file's `override.<name>` tensors stand for those of their names. */
export function overridden(checkpoint: TensorFile, file: TensorFile): TensorFile {
  const prefix = 'override.'
  const names = [...file.tensors.keys()].filter(name => name.startsWith(prefix))
  if (names.length === 0) return checkpoint
  const others = new Map(names.map(name => [name.slice(prefix.length), name]))
  const from = (name: string): [TensorFile, string] => {
    const other = others.get(name)
    return other === undefined ? [checkpoint, name] : [file, other]
  }
  const infos = names.map(name => [name.slice(prefix.length), file.tensors.get(name)!] as const)
  return {
    name: checkpoint.name,
    metadata: checkpoint.metadata,
    tensors: new Map([...checkpoint.tensors, ...infos]),
    read: name => {
      const [source, stored] = from(name)
      return source.read(stored)
    },
    chunks: name => {
      const [source, stored] = from(name)
      return source.chunks(stored)
    },
    close: () => Promise.resolve(),
  }
}

/** Runs one golden file through a UNet, which it observes. */
async function* verifyFile(
  name: string,
  unet: UNetSpatioTemporalConditionModel,
  runtime: Runtime,
  file: TensorFile,
): AsyncGenerator<VerifyOutcome, void, undefined> {
  const inputs = await readUNetInputs(runtime, file)
  using seen = new SeenModules(unet.weights, file)
  const { sample, timestep, encoderHiddenStates, addedTimeIds } = inputs
  try {
    const output = unet.forward(sample, timestep, encoderHiddenStates, addedTimeIds)
    yield* compareOutputs(name, file, { output })
  } finally {
    for (const tensor of [sample, encoderHiddenStates]) tensor.dispose()
  }
  yield* seen.compare(name, module => (deepest.test(module) ? 10 * networkTolerance : networkTolerance))
}

async function* verify(
  folder: GoldenFolder,
  runtime: Runtime,
  claimed: readonly string[],
): AsyncGenerator<VerifyOutcome, void, undefined> {
  yield* withNetwork(folder, runtime, weights, async function* ({ config: text, configPath, checkpoint }) {
    const config = parseUNetConfig(configPath, text)
    // One model for all files that change nothing about it.
    using unet = await UNetSpatioTemporalConditionModel.load(runtime, checkpoint, config)
    for (const io of claimed.filter(name => name.startsWith('io')))
      yield* withFile(folder, io, async function* (file) {
        const name = `${folder.title}/${io}`
        const other = overridden(checkpoint, file)
        if (other === checkpoint) yield* attempt(name, () => verifyFile(name, unet, runtime, file))
        else {
          const changed = { ...config, inChannels: inputChannels(other, config) }
          using own = await UNetSpatioTemporalConditionModel.load(runtime, other, changed)
          yield* attempt(name, () => verifyFile(name, own, runtime, file))
        }
      })
    if (claimed.includes('grads'))
      yield* withFile(folder, 'io_ctx3', inputs =>
        withFile(folder, 'grads', async function* (file) {
          const name = `${folder.title}/grads`
          const { sample, timestep, encoderHiddenStates, addedTimeIds } = await readUNetInputs(runtime, inputs)
          using upstream = await readTensor(runtime, file, 'upstream')
          const forward = () => unet.forward(sample, timestep, encoderHiddenStates, addedTimeIds)
          try {
            yield* attempt(name, () => verifyGradients(name, unet.weights, file, forward, upstream))
          } finally {
            for (const tensor of [sample, encoderHiddenStates]) tensor.dispose()
          }
        }),
      )
  })
}

/** An override may bring more input channels than the configuration tells of. */
function inputChannels({ tensors }: TensorFile, { inChannels }: UNetConfig): number {
  return tensors.get('conv_in.weight')?.shape[1] ?? inChannels
}

export const unetKind: GoldenKind = {
  async claim(folder) {
    if ((await networkClass(folder)) !== 'UNetSpatioTemporalConditionModel') return []
    return [weights, ...folder.tensorFiles('io'), ...folder.tensorFiles('grads').filter(name => name === 'grads')]
  },
  verify,
}
