// Depth Anything V2 against its authors' network (test/golden/README.md: commit a561b84, torch 2.6 on the CPU in f32, tiny
// random weights rounded to f16).

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { parseDepthAnythingConfig } from '../../models/depth/config.js'
import { DepthAnythingForDepthEstimation } from '../../models/depth/depth-anything.js'
import { DepthNetwork } from '../../models/depth/depth-network.js'
import { fromOriginal, parseOriginalConfig } from '../../models/depth/original.js'
import { depthPixels, depthSize } from '../../models/depth/preprocess.js'
import { WeightsError } from '../../nn/index.js'
import { depthAnythingKind } from '../../pipeline/verify/depth-anything.js'
import { FileError, ShapeError, UsageError } from '../../tensor/index.js'
import { configText, leavesOutputsOnly, openGolden } from '../support/clip.js'
import { makeTinyDepthModel, smallDepthConfig } from '../support/depth.js'
import { onRuntimes, Operands, referenceRuntime, wasmRuntime, webgpuRuntime } from '../support/kernels.js'
import { agrees } from '../support/verify.js'

const place = 'depth-anything-tiny'
const config = parseOriginalConfig('config.json', configText(place))
const checkpoint = fromOriginal(await openGolden(place, 'model'))
const [reference, webgpu, wasm] = [await referenceRuntime(), await webgpuRuntime(), await wasmRuntime()]
const folder = await mkdtemp(join(tmpdir(), 'revision-test-'))
t.teardown(() => rm(folder, { recursive: true }))

void t.test('the outputs of the reference, those of modules inside, sizes and the way back', t =>
  agrees(t, depthAnythingKind, wasm, place, ['io', 'io_batch', 'resize_back'], () => 5e-6),
)

void t.test('a batch on every runtime', t =>
  onRuntimes(t, [reference, webgpu], (t, runtime) =>
    agrees(t, depthAnythingKind, runtime, place, ['io_batch'], () => 5e-6),
  ),
)

void t.test('a forward pass leaves nothing behind but its depth', async t => {
  using model = await DepthAnythingForDepthEstimation.load(reference, checkpoint, config)
  const pixels = new Operands(reference, 1).normal([1, 3, 28, 14])
  leavesOutputsOnly(t, reference, () => [model.forward(pixels)])
})

void t.test('a folder of transformers: depth of the size of the picture', async t => {
  await makeTinyDepthModel(join(folder, 'model'))
  using network = await DepthNetwork.open(wasm, join(folder, 'model'))
  t.same(network.model.config, config, 'both say the same')
  const data = Uint8Array.from({ length: 50 * 31 * 3 }, (_, i) => (i * 37) % 256)
  const picture = { width: 50, height: 31, data }
  const before = wasm.statistics().live
  const depth = await network.estimate(picture, { shortSide: 42 })
  t.match(depth, { width: 50, height: 31 })
  t.ok(depth.data.length === 50 * 31 && depth.data.every(x => Number.isFinite(x) && x >= 0))
  t.equal(wasm.statistics().live, before, 'nothing is left in memory')
  await t.rejects(network.estimate(picture, { shortSide: 0 }), UsageError)
  await t.rejects(network.estimate({ ...picture, width: 1550, height: 1 }), {
    name: 'UsageError',
    message: /too many patches; expected at most 16384/,
  })
})

void t.test('pixels: cubic, in colours of ImageNet', async t => {
  const data = new Uint8Array(28 * 28 * 3).fill(255)
  using pixels = depthPixels(reference, { width: 28, height: 28, data }, [14, 28])
  t.same(pixels.shape, [1, 3, 14, 28])
  const values = await pixels.floats()
  for (const [c, white] of [(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225].entries())
    t.ok(
      values.subarray(c * 392, (c + 1) * 392).every(x => Math.abs(x - white) < 1e-5),
      `channel ${c}`,
    )
})

void t.test('sizes: multiples of the patch, the shorter side never below what was asked for', t => {
  t.same(depthSize({ width: 1024, height: 576 }, 518), [518, 924])
  t.same(depthSize({ width: 5, height: 5 }, 15), [28, 28], 'not 14, the nearest')
  t.same(depthSize({ width: 2000, height: 100 }, 14, 14), [14, 280])
  for (const side of [0, -14, 1.5, NaN, 5000]) t.throws(() => depthSize({ width: 8, height: 8 }, side), UsageError)
  t.end()
})

void t.test('the small model has as many weights as the published one', t => {
  const small = { ...smallDepthConfig.backbone_config, hidden_size: 384, num_hidden_layers: 12, num_attention_heads: 6 }
  const { weights } = new DepthAnythingForDepthEstimation(
    parseDepthAnythingConfig(
      'config.json',
      JSON.stringify({
        ...smallDepthConfig,
        backbone_config: { ...small, out_indices: [3, 6, 9, 12] },
        neck_hidden_sizes: [48, 96, 192, 384],
        fusion_hidden_size: 64,
      }),
    ),
  )
  // Those that have no influence are not declared: a token, and two convolutions.
  t.equal(weights.size + 384 + 2 * (64 * 64 * 9 + 64), 24_785_089)
  t.end()
})

void t.test('strangers are refused: shapes, weights and configurations', async t => {
  using model = await DepthAnythingForDepthEstimation.load(reference, checkpoint, config)
  const random = new Operands(reference, 1)
  for (const shape of [
    [1, 3, 28, 27],
    [1, 1, 28, 28],
    [3, 28, 28],
    [0, 3, 28, 28],
    [1, 3, 0, 28],
  ])
    t.throws(() => model.forward(random.normal(shape)), ShapeError, String(shape))
  const raw = await openGolden(place, 'model')
  await t.rejects(DepthAnythingForDepthEstimation.load(reference, raw, config), WeightsError)

  const parse = (changes: object) =>
    parseDepthAnythingConfig('config.json', JSON.stringify({ ...smallDepthConfig, ...changes }))
  const backbone = (changes: object) => ({ backbone_config: { ...smallDepthConfig.backbone_config, ...changes } })
  for (const changes of [
    { model_type: 'dpt' },
    { depth_estimation_type: 'metric' },
    { reassemble_factors: [4, 2, 1, 1] },
    { neck_hidden_sizes: [8, 12, 16] },
    { neck_hidden_sizes: 8 },
    { fusion_hidden_size: 15 },
    { backbone_config: 'dinov2' },
    { backbone_config: undefined },
    backbone({ hidden_size: 33 }),
    backbone({ num_hidden_layers: 1e9 }),
    backbone({ num_hidden_layers: 4 }),
    backbone({ image_size: 517 }),
    backbone({ use_swiglu_ffn: true }),
    backbone({ apply_layernorm: false }),
    backbone({ out_indices: [2, 2, 3, 4] }),
    backbone({ out_indices: [3, 4, 5] }),
  ])
    t.throws(() => parse(changes), FileError, JSON.stringify(changes))
  t.throws(() => parseOriginalConfig('config.json', '{"encoder": 7}'), FileError)
  await t.rejects(DepthNetwork.open(reference, join(folder, 'none')), FileError)
})
