// Texts as conditions of the motion prior: from an encoder's folder through training to mending, with CLIP's tiny tower.

import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { parseCLIPTextConfig } from '../../models/clip/config.js'
import { PromptEncoder } from '../../models/clip/prompt.js'
import { CLIPTextModelWithProjection } from '../../models/clip/text.js'
import { CLIPTokenizer } from '../../models/clip/tokenizer.js'
import { openPPPM } from '../../models/pppm/open.js'
import { PPPM } from '../../models/pppm/pppm.js'
import { tellText } from '../../models/pppm/text.js'
import { initializeWeights } from '../../nn/index.js'
import { runCli } from '../../pipeline/cli/program.js'
import { openSafetensors, writeSafetensors } from '../../tensor/files/index.js'
import { Generator, UsageError } from '../../tensor/index.js'
import { readMotion } from '../../train/motion/read.js'
import { writeMotion } from '../../train/motion/scene-file.js'
import { drawPerson } from '../../train/pppm/clips.js'
import { parsePPPMTrainConfig } from '../../train/pppm/config.js'
import { textsOf } from '../../train/pppm/sources.js'
import { PPPMTask } from '../../train/pppm/task.js'
import { encodeTexts, textTokens, type TextTable } from '../../train/pppm/texts.js'
import { trainPPPM } from '../../train/pppm/train.js'
import { configText, openGolden } from '../support/clip.js'
import { close } from '../support/compare.js'
import { wasmRuntime } from '../support/kernels.js'
import { strollingPerson } from '../support/motion.js'
import { golden } from '../support/paths.js'
import { smallVocabulary, writeVocabulary } from '../support/vocabulary.js'

const runtime = await wasmRuntime()
const folder = await mkdtemp(join(tmpdir(), 'revision-text-'))
t.teardown(() => rm(folder, { recursive: true, force: true }))
const at = (...parts: string[]) => join(folder, ...parts)

// As diffusers lays it out.
const place = 'clip-text-tiny'
await mkdir(at('clip/text_encoder'), { recursive: true })
for (const file of ['config.json', 'model.safetensors']) await cp(golden(place, file), at('clip/text_encoder', file))
await writeVocabulary(at('clip/tokenizer'), smallVocabulary([]))

const takes = [
  { ...strollingPerson(40), name: 'walking/1', text: 'walking' },
  { ...strollingPerson(40, 1.7), name: 'running/2', text: 'running' },
]
const tiny = { width: 32, layers: 1, heads: 2, textChannels: 64, textTokens, maxEntities: 2 }

await t.test('an encoder gives all tokens of its texts, wherever its files lie', async t => {
  using encoder = await PromptEncoder.open(runtime, at('clip'))
  t.equal(encoder.channels, 64)
  using tokens = encoder.encode(['a dog', 'walking'], 6)
  using model = await CLIPTextModelWithProjection.load(
    runtime,
    await openGolden(place, 'model'),
    parseCLIPTextConfig('config.json', configText(place)),
  )
  const ids = (await CLIPTokenizer.open(at('clip/tokenizer'))).encode(['a dog', 'walking'], 6)
  const whole = model.forward(ids)
  close(t, await tokens.floats(), await whole.lastHiddenState.floats(), 0, 'those of the whole tower')
  for (const tensor of Object.values(whole)) tensor.dispose()

  // Side by side, and without a projection, as stable diffusion's encoders are.
  await cp(at('clip/tokenizer'), at('plain'), { recursive: true })
  await cp(golden(place, 'config.json'), at('plain/config.json'))
  const file = await openSafetensors(golden(place, 'model.safetensors'))
  const names = [...file.tensors.keys()].filter(name => !name.startsWith('text_projection'))
  const entries = await Promise.all(names.map(async name => ({ name, ...(await file.read(name)) })))
  await file.close()
  await writeSafetensors(at('plain/model.safetensors'), entries)
  using plain = await PromptEncoder.open(runtime, at('plain'))
  using same = plain.encode(['a dog', 'walking'], 6)
  close(t, await same.floats(), await tokens.floats(), 0, 'the same')
  t.throws(() => plain.encode(['a'], 78), UsageError, 'more tokens than it reads')
  await t.rejects(PromptEncoder.open(runtime, at('nowhere')), { name: 'FileError' })
})

