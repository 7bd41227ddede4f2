// The video autoencoder against diffusers (test/golden/README.md: commit 58eb52c, torch 2.6 on the CPU in f32, tiny
// random weights rounded to f16): every golden case, modules inside compared as well.

import { readFileSync } from 'node:fs'
import t from 'tap'
import { AutoencoderKLTemporalDecoder } from '../../models/svd/vae.js'
import { VaeAttention } from '../../models/svd/vae-attention.js'
import { parseVaeConfig } from '../../models/svd/vae-config.js'
import { vaeKind } from '../../pipeline/verify/vae.js'
import { Weights, WeightsError } from '../../nn/index.js'
import { openSafetensors } from '../../tensor/files/index.js'
import { FileError, keep, ShapeError, sizeOf, Tensor, type Runtime } from '../../tensor/index.js'
import { close } from '../support/compare.js'
import { onRuntimes, Operands, referenceRuntime, wasmRuntime, webgpuRuntime } from '../support/kernels.js'
import { golden } from '../support/paths.js'
import { agrees } from '../support/verify.js'

const configText = readFileSync(golden('svd-vae-tiny/config.json'), 'utf8')
const config = parseVaeConfig('config.json', configText)

const checkpoint = await openSafetensors(golden('svd-vae-tiny/diffusion_pytorch_model.safetensors'))
t.teardown(() => checkpoint.close())
const reference = await referenceRuntime()
const wasm = await wasmRuntime()
const runtimes = [reference, await webgpuRuntime(), wasm]

const load = (runtime: Runtime) => AutoencoderKLTemporalDecoder.load(runtime, checkpoint, config)

/** A few times the rounding of f32 in the reference: finds a wrong epsilon. */
const tolerance = 1e-5

for (const name of ['encode', 'encode_b', 'decode', 'decode_2videos', 'decode_f1'])
  void t.test(`${name}: the numbers of the reference`, t =>
    onRuntimes(t, ['encode', 'decode_f1'].includes(name) ? runtimes : [wasm], (t, runtime) =>
      agrees(t, vaeKind, runtime, 'svd-vae-tiny', [name], () => tolerance),
    ),
  )

void t.test('nothing is left behind, and little is held on the way', async t => {
  using vae = await load(reference)
  const random = new Operands(reference, 1)
  const z = random.normal([2, 4, 2, 2])
  const image = random.normal([2, 3, 16, 16])
  // Widest activation of either: 2 pictures of 16 x 16 with 32 channels.
  const activation = 2 * 16 * 16 * 32 * 4
  const peakOf = (run: () => Tensor[]) => {
    const before = reference.statistics().live
    reference.resetPeak()
    const bytes = run().reduce((sum, tensor) => sum + tensor.bytes, 0)
    t.equal(reference.statistics().live - before, bytes)
    return (reference.statistics().peak - before) / activation
  }
  const decoding = peakOf(() => [vae.decode(z, 2)])
  t.ok(decoding < 4.2, `decoding: at the peak ${decoding.toFixed(2)} times the widest activation`)
  const encoding = peakOf(() => {
    const { mean, logvar } = vae.encode(image)
    return [mean, logvar]
  })
  t.ok(encoding < 3.2, `encoding: at the peak ${encoding.toFixed(2)} times the widest activation`)
})

void t.test('attention in the middle normalises pictures of little contrast as the reference does', t =>
  onRuntimes(t, runtimes, async (t, runtime) => {
    const [channels, a, eps] = [64, 1e-3, 1e-6]
    using weights = new Weights()
    const attention = new VaeAttention(weights.scope(), channels)
    const ones = new Set(['group_norm.weight', 'to_v.weight', 'to_out.0.weight'])
    for (const parameter of weights.parameters.values()) {
      const { name, shape } = parameter
      const isOne = (i: number) => ones.has(name) && (shape.length === 1 || i % (channels + 1) === 0)
      const data = Float32Array.from({ length: sizeOf(shape) }, (_, i) => (isOne(i) ? 1 : 0))
      parameter.replace(keep(Tensor.from(runtime, data, shape)))
    }
    // One position; two channels a group, so that its variance is a^2.
    const x = Float32Array.from({ length: channels }, (_, i) => (i % 2 === 0 ? a : -a))
    const out = attention.forward(Tensor.from(runtime, x, [1, 1, 1, channels]))
    const expected = x.map(value => value + value / Math.sqrt(a * a + eps))
    close(t, await out.floats(), expected, 1e-6, 'x + x / sqrt(variance + eps)')
  }),
)

