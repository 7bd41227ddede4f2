// The video UNet against diffusers (test/golden/README.md: commit 58eb52c, torch 2.6 on the CPU in f32, tiny random
// weights rounded to f16): every golden case, modules inside compared as well.

import t, { type Test } from 'tap'
import { UNetSpatioTemporalConditionModel } from '../../models/index.js'
import type { TensorFile } from '../../tensor/files/index.js'
import { keep, sizeOf, toFloat32, type Tensor } from '../../tensor/index.js'
import { close } from '../support/compare.js'
import { onRuntimes, referenceRuntime, wasmRuntime, webgpuRuntime } from '../support/kernels.js'
import { channelsFirst } from '../support/layout.js'
import { checkpoint, config, forward, motionConfig, openCase, readCase, strict } from '../support/unet.js'

const wasm = await wasmRuntime()
const runtimes = [await referenceRuntime(), await webgpuRuntime(), wasm]

/** Compares the outputs of modules, by name, with the `inter.` tensors of a golden file. */
async function compareModules(t: Test, file: TensorFile, seen: ReadonlyMap<string, Tensor>): Promise<void> {
  const names = [...file.tensors.keys()].filter(name => name.startsWith('inter.'))
  for (const inter of names) {
    const name = inter.slice('inter.'.length)
    const expected = await file.read(inter)
    const tensor = seen.get(name)
    if (!tensor) {
      t.fail(`${name} was not observed`)
      continue
    }
    const floats = await tensor.floats()
    const isPicture = expected.shape.length >= 4
    const { data } = isPicture ? channelsFirst(floats, tensor.shape) : { data: floats }
    // The reference repeats embeddings for each frame or video; here they are made once.
    const repeated = Float32Array.from({ length: sizeOf(expected.shape) }, (_, i) => data[i % data.length])
    const goal = toFloat32(expected.dtype, expected.data)
    // Here the norm before conv_out comes with its activation.
    const silu = name === 'conv_norm_out' ? goal.map(x => x / (1 + Math.exp(-x))) : goal
    const deepest = /^(down_blocks\.3|mid_block|up_blocks\.0)/.test(name)
    close(t, repeated, silu, deepest ? 1e-3 : 1e-4, name)
  }
}

for (const name of ['io', 'io_f1', 'io_odd', 'io_ctx3'])
  void t.test(`${name}: the output of the reference`, t =>
    // One case shows that all runtimes give the same numbers; the fastest takes the others.
    onRuntimes(t, name === 'io' ? runtimes : [wasm], async (t, runtime) => {
      const file = await openCase(t, name)
      using unet = await UNetSpatioTemporalConditionModel.load(runtime, checkpoint, config)
      const input = await readCase(runtime, file)
      const seen = new Map<string, Tensor>()
      const wanted = new Set([...file.tensors.keys()].map(key => key.replace('inter.', '')))
      unet.weights.observer = (name, tensor) => {
        if (wanted.has(name)) seen.set(name, keep(tensor.share()))
      }
      using output = forward(unet, input)
      const expected = await file.read('output')
      t.same(output.shape, expected.shape)
      close(t, await output.floats(), expected.data, strict, 'output')
      await compareModules(t, file, seen)
      for (const tensor of [...seen.values(), input.sample, input.encoderHiddenStates]) tensor.dispose()
    }),
  )

/** The golden checkpoint with another conv_in.weight. */
async function withConvIn(file: TensorFile): Promise<TensorFile> {
  const name = 'conv_in.weight'
  const info = file.tensors.get(`override.${name}`)
  if (!info) throw new Error('no override')
  const { data } = await file.read(`override.${name}`)
  return {
    name: checkpoint.name,
    metadata: checkpoint.metadata,
    tensors: new Map([...checkpoint.tensors, [name, info]]),
    read: key => checkpoint.read(key),
    async *chunks(key) {
      if (key === name) yield { start: 0, data }
      else yield* checkpoint.chunks(key)
    },
    close: () => Promise.resolve(),
  }
}

void t.test('io_in10: ten input channels', t =>
  onRuntimes(t, [wasm], async (t, runtime) => {
    const file = await openCase(t, 'io_in10')
    using unet = await UNetSpatioTemporalConditionModel.load(runtime, await withConvIn(file), motionConfig)
    const input = await readCase(runtime, file)
    using output = forward(unet, input)
    close(t, await output.floats(), (await file.read('output')).data, strict, 'output')
  }),
)

void t.test('a device with small bindings and grids gives the same video', async t => {
  const runtime = await webgpuRuntime({
    limits: { maxStorageBufferBindingSize: 65536, maxComputeWorkgroupsPerDimension: 7 },
  })
  using unet = await UNetSpatioTemporalConditionModel.load(runtime, checkpoint, config)
  const file = await openCase(t, 'io_f1')
  using output = forward(unet, await readCase(runtime, file))
  close(t, await output.floats(), (await file.read('output')).data, strict, 'output')
})
