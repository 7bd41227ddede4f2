// generate(): seeds, masks, stopping, and what it refuses. Its numbers are compared with diffusers' in
// golden-*.test.ts.

import t from 'tap'
import { generate, type GenerateOptions } from '../../pipeline/generate.js'
import { readPicture } from '../../pipeline/media/decode.js'
import { keep, UsageError, type Tensor } from '../../tensor/index.js'
import { golden } from '../support/paths.js'
import { model, pipelineRuntime, run } from '../support/pipeline.js'

const image = await readPicture(golden('svd-pipeline-tiny/nocfg_resized.png'))
const small = { width: 64, height: 64, frames: 2, steps: 1 }
const runtime = await pipelineRuntime('wasm')

void t.test('the same seed gives the same video, another seed another', async t => {
  const options = { model, image, ...small, frames: 1, runtime }
  const [a, b, c] = [await run(options), await run({ ...options, seed: 0 }), await run({ ...options, seed: 1 })]
  t.same(a.result.frames, b.result.frames)
  t.not(Buffer.compare(a.result.frames[0].data, c.result.frames[0].data), 0)
})

void t.test('masks change nothing in a model that never learnt them', async t => {
  const options = { model, image, ...small, runtime }
  const labels = { width: 64, height: 64, data: new Uint8Array(64 * 64).fill(5) }
  const masks = new Array<{ labels: typeof labels; confidence: number }>(2).fill({ labels, confidence: 1 })
  const inputs: Tensor[] = []
  const observe = (name: string, tensor: Tensor) => {
    if (name === 'unet_in') inputs.push(keep(tensor.share()))
  }
  const [without, masked] = [await run(options), await run({ ...options, masks, observe })]
  t.same(masked.result.frames, without.result.frames)
  t.same(inputs[0].shape, [2, 2, 10, 8, 8])
  const values = await inputs[0].floats()
  t.same(new Set(values.subarray(8 * 64, 9 * 64)), new Set([5 / 64]), 'label channel')
  t.same(new Set(values.subarray(9 * 64, 10 * 64)), new Set([1]), 'confidence channel')
  for (const tensor of inputs) tensor.dispose()
})

void t.test('all runtimes make the same video', async t => {
  const options = { model, image, ...small, frames: 1 }
  const [frame] = (await run({ ...options, runtime })).result.frames
  for (const name of ['webgpu', 'reference'] as const) {
    const { result } = await run({ ...options, runtime: await pipelineRuntime(name) })
    const [other] = result.frames
    const worst = frame.data.reduce((most, value, k) => Math.max(most, Math.abs(value - other.data[k])), 0)
    t.ok(worst <= 1, `${name}: ${worst} of 255 off at most`)
  }
})

void t.test('a run can be stopped at any event, and leaves nothing behind', async t => {
  const { live } = runtime.statistics()
  for (const type of ['start', 'stage', 'step', 'frames', 'stage-end'])
    for await (const event of generate({ model, image, ...small, frames: 1, runtime })) if (event.type === type) break
  t.equal(runtime.statistics().live, live, 'by leaving the loop')

  const controller = new AbortController()
  const aborted = async () => {
    for await (const event of generate({ model, image, ...small, frames: 1, runtime, signal: controller.signal }))
      if (event.type === 'step') controller.abort(new Error('enough'))
  }
  await t.rejects(aborted(), { message: 'enough' })
  t.equal(runtime.statistics().live, live, 'by a signal')
})

void t.test('what cannot be is refused before anything is loaded', async t => {
  const wrong: [Partial<GenerateOptions>, RegExp][] = [
    [{ frames: 0 }, /^frames: not an integer in bounds; expected 1..256; got 0$/],
    [{ steps: 2.5 }, /^steps: /],
    [{ width: 100 }, /^width: 100 is not a multiple of 8; try 96 or 104$/],
    [{ height: 32 }, /^height: /],
    [{ maxGuidance: NaN }, /^maxGuidance: /],
    [{ seed: -1 }, /^seed: /],
    [{ frames: 256, width: 4096, height: 4096 }, /^size: too many pixels/],
    [{ image: { width: 3, height: 3, data: new Uint8Array(3) } }, /^image: not a picture/],
    [{ masks: [] }, /^masks: /],
    [{ noise: { augmentation: new Float32Array(1), latents: new Float32Array(1) } }, /^noise: /],
  ]
  for (const [options, message] of wrong)
    await t.rejects(generate({ model, image, ...small, runtime, ...options }).next(), message)
  await t.rejects(generate({ model, image, frames: 0 }).next(), UsageError)
})
