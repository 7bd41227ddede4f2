// CLIP's text tower against OpenAI's (test/golden/README.md: commit d05afc4, torch 2.6 on the CPU in f32, tiny random
// weights rounded to f16), in both activations.

import t from 'tap'
import { parseCLIPTextConfig } from '../../models/clip/config.js'
import { CLIPTextModelWithProjection } from '../../models/clip/text.js'
import { clipTextKind } from '../../pipeline/verify/clip-text.js'
import type { TensorFile } from '../../tensor/files/index.js'
import { FileError, UsageError } from '../../tensor/index.js'
import { configText, ignoresPositions, leavesOutputsOnly, openGolden, towerTolerance } from '../support/clip.js'
import { onRuntimes, referenceRuntime, wasmRuntime, webgpuRuntime } from '../support/kernels.js'
import { agrees } from '../support/verify.js'

const folders = ['clip-text-tiny', 'clip-text-tiny/gelu'] as const
const config = (folder: string) => parseCLIPTextConfig(`${folder}/config.json`, configText(folder))

const [large, small] = folders
const checkpoint = await openGolden(small, 'model')
const reference = await referenceRuntime()
const wasm = await wasmRuntime()
const runtimes = { [large]: [wasm], [small]: [reference, await webgpuRuntime(), wasm] }

for (const folder of folders)
  void t.test(`${folder}: the outputs of the reference`, t =>
    onRuntimes(t, runtimes[folder], (t, runtime) =>
      agrees(t, clipTextKind, runtime, folder, ['io'], () => towerTolerance),
    ),
  )

void t.test('how well pictures and texts go together', t =>
  onRuntimes(t, [reference, wasm], (t, runtime) =>
    agrees(t, clipTextKind, runtime, large, ['logits'], () => towerTolerance),
  ),
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
  leavesOutputsOnly(t, reference, () => model.forward([[298, 5, 299]]))
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

void t.test('numbers of the positions, which old checkpoints hold, are ignored; other strangers are not', t => {
  const load = (file: TensorFile) => CLIPTextModelWithProjection.load(reference, file, config(small))
  return ignoresPositions(t, checkpoint, load, ['text_model', 'vision_model'])
})

void t.test('the tower of ViT-L/14 has as many weights as the published one', t => {
  const fields = { hidden_size: 768, intermediate_size: 3072, num_attention_heads: 12, projection_dim: 768 }
  const { weights } = new CLIPTextModelWithProjection(parseCLIPTextConfig('config.json', JSON.stringify(fields)))
  t.equal(weights.size, 123_060_480 + 768 * 768) // without and with the projection
  t.end()
})

void t.test('a bad configuration is told as a whole', t => {
  const parse = (changes: object) =>
    parseCLIPTextConfig('config.json', JSON.stringify({ ...(JSON.parse(configText(small)) as object), ...changes }))
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
