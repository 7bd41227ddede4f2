// CLIP's text tower against OpenAI's (test/golden/README.md: commit d05afc4, torch 2.6 on the CPU in f32, tiny random
// weights rounded to f16), in both activations.

import { readFileSync } from 'node:fs'
import t from 'tap'
import { parseCLIPTextConfig } from '../../models/clip/config.js'
import { clipSimilarity } from '../../models/clip/similarity.js'
import { CLIPTextModelWithProjection } from '../../models/clip/text.js'
import { WeightsError } from '../../nn/index.js'
import { openSafetensors, type TensorFile } from '../../tensor/files/index.js'
import { FileError, Tensor, UsageError } from '../../tensor/index.js'
import { close } from '../support/compare.js'
import { onRuntimes, referenceRuntime, wasmRuntime, webgpuRuntime } from '../support/kernels.js'
import { SeenModules } from '../support/modules.js'
import { golden } from '../support/paths.js'

const folders = ['clip-text-tiny', 'clip-text-tiny/gelu'] as const
const text = (folder: string) => readFileSync(golden(folder, 'config.json'), 'utf8')
const config = (folder: string) => parseCLIPTextConfig(`${folder}/config.json`, text(folder))

async function open(folder: string, name: string): Promise<TensorFile> {
  const file = await openSafetensors(golden(folder, `${name}.safetensors`))
  t.teardown(() => file.close())
  return file
}

const [large, small] = folders
const checkpoint = await open(small, 'model')
const reference = await referenceRuntime()
const wasm = await wasmRuntime()
const runtimes = { [large]: [wasm], [small]: [reference, await webgpuRuntime(), wasm] }

async function readIds(file: TensorFile): Promise<number[][]> {
  const { data, shape } = await file.read('input_ids')
  const [texts, tokens] = shape
  return Array.from({ length: texts }, (_, i) => Array.from(data.subarray(i * tokens, (i + 1) * tokens)))
}

/** The rounding of f32, and a few times that: a tanh gelu would be off by 1e-4. */
const tolerance = 5e-6

for (const folder of folders)
  void t.test(`${folder}: the outputs of the reference`, t =>
    onRuntimes(t, runtimes[folder], async (t, runtime) => {
      const file = await open(folder, 'io')
      using model = await CLIPTextModelWithProjection.load(runtime, await open(folder, 'model'), config(folder))
      using seen = new SeenModules(model.weights, file)
      // The golden file names what goes into the last norm, which is what the last layer gives.
      const { observer } = model.weights
      model.weights.observer = (name, tensor) => {
        observer?.(name, tensor)
        if (name === `text_model.encoder.layers.${model.config.layers - 1}`)
          observer?.('before_final_layer_norm', tensor)
      }
      const output = model.forward(await readIds(file))
      const tensors = {
        text_embeds: output.textEmbeds,
        last_hidden_state: output.lastHiddenState,
        pooler_output: output.poolerOutput,
      }
      for (const [name, tensor] of Object.entries(tensors)) {
        const { data, shape } = await file.read(name)
        t.same(tensor.shape, shape)
        close(t, await tensor.floats(), data, tolerance, name)
      }
      await seen.compare(t, tolerance)
    }),
  )

void t.test('how well pictures and texts go together', t =>
  onRuntimes(t, [reference, wasm], async (t, runtime) => {
    const file = await open(large, 'logits')
    const read = async (name: string) => {
      const { data, shape } = await file.read(name)
      return Tensor.from(runtime, data, shape)
    }
    using images = await read('image_embeds')
    using texts = await read('text_embeds')
    const [logitScale] = (await file.read('logit_scale')).data
    using cosines = clipSimilarity(images, texts)
    using logits = clipSimilarity(images, texts, logitScale)
    for (const [name, tensor] of Object.entries({ cosine: cosines, logits_per_image: logits })) {
      const { data, shape } = await file.read(name)
      t.same(tensor.shape, shape)
      close(t, await tensor.floats(), data, tolerance, name)
    }
  }),
)

