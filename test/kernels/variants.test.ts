// The choice of variants: the rules, tune tables, and that shaders which no test machine can run at least compile.

import t from 'tap'
import { create } from 'webgpu'
import { attentionBlocks } from '../../kernels/attention/variant.js'
import { convVariant } from '../../kernels/conv/variant.js'
import { shapeClass } from '../../kernels/common/tune.js'
import { readTune } from '../../kernels/index.js'
import { subgroupMatrixOf, tilesOf } from '../../kernels/common/variant.js'
import { matmulVariant } from '../../kernels/matmul/variant.js'
import { shaders } from '../../kernels/shaders.generated.js'
import { FileError, UsageError } from '../../tensor/index.js'
import type { AdapterFacts, SubgroupMatrixConfig } from '../../tensor/webgpu/adapter.js'
import type { Tune } from '../../tensor/webgpu/launch.js'
import { preprocess, type Defines } from '../../tensor/webgpu/preprocess.js'
import { webgpuRuntime } from '../support/kernels.js'
import { forced } from '../support/variants.js'

const halfConfig = (size: Pick<SubgroupMatrixConfig, 'M' | 'N' | 'K'>): SubgroupMatrixConfig => ({
  ...size,
  componentType: 'f16',
  resultComponentType: 'f32',
})
const nvidia = halfConfig({ M: 16, N: 16, K: 16 })
const intel = halfConfig({ M: 8, N: 16, K: 16 })
const apple = halfConfig({ M: 8, N: 8, K: 8 })

const software: AdapterFacts = {
  kind: 'swiftshader',
  vendor: '',
  architecture: '',
  device: '',
  description: 'swiftshader: a test',
  isFallback: true,
  features: { f16: false, subgroups: true, timestamps: false, subgroupMatrix: false },
  subgroupMinSize: 4,
  subgroupMaxSize: 4,
  subgroupMatrixConfigs: [],
  limits: {
    maxStorageBufferBindingSize: 2 ** 30,
    maxBufferSize: 2 ** 30,
    maxComputeInvocationsPerWorkgroup: 256,
    maxComputeWorkgroupSizeX: 256,
    maxComputeWorkgroupSizeY: 256,
    maxComputeWorkgroupSizeZ: 64,
    maxComputeWorkgroupStorageSize: 16384,
    maxComputeWorkgroupsPerDimension: 65535,
    maxStorageBuffersPerShaderStage: 8,
    minStorageBufferOffsetAlignment: 256,
    minUniformBufferOffsetAlignment: 256,
  },
}
const withoutSubgroups: AdapterFacts = { ...software, features: { ...software.features, subgroups: false } }
const gpu: AdapterFacts = { ...software, kind: 'hardware', isFallback: false }
const withMatrices = (configs: SubgroupMatrixConfig[], more: Partial<AdapterFacts> = {}): AdapterFacts => ({
  ...gpu,
  features: { f16: true, subgroups: true, timestamps: true, subgroupMatrix: true },
  subgroupMinSize: 32,
  subgroupMaxSize: 32,
  subgroupMatrixConfigs: configs,
  ...more,
})

const product = (m: number, n: number, k: number) => ({ batch: 1, m, n, k, columns: n })
const axis = (size: number, kernel: number) => ({ size, kernel, stride: 1, before: 0, out: size - kernel + 1 })
const picture = (channels: number, outChannels: number, groups = 1) => ({
  batch: 2,
  frames: axis(1, 1),
  rows: axis(20, 3),
  columns: axis(20, 3),
  channels,
  outChannels,
  groups,
})

await t.test('each class of adapter has its variant', t => {
  const large = product(4096, 320, 320)
  t.equal(matmulVariant(large, 'f16', software), 'subgroup')
  t.equal(matmulVariant(product(4096, 7, 320), 'f16', software), 'direct', 'columns for few lanes')
  t.equal(matmulVariant(large, 'f16', withoutSubgroups), 'direct')
  t.equal(matmulVariant(large, 'f16', { ...software, subgroupMaxSize: 8 }), 'direct', 'subgroups of several sizes')
  t.equal(matmulVariant(large, 'f16', gpu), 'tiled')
  t.equal(matmulVariant(large, 'f16', withMatrices([nvidia])), 'subgroup-matrix')
  t.equal(matmulVariant(large, 'f32', withMatrices([nvidia])), 'tiled', 'a weight in f32 keeps its precision')
  t.equal(matmulVariant(product(2, 1280, 320), 'f16', withMatrices([nvidia])), 'direct', 'a thin product')
  t.equal(convVariant(picture(320, 320), 'f16', software), 'subgroup')
  t.equal(convVariant(picture(320, 4), 'f16', software), 'direct')
  t.equal(convVariant(picture(320, 320), 'f16', gpu), 'tiled')
  t.equal(convVariant(picture(320, 320), 'f16', withMatrices([apple])), 'subgroup-matrix')
  t.equal(convVariant(picture(4, 320), 'f16', withMatrices([apple])), 'direct', 'few channels')
  t.equal(convVariant(picture(320, 320, 32), 'f16', gpu), 'direct', 'few channels in a group')
  t.end()
})

