// What tests of the video UNet share: the golden checkpoint and its cases (test/golden/README.md).

import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { parseUNetConfig, type UNetConfig, type UNetSpatioTemporalConditionModel } from '../../models/index.js'
import { readUNetInputs, type UNetInputs } from '../../pipeline/verify/unet.js'
import { openSafetensors, type TensorFile } from '../../tensor/files/index.js'
import type { Tensor } from '../../tensor/index.js'
import { golden } from './paths.js'

export const configText = readFileSync(golden('svd-unet-tiny/config.json'), 'utf8')
export const config = parseUNetConfig('config.json', configText)
/** With the two channels of the motion condition. */
export const motionConfig: UNetConfig = { ...config, inChannels: 10 }

export const checkpoint = await openSafetensors(golden('svd-unet-tiny/diffusion_pytorch_model.safetensors'))
t.teardown(() => checkpoint.close())

export { readUNetInputs as readCase }

/** The strict tier of relative errors: finds a tanh gelu or a wrong epsilon. */
export const strict = 2e-5

/** One of the golden files. */
export async function openCase(t: Test, name: string): Promise<TensorFile> {
  const file = await openSafetensors(golden(`svd-unet-tiny/${name}.safetensors`))
  t.teardown(() => file.close())
  return file
}

/** Calls the UNet. */
export function forward(unet: UNetSpatioTemporalConditionModel, input: UNetInputs): Tensor {
  return unet.forward(input.sample, input.timestep, input.encoderHiddenStates, input.addedTimeIds)
}