void t.test('a text is read out at its first end, and what comes after has no say', async t => {
  using model = await CLIPTextModelWithProjection.load(reference, checkpoint, config(small))
  const embeds = async (...ids: number[]) => {
    using texts = model.forward([ids]).textEmbeds
    return texts.floats()
  }
  const plain = await embeds(298, 5, 7, 299)
  t.same(await embeds(298, 5, 7, 299, 0, 0), plain)
  t.same(await embeds(298, 5, 7, 299, 299, 11), plain)
  t.notSame(await embeds(298, 7, 5, 299), plain)

  const legacy = { ...config(small), eosTokenId: 2 }
  using old = await CLIPTextModelWithProjection.load(reference, checkpoint, legacy)
  using texts = old.forward([[298, 5, 7, 299, 2, 299]]).textEmbeds
  t.same(await texts.floats(), plain, 'configurations that give 2 as the end mean the highest id')
})

void t.test('a forward pass leaves nothing behind but its outputs', async t => {
  using model = await CLIPTextModelWithProjection.load(reference, checkpoint, config(small))
  const before = reference.statistics().live
  const { textEmbeds, lastHiddenState, poolerOutput } = model.forward([[298, 5, 299]])
  const bytes = textEmbeds.bytes + lastHiddenState.bytes + poolerOutput.bytes
  t.equal(reference.statistics().live - before, bytes)
  for (const tensor of [textEmbeds, lastHiddenState, poolerOutput]) tensor.dispose()
})

void t.test('ids that are no texts of this model are refused', async t => {
  using model = await CLIPTextModelWithProjection.load(reference, checkpoint, config(small))
  const refused = {
    'no texts': [],
    'an empty text': [[]],
    'a text too long': [[...new Array<number>(20).fill(5), 299]],
    'texts of different lengths': [
      [298, 5, 299],
      [298, 299],
    ],
    'an id beyond the vocabulary': [[298, 300, 299]],
    'a negative id': [[298, -1, 299]],
    'a fraction': [[298, 0.5, 299]],
    'a text without end': [[298, 5, 7]],
  }
  for (const [what, ids] of Object.entries(refused)) t.throws(() => model.forward(ids), UsageError, what)
})

void t.test('numbers of the positions, which old checkpoints hold, are ignored; other strangers are not', async t => {
  const info = { dtype: 'i32', stored: 'I64', shape: [1, 20], byteSize: 160 } as const
  const withTensor = (name: string): TensorFile => ({
    name: checkpoint.name,
    metadata: checkpoint.metadata,
    tensors: new Map([...checkpoint.tensors, [name, info]]),
    read: key => checkpoint.read(key),
    chunks: key => checkpoint.chunks(key),
    close: () => Promise.resolve(),
  })
  const load = (file: TensorFile) => CLIPTextModelWithProjection.load(reference, file, config(small))
  const loaded = await load(withTensor('text_model.embeddings.position_ids'))
  loaded.dispose()
  await t.rejects(load(withTensor('vision_model.embeddings.position_ids')), WeightsError)
})

void t.test('the tower of ViT-L/14 has as many weights as the published one', t => {
  const fields = { hidden_size: 768, intermediate_size: 3072, num_attention_heads: 12, projection_dim: 768 }
  const { weights } = new CLIPTextModelWithProjection(parseCLIPTextConfig('config.json', JSON.stringify(fields)))
  t.equal(weights.size, 123_060_480 + 768 * 768) // without and with the projection
  t.end()
})

void t.test('a bad configuration is told as a whole', t => {
  const parse = (changes: object) =>
    parseCLIPTextConfig('config.json', JSON.stringify({ ...(JSON.parse(text(small)) as object), ...changes }))
  t.throws(() => parse({ hidden_size: 33, hidden_act: 'relu', eos_token_id: 300 }), {
    name: 'FileError',
    message: /hidden_act must be.*hidden_size must be a multiple of the 2.*eos_token_id must be below vocab_size, 300/,
  })
  for (const changes of [
    { model_type: 'clip_vision_model' },
    { vocab_size: 1e9 },
    { max_position_embeddings: 0 },
    { num_hidden_layers: 1e9 },
    { eos_token_id: -1 },
    { layer_norm_eps: '1e-5' },
  ])
    t.throws(() => parse(changes), FileError, JSON.stringify(changes))
  t.end()
})