await t.test('attention shares loads among lanes where a head fits one', t => {
  const attention = (width: number, facts: AdapterFacts, tune?: Tune, queries = 1000) => {
    const sizes = { batch: 1, queries, positions: 1, heads: 8, width, kvBatch: 1, keys: 77, kvPositions: 1 }
    return attentionBlocks({ ...sizes, valueWidth: width }, 'f32', facts, tune)
  }
  const [direct, subgroup] = ['attention/attention.wgsl', 'attention/subgroup.wgsl']
  t.match(attention(64, software), { shader: subgroup, queries: 16, slices: 1, perWorkgroup: 1 })
  t.match(attention(64, { ...software, subgroupMinSize: 8, subgroupMaxSize: 8 }), { shader: subgroup, queries: 32 })
  t.match(attention(128, software), { shader: subgroup, queries: 8 }, 'fewer queries of a wide head')
  t.match(attention(64, software, undefined, 6), { shader: subgroup, queries: 8 }, 'no more queries than there are')
  t.match(attention(160, software), { shader: direct, slices: 1 }, 'a head too wide for a lane')
  t.match(attention(64, withoutSubgroups), { shader: direct })
  t.match(attention(8, { ...software, subgroupMinSize: 16, subgroupMaxSize: 16 }), { shader: direct }, 'unequal shares')
  t.match(attention(512, gpu), { shader: direct, slices: 4 })
  t.match(attention(64, software, forced('direct')), { shader: direct }, 'the table has its way')
  t.match(attention(160, software, forced('subgroup')), { shader: direct }, 'where it can')
  t.match(attention(64, software, forced('tiled')), { shader: subgroup }, 'no variant of attention')
  t.end()
})

await t.test('matrices are taken where the adapter has some that fit', t => {
  const of = (configs: SubgroupMatrixConfig[], more: Partial<AdapterFacts> = {}) =>
    subgroupMatrixOf(withMatrices(configs, more))
  t.same(of([apple, nvidia, intel]), nvidia, 'the largest')
  t.same(of([apple, intel]), intel)
  t.equal(of([{ ...nvidia, resultComponentType: 'f16' }]), undefined, 'sums are f32')
  t.equal(of([{ ...nvidia, componentType: 'i8' }]), undefined, 'operands are f16')
  t.equal(of([]), undefined)
  t.equal(of([nvidia], { features: { ...gpu.features, subgroupMatrix: true } }), undefined, 'shaders need f16')
  t.equal(of([nvidia], { subgroupMaxSize: 128 }), undefined, 'four subgroups must fit a workgroup')
  t.same(of([nvidia, apple], { limits: { ...gpu.limits, maxComputeWorkgroupStorageSize: 8192 } }), apple, 'and memory')
  t.match(tilesOf('subgroup-matrix', { rows: 320, columns: 320 }, true, withMatrices([nvidia])), {
    rows: 64,
    columns: 32,
    perWorkgroup: 1,
    defines: { MATRIX_M: 16, MATRIX_N: 16, MATRIX_K: 16, WORKGROUP: 128, PAIRED: true },
  })
  t.end()
})

await t.test('lanes share the rows of their tile', t => {
  const size = { rows: 320, columns: 320 }
  t.match(tilesOf('subgroup', size, false, software), {
    rows: 8,
    columns: 16,
    perWorkgroup: 1,
    defines: { SUBGROUP: true, LANES: 4, OWN: 2, STRIPS: 1, BLOCKS: 1, WORKGROUP: 4 },
  })
  t.match(tilesOf('subgroup', { rows: 3, columns: 320 }, true, software), { rows: 4, defines: { OWN: 1, BLOCKS: 2 } })
  t.match(tilesOf('direct', size, false, gpu), {
    rows: 8,
    columns: 8,
    perWorkgroup: 64,
    defines: { SUBGROUP: false, LANES: 1, OWN: 8, STRIPS: 2, BLOCKS: 2, WORKGROUP: 64 },
  })
  t.end()
})

