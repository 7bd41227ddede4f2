// The video UNet in use: the motion condition, memory, batches, and what it refuses.

import { readFileSync } from 'node:fs'
import t from 'tap'
import { parseUNetConfig, UNetSpatioTemporalConditionModel } from '../../models/index.js'
import { WeightsError } from '../../nn/index.js'
import { FileError, ShapeError, Tensor } from '../../tensor/index.js'
import { close } from '../support/compare.js'
import { Operands, referenceRuntime, wasmRuntime, webgpuRuntime } from '../support/kernels.js'
import { golden } from '../support/paths.js'
import { checkpoint, config, configText, forward, motionConfig, openCase, readCase, strict } from '../support/unet.js'

const wasm = await wasmRuntime()
const reference = await referenceRuntime()

void t.test(
  'a base checkpoint takes the motion condition, and without motion gives what it gave, bit for bit',
  async t => {
    using base = await UNetSpatioTemporalConditionModel.load(wasm, checkpoint, config)
    using wide = await UNetSpatioTemporalConditionModel.load(wasm, checkpoint, motionConfig)
    const random = new Operands(wasm, 3)
    using sample = random.normal([1, 1, 8, 8, 8])
    using context = random.normal([1, 1, 32])
    // A mask and a confidence of zeros behind the eight channels.
    const masked = new Float32Array(10 * 64)
    masked.set(await sample.floats())
    using ten = Tensor.from(wasm, masked, [1, 1, 10, 8, 8])
    using expected = base.forward(sample, 1.2, context, [[6, 127, 0.02]])
    using actual = wide.forward(ten, 1.2, context, [[6, 127, 0.02]])
    t.same(await actual.floats(), await expected.floats())
  },
)

void t.test('work in chunks gives the same video in less memory, and nothing is left behind', async t => {
  const webgpu = await webgpuRuntime()
  using unet = await UNetSpatioTemporalConditionModel.load(webgpu, checkpoint, config)
  const file = await openCase(t, 'io')
  const input = await readCase(webgpu, file)
  const before = webgpu.statistics().live
  // Pictures of the widest level have 8 x 16 positions of 32 channels, four times that between feed-forward layers.
  const picture = 8 * 16 * 32 * 4
  const peaks: number[] = []
  for (const chunkBytes of [2 ** 28, 2 * 4 * picture, 1]) {
    webgpu.resetPeak()
    unet.weights.chunkBytes = chunkBytes
    using output = forward(unet, input)
    t.equal(webgpu.statistics().live - before, output.bytes)
    peaks.push((webgpu.statistics().peak - before) / (2 * 3 * picture))
    close(t, await output.floats(), (await file.read('output')).data, strict, `chunks of ${chunkBytes} bytes`)
  }
  const [whole, some, single] = peaks
  const shown = peaks.map(peak => peak.toFixed(1)).join(', ')
  t.ok(whole < 12.5 && some < 9 && single < some, `peaks of ${shown} times the widest activation`)
  for (const tensor of [input.sample, input.encoderHiddenStates]) tensor.dispose()
})

void t.test('videos of a batch may stand at different times', async t => {
  using unet = await UNetSpatioTemporalConditionModel.load(reference, checkpoint, config)
  const random = new Operands(reference, 7)
  const sample = random.normal([1, 2, 8, 8, 8])
  const context = random.normal([1, 1, 32])
  const values = await sample.floats()
  const two = Tensor.from(reference, new Float32Array([...values, ...values]), [2, 2, 8, 8, 8])
  const contexts = await context.floats()
  const twoContexts = Tensor.from(reference, new Float32Array([...contexts, ...contexts]), [2, 1, 32])
  const ids = [6, 127, 0.02]
  const together = await unet.forward(two, [0.5, -1], twoContexts, [ids, ids]).floats()
  const apart = [0.5, -1].map(time => unet.forward(sample, time, context, [ids]).floats())
  const expected = (await Promise.all(apart)).flatMap(floats => [...floats])
  close(t, together, expected, 1e-6, 'two times at once')
})

