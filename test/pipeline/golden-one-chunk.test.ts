// All frames decoded at once, against diffusers: the decoder's temporal layers see the frames of a chunk alone, so that
// the size of the chunks is seen in the frames.

import t from 'tap'
import { openModelFolder } from '../../models/index.js'
import { completeSettings } from '../../pipeline/settings.js'
import { decodeFrames } from '../../pipeline/stages.js'
import { openSafetensors } from '../../tensor/files/index.js'
import { Tensor, toFloat32 } from '../../tensor/index.js'
import { golden } from '../support/paths.js'
import { model as path, pipelineRuntime } from '../support/pipeline.js'

const file = await openSafetensors(golden('svd-pipeline-tiny/square.safetensors'))
t.teardown(() => file.close())
const read = async (name: string) => {
  const { dtype, data } = await file.read(name)
  return toFloat32(dtype, data)
}

await t.test('frames of one chunk are those that diffusers decodes in one chunk', async t => {
  const [frames, side] = [4, 128]
  const runtime = await pipelineRuntime('wasm')
  const model = await openModelFolder(path)
  const settings = completeSettings({ frames, width: side, height: side, decodeChunk: frames }, model.unet.config)
  const last = (await read('step_latents')).subarray(-frames * 4 * 16 * 16)
  using latents = Tensor.from(runtime, last, [1, frames, 4, 16, 16])
  const decoding = decodeFrames({ runtime, model, settings }, latents)
  let next = await decoding.next()
  while (!next.done) next = await decoding.next()

  // The golden file has the two frames in the middle, [2,H,W,3] in 0..1.
  const middle = next.value.slice(1, 3).flatMap(({ data }) => [...data])
  const worst = (expected: Float32Array) =>
    middle.reduce((most, byte, i) => Math.max(most, Math.abs(byte / 255 - expected[i])), 0)
  const size = 3 * side * side
  const tolerance = 1e-3 + 0.5 / 255
  const inOne = worst(await read('frames_one_chunk'))
  t.ok(inOne <= tolerance, `${inOne} off at most`)
  const inTwo = worst((await read('frames_chunked')).subarray(size, 3 * size))
  t.ok(inTwo > 2 * tolerance, `in chunks of two frames they are others: ${inTwo} off`)
})
