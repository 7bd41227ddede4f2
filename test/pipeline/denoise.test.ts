// The denoising loop: recorded once and replayed, it computes what single steps compute, and makes nothing anew.

import t from 'tap'
import { openRuntime } from '../../kernels/index.js'
import { UNetSpatioTemporalConditionModel } from '../../models/index.js'
import type { ModelLoadOptions } from '../../nn/index.js'
import { denoise, type DenoiseInputs } from '../../pipeline/denoise.js'
import { quick } from '../../pipeline/plan/policy.js'
import { playAll, unetRehearsal } from '../../pipeline/plan/rehearsals.js'
import { completeSettings } from '../../pipeline/settings.js'
import { Generator, Tensor, type Runtime } from '../../tensor/index.js'
import { onRuntimes, referenceRuntime } from '../support/kernels.js'
import { checkpoint, config, motionConfig } from '../support/unet.js'
import { watchedRuntime } from '../support/watched-device.js'

const reference = await referenceRuntime()
const { runtime: webgpu, made } = await watchedRuntime()
const vae = { blockOutChannels: [32, 32, 32, 32] }
const settings = completeSettings({ width: 64, height: 64, frames: 2, steps: 3 }, { unet: config, vae })
const plain = () => undefined

function inputsOn(runtime: Runtime, frames = settings.frames, condition?: Float32Array): DenoiseInputs {
  const random = new Generator(1)
  const embeddings = Tensor.from(runtime, random.randn(32), [1, 1, 32])
  const pictureLatents = Tensor.from(runtime, random.randn(256), [1, 4, 8, 8])
  return {
    embeddings,
    pictureLatents,
    condition,
    scheduler: { sigmaMin: 0.002, sigmaMax: 700 },
    noise: random.randn(frames * 256),
  }
}

function release({ embeddings, pictureLatents }: DenoiseInputs): void {
  embeddings.dispose()
  pictureLatents.dispose()
}

type Model = UNetSpatioTemporalConditionModel
type Options = ModelLoadOptions<Model>
const load = (runtime: Runtime, options?: Options, unetConfig = config): Promise<Model> =>
  UNetSpatioTemporalConditionModel.load(runtime, checkpoint, unetConfig, options)

/** The latents after every step. */
async function latents(unet: Model, inputs: DenoiseInputs, given = settings, observe?: typeof plain) {
  const all: Float32Array[] = []
  for (const { sample } of denoise(unet, inputs, given, observe)) all.push(await sample.floats())
  return all
}

void t.test('what is tried out while the weights load is all that the loop compiles', async t => {
  const inputs = inputsOn(webgpu)
  using unet = await load(webgpu, { warmUp: playAll(unetRehearsal(config, vae, settings, false), quick) })
  const { pipelines } = webgpu.statistics()
  t.ok(pipelines > 10)
  await latents(unet, inputs)
  t.equal(webgpu.statistics().pipelines, pipelines)
  release(inputs)
})

void t.test('replayed steps compute what steps one by one compute, bit for bit', t =>
  onRuntimes(t, [reference, webgpu], async (t, runtime) => {
    const small = { ...settings, ...(runtime === reference ? { frames: 1, steps: 2 } : {}) }
    const before = runtime.statistics().live
    for (const [about, unetConfig, condition, maxGuidance] of [
      ['without guidance', config, undefined, 1],
      ['guided, with a motion condition', motionConfig, new Generator(2).randn(small.frames * 2 * 64), 3],
    ] as const) {
      if (runtime === reference && !condition) continue
      using unet = await load(runtime, {}, unetConfig)
      const inputs = inputsOn(runtime, small.frames, condition)
      const given = { ...small, maxGuidance }
      const replayed = await latents(unet, inputs, given)
      t.same(replayed, await latents(unet, inputs, given, plain), about)
      t.equal(replayed.length, small.steps)
      release(inputs)
    }
    t.equal(runtime.statistics().live, before, 'nothing is left in memory')
  }),
)

void t.test('after its second step the loop makes no buffer, no bind group and no pipeline', async t => {
  const inputs = inputsOn(webgpu)
  using unet = await load(webgpu)
  const counts: [number, number][] = []
  for (const { sample } of denoise(unet, inputs, { ...settings, steps: 5 })) {
    await sample.floats()
    counts.push([made.length, webgpu.statistics().misses])
  }
  t.same(counts.slice(2), new Array(3).fill(counts[1]))
  release(inputs)
})

void t.test('a budget without room for a recording is enough for steps one by one', async t => {
  const single = { ...settings, frames: 1, steps: 1, maxGuidance: 1 }
  const runOn = async (runtime: Runtime, observe?: typeof plain) => {
    const inputs = inputsOn(runtime, single.frames)
    using unet = await load(runtime)
    const result = await latents(unet, inputs, single, observe)
    release(inputs)
    return result
  }
  reference.resetPeak()
  const expected = await runOn(reference, plain)
  const { peak, live } = reference.statistics()
  await runOn(reference)
  t.ok(reference.statistics().peak > peak, 'a recording takes more')
  const tight = await openRuntime({ runtime: 'reference', maxBytes: peak - live })
  t.same(await runOn(tight), expected)
})