void t.test('what does not fit is refused', async t => {
  using unet = await UNetSpatioTemporalConditionModel.load(wasm, checkpoint, config)
  const random = new Operands(wasm, 1)
  const sample = random.normal([1, 2, 8, 8, 8])
  const context = random.normal([1, 1, 32])
  const ids = [[6, 127, 0.02]]
  const refused = (what: string, run: () => Tensor) => t.throws(run, ShapeError, what)
  refused('channels', () => unet.forward(random.normal([1, 2, 4, 8, 8]), 0, context, ids))
  refused('axes', () => unet.forward(random.normal([2, 8, 8, 8]), 0, context, ids))
  refused('times', () => unet.forward(sample, [0, 0], context, ids))
  refused('context', () => unet.forward(sample, 0, random.normal([1, 1, 16]), ids))
  refused('batch of the context', () => unet.forward(sample, 0, random.normal([2, 1, 32]), ids))
  refused('ids', () => unet.forward(sample, 0, context, [[6, 127]]))
})

void t.test('the real model has the names, shapes and size of the real checkpoint', async t => {
  interface Real {
    configs: { unet: object }
    names: { unet: Record<string, number[]> }
    parameter_counts: { unet: number }
  }
  const real = JSON.parse(readFileSync(golden('svd-real-names.json'), 'utf8')) as Real
  const unet = new UNetSpatioTemporalConditionModel(parseUNetConfig('unet', JSON.stringify(real.configs.unet)))
  const declared = [...unet.weights.parameters.values()].map(({ name, storedShape }) => [name, storedShape] as const)
  t.same(new Map(declared), new Map(Object.entries(real.names.unet)))
  t.equal(unet.weights.size, real.parameter_counts.unet)
})

void t.test('a checkpoint of another size is refused as a whole', async t => {
  const [first, ...rest] = config.levels
  const wider = { ...config, levels: [{ ...first, channels: 64 }, ...rest] }
  await t.rejects(UNetSpatioTemporalConditionModel.load(wasm, checkpoint, wider), WeightsError)
})

void t.test('a bad configuration is told as a whole', async t => {
  const parse = (changes: object) =>
    parseUNetConfig('config.json', JSON.stringify({ ...(JSON.parse(configText) as object), ...changes }))
  t.same(
    parse({ num_attention_heads: 2 }).levels.map(level => level.heads),
    [2, 2, 2, 2],
    'one number for all levels',
  )
  t.throws(
    () =>
      parse({
        in_channels: -1,
        down_block_types: ['CrossAttnDownBlockSpatioTemporal', 'DownBlock2D', 'x', 'DownBlockSpatioTemporal'],
        layers_per_block: [2, 2],
        block_out_channels: [32, 33, 1e9, 64],
      }),
    {
      name: 'FileError',
      message:
        /in_channels.*down_block_types\[1\] must be one of .*not "DownBlock2D".*layers_per_block must be 4 integers, not \[2,2\].*block_out_channels\[1\] must be a multiple of 32, not 33/,
    },
  )
  for (const changes of [
    { _class_name: 'UNet2DModel' },
    { block_out_channels: [] },
    { block_out_channels: new Array<number>(1000).fill(32) },
    { layers_per_block: 1e6 },
    { num_attention_heads: [2, 4, 2] },
    { num_attention_heads: 0 },
    { projection_class_embeddings_input_dim: 97 },
  ])
    t.throws(() => parse(changes), FileError, JSON.stringify(changes).slice(0, 60))
  for (const text of ['', '[]', 'null', '{', '[['.repeat(1e5), `{"a":"${'x'.repeat(2 ** 20)}"}`])
    t.throws(() => parseUNetConfig('config.json', text), FileError, text.slice(0, 10))
})
