// Finding a model's configuration and weights on disk.

import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { openConfig, openWeights } from '../../models/checkpoint.js'
import { openModelFolder } from '../../models/svd/folder.js'
import { completeSettings, videoModelOf } from '../../pipeline/settings.js'
import { writeSafetensors } from '../../tensor/files/index.js'
import { FileError } from '../../tensor/index.js'
import { makeTinyModel } from '../support/model.js'

const folder = await mkdtemp(join(tmpdir(), 'revision-test-'))
t.teardown(() => rm(folder, { recursive: true }))

/** A folder of weights, each file holding one tensor named after it. */
async function weightsFolder(name: string, files: readonly string[]): Promise<string> {
  const path = join(folder, name)
  await mkdir(path)
  for (const file of files) {
    if (!file.endsWith('.json')) {
      await writeSafetensors(join(path, file), [{ name: file, dtype: 'f32', shape: [1], data: Float32Array.of(1) }])
      continue
    }
    const shard = `shard-of-${file.replace(/\.json$/, '')}.safetensors`
    await writeSafetensors(join(path, shard), [{ name: file, dtype: 'f32', shape: [1], data: Float32Array.of(1) }])
    await writeFile(join(path, file), JSON.stringify({ metadata: {}, weight_map: { [file]: shard } }))
  }
  return path
}

void t.test('weights are found under every name they go by', async t => {
  const cases: [string[], string | undefined, string][] = [
    [['model.safetensors'], undefined, 'model.safetensors'],
    [['model.fp16.safetensors'], undefined, 'model.fp16.safetensors'],
    [['model.fp16.safetensors', 'model.safetensors'], undefined, 'model.safetensors'],
    [['model.fp16.safetensors', 'model.safetensors'], 'fp16', 'model.fp16.safetensors'],
    [['model.safetensors.index.json'], undefined, 'model.safetensors.index.json'],
    [['model.fp16.safetensors', 'model.safetensors.index.json'], undefined, 'model.safetensors.index.json'],
    [['model.fp16.safetensors.index.json'], undefined, 'model.fp16.safetensors.index.json'],
    [['model.safetensors.index.fp16.json'], 'fp16', 'model.safetensors.index.fp16.json'],
  ]
  for (const [i, [files, variant, expected]] of cases.entries()) {
    const file = await openWeights(await weightsFolder(`weights${i}`, files), 'model', variant)
    t.same([...file.tensors.keys()], [expected], `${files.join(' and ')}, variant ${variant ?? 'any'}`)
    await file.close()
  }
  const empty = await weightsFolder('empty', ['diffusion_pytorch_model.safetensors'])
  await t.rejects(openWeights(empty, 'model'), {
    name: 'FileError',
    message: /no weights; expected model\.safetensors or .*; try downloading the \.safetensors files/,
  })
})

void t.test('configurations are bounded, and objects', async t => {
  for (const [text, message] of [
    [' '.repeat(2 ** 20 + 1), /too long/],
    ['[1]', /expected a JSON object/],
    ['{"a": 1', /bad JSON/],
    [Buffer.of(0x22, 0xff, 0x22), /not a text; expected UTF-8/],
  ] as const) {
    await writeFile(join(folder, 'config.json'), text)
    await t.rejects(openConfig(folder), { name: 'FileError', message })
  }
  await t.rejects(openConfig(folder, 'none.json'), FileError)
})

void t.test('a model folder is checked as a whole', async t => {
  const path = join(folder, 'model')
  await makeTinyModel(path)
  const model = await openModelFolder(path)
  t.match(model, {
    path,
    unet: { config: { inChannels: 8, sampleSize: 8 } },
    vae: { config: { scalingFactor: 0.18215 } },
  })
  const file = await model.unet.openWeights()
  t.equal(file.tensors.size, 1426)
  await file.close()
  for (const part of ['unet', 'vae', 'image_encoder', 'scheduler', 'model_index.json']) {
    await rename(join(path, part), join(folder, 'away'))
    await t.rejects(openModelFolder(path), { name: 'FileError', message: new RegExp(part) }, `${part} is missing`)
    await rename(join(folder, 'away'), join(path, part))
  }
})

void t.test('a model may say how strictly it wants to be guided', async t => {
  const path = join(folder, 'guided')
  await makeTinyModel(path)
  t.equal(completeSettings({}, videoModelOf(await openModelFolder(path))).maxGuidance, 3, 'as diffusers has it')
  const index = join(path, 'model_index.json')
  const say = async (scale: unknown) => {
    const fields = JSON.parse(await readFile(index, 'utf8')) as object
    await writeFile(index, JSON.stringify({ ...fields, max_guidance_scale: scale }))
  }
  await say(1.5)
  const model = videoModelOf(await openModelFolder(path))
  t.equal(completeSettings({}, model).maxGuidance, 1.5, "the model's word")
  t.equal(completeSettings({ maxGuidance: 2 }, model).maxGuidance, 2, "the user's goes first")
  await say('much')
  await t.rejects(openModelFolder(path), { name: 'FileError', message: /max_guidance_scale/ })
})

void t.test('weights that do not fit are told of all networks at once', async t => {
  const path = join(folder, 'misfits')
  await makeTinyModel(path)
  const edit = async (file: string, fields: object) => {
    const config = JSON.parse(await readFile(join(path, file), 'utf8')) as object
    await writeFile(join(path, file), JSON.stringify({ ...config, ...fields }))
  }
  await edit('vae/config.json', { block_out_channels: [32, 32, 64, 64] })
  await t.rejects(openModelFolder(path), { name: 'WeightsError', message: /^[^;]*vae.*misshapen/ }, 'one network')
  await edit('unet/config.json', { block_out_channels: [32, 32, 64, 64] })
  await edit('image_encoder/config.json', { num_hidden_layers: 1 })
  const error = await openModelFolder(path).catch((error: unknown) => error)
  t.ok(error instanceof FileError)
  const { message } = error as FileError
  for (const pattern of [/unet.*misshapen/, /vae.*misshapen/, /image_encoder.*unused/]) t.match(message, pattern)
  t.notMatch(message, '\n')
})