void t.test('the middle of the decoder has one attention, whatever the number of its blocks', async t => {
  for (const [layersPerBlock, expected] of [
    [1, ['resnets.0']],
    [3, ['resnets.0', 'attentions.0', 'resnets.1']],
  ] as const) {
    using vae = new AutoencoderKLTemporalDecoder({ ...config, blockOutChannels: [32], layersPerBlock })
    const random = new Operands(reference, 1)
    for (const parameter of vae.weights.parameters.values()) parameter.replace(keep(random.normal(parameter.shape)))
    const seen: string[] = []
    vae.weights.observer = name => {
      const part = /^decoder\.mid_block\.(\w+\.\d+)$/.exec(name)?.[1]
      if (part) seen.push(part)
    }
    t.same(vae.decode(random.normal([1, 4, 2, 3]), 1).shape, [1, 3, 2, 3], 'a single level keeps the size')
    t.same(seen, expected)
  }
})

void t.test('what does not fit is refused', async t => {
  using vae = await load(reference)
  const random = new Operands(reference, 1)
  for (const shape of [
    [1, 3, 20, 16],
    [1, 3, 16, 12],
    [1, 4, 16, 16],
    [3, 16, 16],
    [1, 3, 0, 16],
    [1, 16, 16, 3],
  ])
    t.throws(() => vae.encode(random.normal(shape)), ShapeError, `image ${String(shape)}`)
  for (const shape of [
    [2, 3, 2, 2],
    [3, 4, 2, 2],
    [4, 2, 2],
    [0, 4, 2, 2],
  ])
    t.throws(() => vae.decode(random.normal(shape), 2), ShapeError, `z ${String(shape)}`)
  for (const frames of [0, -1, 0.5, NaN, Infinity])
    t.throws(() => vae.decode(random.normal([1, 4, 2, 2]), frames), ShapeError, `${frames} frames`)
})

void t.test('the real model has the names, shapes and size of the real checkpoint', t => {
  interface Real {
    configs: { vae: object }
    names: { vae: Record<string, number[]> }
    parameter_counts: { vae: number }
  }
  const real = JSON.parse(readFileSync(golden('svd-real-names.json'), 'utf8')) as Real
  const vae = new AutoencoderKLTemporalDecoder(parseVaeConfig('config.json', JSON.stringify(real.configs.vae)))
  const declared = [...vae.weights.parameters.values()].map(({ name, storedShape }) => [name, storedShape] as const)
  t.same(new Map(declared), new Map(Object.entries(real.names.vae)))
  t.equal(vae.weights.size, real.parameter_counts.vae)
  t.equal(vae.scale, 8)
  t.end()
})

void t.test('a checkpoint of another size is refused as a whole', t =>
  t.rejects(
    AutoencoderKLTemporalDecoder.load(reference, checkpoint, { ...config, blockOutChannels: [32, 32, 64, 64] }),
    WeightsError,
  ),
)

void t.test('a bad configuration is told as a whole', t => {
  const parse = (changes: object) =>
    parseVaeConfig('config.json', JSON.stringify({ ...(JSON.parse(configText) as object), ...changes }))
  t.throws(() => parse({ block_out_channels: [32, 48], down_block_types: ['AttnDownBlock2D'], scaling_factor: 0 }), {
    name: 'FileError',
    message: /down_block_types\[0\] must be.*down_block_types must be 2 types.*block_out_channels\[1\] must.*scaling_f/,
  })
  for (const changes of [
    { _class_name: 'AutoencoderKL' },
    { block_out_channels: [] },
    { block_out_channels: new Array<number>(1000).fill(32) },
    { layers_per_block: 1e6 },
    { latent_channels: -4 },
    { in_channels: '3' },
    { scaling_factor: 1e300 },
  ])
    t.throws(() => parse(changes), FileError, JSON.stringify(changes).slice(0, 60))
  t.end()
})
