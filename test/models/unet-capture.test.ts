// The video UNet in a loop: compiled before its first step, and captured once for all steps.

import t from 'tap'
import { UNetSpatioTemporalConditionModel } from '../../models/index.js'
import { capture, overwrite, ShapeError, Tensor } from '../../tensor/index.js'
import { onRuntimes, Operands, wasmRuntime, webgpuRuntime } from '../support/kernels.js'
import { checkpoint, config } from '../support/unet.js'

const webgpu = await webgpuRuntime()
const runtimes = [await wasmRuntime(), webgpu]

void t.test('a model that is warmed up while it loads compiles nothing later', async t => {
  const random = new Operands(webgpu, 6)
  const ids = [[6, 127, 0.02]]
  using unet = await UNetSpatioTemporalConditionModel.load(webgpu, checkpoint, config, {
    warmUp: (unet, dry) => {
      const sample = Tensor.allocate(dry, [1, 2, 8, 8, 8], 'f32')
      unet.forward(sample, 0, Tensor.allocate(dry, [1, 1, 32], 'f32'), ids)
    },
  })
  const warm = webgpu.statistics()
  t.equal(warm.dispatches, 0)
  t.ok(warm.pipelines > 10)
  using sample = random.normal([1, 2, 8, 8, 8])
  using context = random.normal([1, 1, 32])
  using output = unet.forward(sample, 0.5, context, ids)
  t.ok((await output.floats()).every(Number.isFinite))
  t.equal(webgpu.statistics().pipelines, warm.pipelines)
  const failing = UNetSpatioTemporalConditionModel.load(webgpu, checkpoint, config, {
    warmUp: unet => unet.embed([1, 2], ids),
  })
  await t.rejects(failing, ShapeError, 'what does not work is told before it runs')
})

void t.test('a captured step gives other inputs what fresh runs give them, bit for bit, and allocates nothing', t =>
  onRuntimes(t, runtimes, async (t, runtime) => {
    using unet = await UNetSpatioTemporalConditionModel.load(runtime, checkpoint, config)
    const random = new Operands(runtime, 5)
    const shape = [1, 2, 8, 8, 8]
    const ids = [[6, 127, 0.02]]
    const runs = [-0.5, 1.5].map(timestep => {
      const sample = random.normal(shape)
      const context = random.normal([1, 1, 32])
      const fresh = unet.forward(sample, timestep, context, ids)
      return { sample, timestep, context, fresh }
    })
    const before = runtime.statistics().live
    const sample = random.normal(shape)
    const context = random.normal([1, 1, 32])
    const embedding = unet.embed(0, ids)
    const step = capture(runtime, () => unet.predict(sample, embedding, unet.prepare(context, 2)))
    const held = runtime.statistics()
    for (const run of runs) {
      overwrite(sample, run.sample)
      overwrite(context, run.context)
      using now = unet.embed(run.timestep, ids)
      overwrite(embedding, now)
      const { misses, hits, dispatches } = runtime.statistics()
      const output = step.replay()
      t.match(runtime.statistics(), { misses, hits, pipelines: held.pipelines })
      t.ok(runtime.statistics().dispatches - dispatches > 100)
      t.same(await output.floats(), await run.fresh.floats())
    }
    t.equal(runtime.statistics().live, held.live)
    for (const resource of [step, sample, context, embedding]) resource.dispose()
    t.equal(runtime.statistics().live, before)
    for (const run of runs) for (const tensor of [run.sample, run.context, run.fresh]) tensor.dispose()
  }),
)