await t.test('a model is told the texts of its clips, and now and then is not', async t => {
  const texts = await encodeTexts(runtime, at('clip'), textsOf(takes))
  t.same([...texts.tokens.keys()].slice(0, 3), ['walking', 'running', 'a thrown object'])
  t.ok([...texts.tokens.values()].every(({ length }) => length === textTokens * 64))
  const build = (texts?: TextTable) => {
    const model = new PPPM(tiny)
    initializeWeights(runtime, model.weights, new Generator(1))
    return {
      model,
      task: new PPPMTask(runtime, model, {
        source: (_kind, frames, random) => drawPerson(takes, frames, random),
        compositions: [{ counts: { human: 1 }, frames: 8, share: 1 }],
        batch: 40,
        texts,
      }),
    }
  }
  const [told, silent] = [build(texts), build()]
  const [one, other] = [new Generator(7), new Generator(7)]
  const seen = t.capture(told.model, 'forward', told.model.forward.bind(told.model))
  told.task.prepare(one)
  silent.task.prepare(other)
  const { loss, parts } = told.task.loss('0')
  const [{ args }] = seen()
  const { text, hasText } = args[1]
  const flags = await hasText!.floats()
  const share = flags.reduce((sum, flag) => sum + flag, 0) / flags.length
  t.ok(share > 0.6 && share < 0.95, `told to a share of ${share}`)
  const numbers = await text!.floats()
  const known = [...texts.tokens.values()].slice(0, 2)
  flags.forEach((flag, scene) => {
    const own = numbers.subarray(scene * textTokens * 64, (scene + 1) * textTokens * 64)
    t.ok(flag ? known.some(tokens => tokens.every((x, i) => x === own[i])) : own.every(x => x === 0), `scene ${scene}`)
  })
  t.notSame(one.rand(1)[0], other.rand(1)[0], 'which is drawn')
  for (const tensor of [loss, ...Object.values(parts)]) tensor.dispose()
  for (const { task, model } of [told, silent]) {
    task.dispose()
    model.dispose()
  }
})

await t.test('from training to a mended motion', async t => {
  const text = JSON.stringify({ text_encoder: at('clip'), frames: 8, batch: 1, steps: 1, warmup: 0 })
  const config = parsePPPMTrainConfig('pppm.json', text)
  for await (const event of trainPPPM(runtime, { library: { takes, skipped: [] }, config, folder: at('run') }))
    if (event.type === 'done') t.equal(event.path, at('run/model.safetensors'))
  const weights = at('run/model.safetensors')
  using model = (await openPPPM(runtime, weights)).model
  t.match(model.config, { textChannels: 64, textTokens })

  await writeMotion(at('in.npz'), strollingPerson(10))
  const refine = async (...args: string[]) => {
    const [out, error] = [t.capture(console, 'log'), t.capture(console, 'error')]
    const files = [at('in.npz'), at('out.npz'), '--weights', weights]
    const code = await runCli(['pppm', 'refine', ...files, ...args, '--runtime', 'wasm'])
    const lines = [...out(), ...error()].map(({ args }) => String(args[0]))
    out.restore()
    error.restore()
    return { code, lines }
  }
  t.same(await refine('--text', 'walking', '--text-encoder', at('clip')), { code: 0, lines: [at('out.npz')] })
  t.equal((await readMotion(at('out.npz'))).frames, 10)
  t.match(await refine('--text', 'walking'), { code: 2, lines: [/--text: goes with --text-encoder/] })

  using encoder = await PromptEncoder.open(runtime, at('clip'))
  using silent = new PPPM({ ...tiny, textTokens: undefined })
  t.throws(() => tellText(silent, encoder, 'walking'), { name: 'UsageError', message: /trained without texts/ })
  using wider = new PPPM({ ...tiny, textChannels: 768 })
  t.throws(() => tellText(wider, encoder, 'walking'), { message: /expected tokens of 768 numbers; got 64/ })
})

await t.test('a configuration without an encoder says nothing of one', t => {
  const { textEncoder, ...rest } = parsePPPMTrainConfig('pppm.json', '{}')
  t.equal(textEncoder, undefined)
  t.same(Object.keys(JSON.parse(JSON.stringify({ textEncoder, ...rest })) as object).includes('textEncoder'), false)
  t.end()
})
