// CLIP's picture tower against OpenAI's (test/golden/README.md: commit d05afc4, torch 2.6 on the CPU in f32, tiny
// random weights rounded to f16), in both activations.

import { readFileSync } from 'node:fs'
import t from 'tap'
import { parseCLIPVisionConfig } from '../../models/clip/config.js'
import { CLIPVisionModelWithProjection } from '../../models/clip/vision.js'
import { clipVisionKind } from '../../pipeline/verify/clip-vision.js'
import type { TensorFile } from '../../tensor/files/index.js'
import { FileError, ShapeError, Tensor, toFloat32, type Runtime } from '../../tensor/index.js'
import { configText, ignoresPositions, leavesOutputsOnly, openGolden, towerTolerance } from '../support/clip.js'
import { onRuntimes, Operands, referenceRuntime, wasmRuntime, webgpuRuntime } from '../support/kernels.js'
import { golden } from '../support/paths.js'
import { agrees } from '../support/verify.js'

const folders = ['clip-vision-tiny', 'clip-vision-tiny/quickgelu'] as const
const config = (folder: string) => parseCLIPVisionConfig(`${folder}/config.json`, configText(folder))

const small = folders[1]
const checkpoint = await openGolden(small, 'model')
const reference = await referenceRuntime()
const runtimes = [reference, await webgpuRuntime(), await wasmRuntime()]

async function readPixels(runtime: Runtime, file: TensorFile): Promise<Tensor> {
  const { dtype, data, shape } = await file.read('pixel_values')
  return Tensor.from(runtime, toFloat32(dtype, data), shape, 'f32', 'pixel_values')
}

for (const folder of folders)
  void t.test(`${folder}: the outputs of the reference`, t =>
    onRuntimes(t, runtimes, (t, runtime) => agrees(t, clipVisionKind, runtime, folder, ['io'], () => towerTolerance)),
  )

void t.test('a forward pass leaves nothing behind but its outputs', async t => {
  using model = await CLIPVisionModelWithProjection.load(reference, checkpoint, config(small))
  const pixels = await readPixels(reference, await openGolden(small, 'io'))
  leavesOutputsOnly(t, reference, () => model.forward(pixels))
})

void t.test('pictures of another size are refused', async t => {
  using model = await CLIPVisionModelWithProjection.load(reference, checkpoint, config(small))
  const random = new Operands(reference, 1)
  for (const shape of [
    [1, 3, 32, 24],
    [1, 4, 32, 32],
    [3, 32, 32],
    [0, 3, 32, 32],
    [1, 32, 32, 3],
  ])
    t.throws(() => model.forward(random.normal(shape)), ShapeError, String(shape))
})

void t.test('numbers of the positions, which old checkpoints hold, are ignored; other strangers are not', t => {
  const load = (file: TensorFile) => CLIPVisionModelWithProjection.load(reference, file, config(small))
  return ignoresPositions(t, checkpoint, load, ['vision_model', 'text_model'])
})

void t.test('the real model has the names, shapes and size of the real checkpoint', t => {
  interface Real {
    configs: { image_encoder: object }
    names: { image_encoder: Record<string, number[]> }
    parameter_counts: { image_encoder: number }
  }
  const real = JSON.parse(readFileSync(golden('svd-real-names.json'), 'utf8')) as Real
  const realConfig = parseCLIPVisionConfig('config.json', JSON.stringify(real.configs.image_encoder))
  const { weights } = new CLIPVisionModelWithProjection(realConfig)
  const declared = [...weights.parameters.values()].map(({ name, storedShape }) => [name, storedShape] as const)
  t.same(new Map(declared), new Map(Object.entries(real.names.image_encoder)))
  t.equal(weights.size, real.parameter_counts.image_encoder)
  t.end()
})

void t.test('a bad configuration is told as a whole', t => {
  const parse = (changes: object) =>
    parseCLIPVisionConfig('config.json', JSON.stringify({ ...(JSON.parse(configText(small)) as object), ...changes }))
  t.throws(() => parse({ hidden_size: 33, hidden_act: 'relu', patch_size: 7 }), {
    name: 'FileError',
    message: /hidden_act must be.*hidden_size must be a multiple of the 2.*image_size must be a multiple of patch_size/,
  })
  for (const changes of [
    { model_type: 'siglip_vision_model' },
    { num_hidden_layers: 1e9 },
    { num_attention_heads: 0 },
    { image_size: -224 },
    { image_size: '224' },
    { layer_norm_eps: -1 },
    { projection_dim: 0.5 },
  ])
    t.throws(() => parse(changes), FileError, JSON.stringify(changes))
  t.end()
})