await t.test('a tune table overrules the rule, class by class', t => {
  const tune = readTune('{"adapter":"*","choices":{"matmul":"direct","matmul m4096 n512 k512 f16":"subgroup-matrix"}}')
  t.equal(shapeClass('matmul', product(4000, 320, 320), 'f16'), 'matmul m4096 n512 k512 f16')
  t.equal(matmulVariant(product(4000, 320, 320), 'f16', withMatrices([nvidia]), tune), 'subgroup-matrix')
  t.equal(matmulVariant(product(4000, 320, 320), 'f32', withMatrices([nvidia]), tune), 'direct', 'another class')
  t.equal(matmulVariant(product(4000, 320, 320), 'f16', gpu, tune), 'tiled', 'what the adapter cannot do goes by rule')
  t.equal(convVariant(picture(320, 320), 'f16', gpu, tune), 'tiled', 'another operation')
  t.equal(
    matmulVariant(product(4000, 320, 320), 'f32', withoutSubgroups, forced('subgroup')),
    'direct',
    'nor can one without subgroups',
  )
  t.equal(shapeClass('conv', { m: 1e12, n: 0, k: 1 }, 'f32'), 'conv m1048576 n1 k1 f32', 'bounded')
  t.end()
})

await t.test('a table for another adapter is refused', async t => {
  const tune: Tune = readTune('{"adapter":"hardware: some GPU","choices":{}}')
  await t.rejects(webgpuRuntime({ tune }), UsageError)
  await t.rejects(webgpuRuntime({ tune }), /tune: made for another adapter; expected .*; got hardware: some GPU/)
})

await t.test('tables that are none are refused', t => {
  const choices = (entries: Record<string, unknown>) => JSON.stringify({ adapter: '*', choices: entries })
  const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`matmul m${i} n1 k1 f32`, 'direct']))
  const refused: [text: string, message: RegExp][] = [
    ['', /tune: no JSON; expected \{"adapter"/],
    ['['.repeat(1e5), /no JSON/],
    ['null', /no table/],
    ['[]', /no table/],
    ['{"adapter":"*","choices":[]}', /no table/],
    ['{"choices":{}}', /no adapter; .*got absent/],
    [`{"adapter":${'['.repeat(2e5)}${']'.repeat(2e5)},"choices":{}}`, /no adapter; .*got lists in lists/],
    [`{"adapter":"${'x'.repeat(201)}","choices":{}}`, /no adapter/],
    ['{"adapter":"*","choices":{},"more":1}', /unknown fields/],
    [choices({ 'matmul m1 n1 k1': 'direct' }), /unknown class; .*got "matmul m1 n1 k1"/],
    [choices({ 'softmax m1 n1 k1 f32': 'direct' }), /unknown class/],
    [choices({ [`matmul m${'9'.repeat(400)} n1 k1 f32`]: 'direct' }), /unknown class/],
    ['{"adapter":"*","choices":{"__proto__":"direct"}}', /unknown class/],
    [
      choices({ matmul: 'fast' }),
      /unknown variant for matmul; expected direct, subgroup, tiled, subgroup-matrix; got "fast"/,
    ],
    [choices({ matmul: { toString: 'tiled' } }), /unknown variant/],
    [choices(many), /too many choices; expected at most 4096; got 5000/],
    [' '.repeat(2 ** 20 + 1), /too long/],
  ]
  for (const [text, message] of refused) {
    t.throws(() => readTune(text), FileError)
    t.throws(() => readTune(text), message)
  }
  t.end()
})

// Dawn without a driver: it checks shaders for every feature, matrix units among them, and runs nothing.
await t.test('shaders for matrix units compile', async t => {
  const gpu = create(['backend=null', 'enable-dawn-features=allow_unsafe_apis'])
  const adapter = await gpu.requestAdapter()
  if (!adapter) return t.fail('no adapter')
  const names = ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix']
  const device = await adapter.requestDevice({ requiredFeatures: names as GPUFeatureName[] })
  const formats = { A_FORMAT: 'f32x4', B_FORMAT: 'f16x4', X_FORMAT: 'f32x4', WEIGHT_FORMAT: 'f16x4' }
  const epilogues: Defines[] = [
    { ACTIVATION: 'none', K_TAIL: true, C_TAIL: true, ACCUMULATE: true, N_TAIL: true },
    { ACTIVATION: 'gelu', TRANSPOSE_B: true, BIAS: true, BIAS_FORMAT: 'f32', RESIDUAL: true, RESIDUAL_FORMAT: 'f32' },
  ]
  for (const config of [nvidia, intel, apple])
    for (const paired of [false, true])
      for (const file of ['matmul/subgroup-matrix.wgsl', 'conv/subgroup-matrix.wgsl'])
        for (const epilogue of epilogues) {
          if (paired && (file.startsWith('conv') || epilogue.ACTIVATION === 'none')) continue
          const { defines } = tilesOf('subgroup-matrix', { rows: 320, columns: 320 }, paired, withMatrices([config]))
          const code = preprocess(file, shaders, { ...formats, ...epilogue, ...defines, GEGLU: paired })
          device.pushErrorScope('validation')
          const module = device.createShaderModule({ code })
          device.createComputePipeline({ layout: 'auto', compute: { module } })
          const error = await device.popErrorScope()
          t.equal(
            error?.message,
            undefined,
            `${file} ${config.M}x${config.N}x${config.K} ${String(epilogue.ACTIVATION)}`,
          )
        }
  device.destroy()
})
