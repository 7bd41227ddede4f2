// What tests of the video UNet share: the golden checkpoint and its cases (test/golden/README.md).

import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { parseUNetConfig, type UNetConfig, type UNetSpatioTemporalConditionModel } from '../../models/index.js'
import { openSafetensors, type TensorFile } from '../../tensor/files/index.js'
import { Tensor, type Runtime } from '../../tensor/index.js'
import { golden } from './paths.js'

export const configText = readFileSync(golden('svd-unet-tiny/config.json'), 'utf8')
export const config = parseUNetConfig('config.json', configText)
/** With the two channels of the motion condition. */
export const motionConfig: UNetConfig = { ...config, inChannels: 10 }

export const checkpoint = await openSafetensors(golden('svd-unet-tiny/diffusion_pytorch_model.safetensors'))
t.teardown(() => checkpoint.close())

/** The strict tier of relative errors: finds a tanh gelu or a wrong epsilon. */
export const strict = 2e-5

/** What the UNet is called with. */
export interface Case {
  sample: Tensor
  timestep: number
  encoderHiddenStates: Tensor
  addedTimeIds: number[][]
}

/** One of the golden files. */
export async function openCase(t: Test, name: string): Promise<TensorFile> {
  const file = await openSafetensors(golden(`svd-unet-tiny/${name}.safetensors`))
  t.teardown(() => file.close())
  return file
}

/** The inputs in a golden file, on a runtime. */
export async function readCase(runtime: Runtime, file: TensorFile): Promise<Case> {
  const tensor = async (name: string) => {
    const { data, shape } = await file.read(name)
    return Tensor.from(runtime, data, shape, 'f32', name)
  }
  const timestep = await file.read('timestep')
  const { data, shape } = await file.read('added_time_ids')
  return {
    sample: await tensor('sample'),
    timestep: timestep.data[0],
    encoderHiddenStates: await tensor('encoder_hidden_states'),
    addedTimeIds: Array.from({ length: shape[0] }, (_, row) => [
      ...data.subarray(row * shape[1], (row + 1) * shape[1]),
    ]),
  }
}

/** Calls the UNet. */
export function forward(unet: UNetSpatioTemporalConditionModel, input: Case): Tensor {
  return unet.forward(input.sample, input.timestep, input.encoderHiddenStates, input.addedTimeIds)
}
