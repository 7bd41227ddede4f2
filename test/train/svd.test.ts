// The trainer of the video UNet: clips of moving squares, a tiny model, all that training promises.

import { cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { differentiate, openRuntime } from '../../kernels/index.js'
import { parseUNetConfig } from '../../models/svd/config.js'
import { openModelFolder } from '../../models/svd/folder.js'
import { UNetSpatioTemporalConditionModel } from '../../models/svd/unet.js'
import { initializeWeights, saveWeights } from '../../nn/index.js'
import { openSafetensors, writeNpz, type NpzEntry } from '../../tensor/files/index.js'
import { FileError, Generator, joinFloats, UsageError } from '../../tensor/index.js'
import { openBase } from '../../train/svd/base.js'
import { fillCache, readCached } from '../../train/svd/cache.js'
import { readClip } from '../../train/svd/clips.js'
import { parseSVDTrainConfig, type SVDTrainConfig } from '../../train/svd/config.js'
import { noised } from '../../train/svd/edm.js'
import { randomPolygons } from '../../train/svd/polygons.js'
import { drawSample } from '../../train/svd/sampler.js'
import { isTemporal, SVDTask } from '../../train/svd/task.js'
import { trainSVD } from '../../train/svd/train.js'
import { Trainer } from '../../train/trainer.js'
import { close } from '../support/compare.js'
import { movingSquare, writeClips } from '../support/clips.js'
import { makeTinyModel } from '../support/model.js'

const folder = await mkdtemp(join(tmpdir(), 'revision-svd-'))
t.teardown(() => rm(folder, { recursive: true }))
const runtime = await openRuntime({ runtime: 'wasm' })
t.teardown(() => runtime.close())

// The architecture, as small as it goes.
const unetJson = {
  in_channels: 8,
  out_channels: 4,
  block_out_channels: [32, 32],
  down_block_types: ['CrossAttnDownBlockSpatioTemporal', 'DownBlockSpatioTemporal'],
  up_block_types: ['UpBlockSpatioTemporal', 'CrossAttnUpBlockSpatioTemporal'],
  layers_per_block: 1,
  num_attention_heads: 2,
  cross_attention_dim: 32,
  addition_time_embed_dim: 32,
  projection_class_embeddings_input_dim: 96,
  num_frames: 2,
}
const base = join(folder, 'base')
const unetPath = join(folder, 'unet.json')
await writeFile(unetPath, JSON.stringify(unetJson))
await makeTinyModel(base)

// A base of eight channels: fresh weights, in half precision.
await writeFile(join(base, 'unet/config.json'), JSON.stringify(unetJson))
{
  using unet = new UNetSpatioTemporalConditionModel(parseUNetConfig('unet', JSON.stringify(unetJson)))
  initializeWeights(runtime, unet.weights, new Generator(7))
  await saveWeights(join(base, 'unet/diffusion_pytorch_model.safetensors'), unet.weights, { dtype: 'f16' })
}

const data = join(folder, 'clips')
await writeClips(data, 4)

const settingsOf = (changes: object = {}): SVDTrainConfig =>
  parseSVDTrainConfig(
    'svd.json',
    JSON.stringify({
      ...{ base, from: 'scratch', unet_config: unetPath, train: 'all' },
      ...{ frames: 2, stride: 2, width: 64, height: 64, pictures: 2 },
      ...{ batch: 4, accumulate: 1, steps: 400, warmup: 10, rate: 3e-3, weight_decay: 0, seed: 1 },
      ...changes,
    }),
  )

async function drain<T, R>(run: AsyncGenerator<T, R, undefined>): Promise<{ events: T[]; result: R }> {
  const events: T[] = []
  for (let next = await run.next(); ; next = await run.next()) {
    if (next.done) return { events, result: next.value }
    events.push(next.value)
  }
}

const tuning = settingsOf({
  ...{ from: 'base', unet_config: undefined, train: 'temporal' },
  ...{ batch: 1, accumulate: 2, steps: 4, warmup: 0, save_every: 1, weight_decay: 0.01, ema_decay: 0 },
})
const weightsOf = (run: string) => join(folder, run, 'unet/diffusion_pytorch_model.safetensors')

await t.test('a base is tuned: motion is learned, all else stays as it was, bit for bit', async t => {
  const { events } = await drain(trainSVD(runtime, { data, config: tuning, folder: join(folder, 'whole') }))
  t.equal(events.filter(({ type }) => type === 'clip').length, 4)
  t.same(events.at(-1), { type: 'done', path: join(folder, 'whole/unet') })
  const before = await openSafetensors(join(base, 'unet/diffusion_pytorch_model.safetensors'))
  const after = await openSafetensors(weightsOf('whole'))
  t.teardown(() => Promise.all([before.close(), after.close()]))
  let changed = 0
  for (const [name, { dtype }] of before.tensors) {
    const [old, now] = [await before.read(name), await after.read(name)]
    t.equal(now.dtype, dtype)
    const same = Buffer.compare(Buffer.from(old.data.buffer), Buffer.from(now.data.buffer)) === 0
    if (!isTemporal(name)) t.ok(same, name)
    else if (!same) changed++
  }
  t.ok(changed > 50, `${changed} weights learned`)
  const shape = [32, 10, 3, 3]
  t.same(after.tensors.get('conv_in.weight')?.shape, shape)

  const model = join(folder, 'model')
  await cp(base, model, { recursive: true })
  await cp(join(folder, 'whole/unet'), join(model, 'unet'), { recursive: true })
  t.equal((await openModelFolder(model)).unet.config.inChannels, 10, 'it stands beside the other parts of the base')
})

await t.test(
  'a run that was stopped ends with the bits of one that was not, even if its cache was damaged',
  async t => {
    const run = join(folder, 'stopped')
    const stop = new AbortController()
    const first = trainSVD(runtime, { data, config: tuning, folder: run, signal: stop.signal })
    await t.rejects(async () => {
      for await (const event of first) if (event.type === 'step' && event.step === 2) stop.abort(new Error('enough'))
    }, /enough/)
    const state = await openSafetensors(join(run, 'state.safetensors'))
    const whole = await openSafetensors(weightsOf('whole'))
    for (const name of whole.tensors.keys())
      t.equal(state.tensors.has(name), isTemporal(name), `${name}: what is frozen is not written again and again`)
    await whole.close()
    await state.close()
    const [cached] = await readdir(join(run, 'cache'))
    await truncate(join(run, 'cache', cached), 100)
    const { events } = await drain(trainSVD(runtime, { data, config: tuning, folder: run }))
    t.match(
      events.find(({ type }) => type === 'start'),
      { from: 2 },
    )
    t.ok((await readFile(weightsOf('stopped'))).equals(await readFile(weightsOf('whole'))))
    const other = { ...tuning, motionBucket: 3 }
    await t.rejects(drain(trainSVD(runtime, { data, config: other, folder: run })), UsageError, 'other settings')
  },
)

await t.test('checkpointing gives the same gradients in less memory', async t => {
  const parts = await openBase(tuning)
  const { latents, pictures, embedding } = { latents: 2 * 4 * 64, pictures: 4 * 64, embedding: 32 }
  const random = new Generator(3)
  const clip = {
    latents: random.randn(latents),
    pictures: random.randn(pictures),
    strengths: Float32Array.of(0.05),
    embedding: random.randn(embedding),
  }
  const clips = { count: 1, read: () => Promise.resolve(clip) }
  const size = { frames: 2, width: 8, height: 8 }
  using unet = new UNetSpatioTemporalConditionModel(parts.unet.config)
  initializeWeights(runtime, unet.weights, random)
  using task = new SVDTask(runtime, unet, { ...tuning, clips, size })
  await task.prepare(random)
  const leaves = task.parameters.map(({ value }) => value)
  const runs: { peak: number; gradients: (Float32Array | undefined)[] }[] = []
  for (const checkpointing of [false, true]) {
    unet.checkpointing = checkpointing
    await runtime.sync()
    runtime.resetPeak()
    const live = runtime.statistics().live
    const { gradients } = differentiate(leaves, () => task.loss().loss)
    const peak = runtime.statistics().peak - live
    runs.push({ peak, gradients: await Promise.all(gradients.map(gradient => gradient?.floats())) })
    for (const gradient of gradients) gradient?.dispose()
  }
  const [plain, again] = runs
  const given = ({ gradients }: (typeof runs)[0]) => gradients.map(gradient => gradient !== undefined)
  t.same(given(again), given(plain))
  // All together: some are zero but for rounding.
  const all = ({ gradients }: (typeof runs)[0]) => joinFloats(gradients.filter(gradient => gradient !== undefined))
  close(t, all(again), all(plain), 1e-5, 'gradients')
  t.ok(again.peak < 0.75 * plain.peak, `${again.peak} bytes instead of ${plain.peak}`)
})

await t.test('hostile clips are told apart in one line', async t => {
  const bad = join(folder, 'bad')
  await mkdir(bad)
  const { frames, labels } = movingSquare(0)
  const u8 = (data: Uint8Array, shape: number[]): NpzEntry => ({ data, shape, dtype: 'u8' })
  const flat = frames.data as Uint8Array
  const files: Record<string, Record<string, NpzEntry>> = {
    grey: { frames: u8(flat, [9, 64, 64, 1]) },
    planes: { frames: u8(flat, [3, 3, 64, 64]) },
    short: { frames: u8(flat.slice(0, 64 * 64 * 3), [1, 64, 64, 3]) },
    empty: { frames: u8(new Uint8Array(0), [3, 0, 64, 3]) },
    wide: { frames: u8(new Uint8Array(3 * 5000 * 3), [3, 1, 5000, 3]) },
    floats: { frames: { data: new Float32Array(36), shape: [3, 2, 2, 3], dtype: 'f32' } },
    nameless: { video: frames },
    parts: { frames, labels: u8(new Uint8Array(3 * 64 * 64).fill(64), [3, 64, 64]) },
    fewer: { frames, labels: u8(new Uint8Array(2 * 64 * 64), [2, 64, 64]) },
    deep: { frames, labels: { ...labels, data: new Int32Array(3 * 64 * 64), dtype: 'i32' } },
  }
  for (const [name, arrays] of Object.entries(files)) {
    const path = join(bad, `${name}.npz`)
    await writeNpz(path, arrays)
    await t.rejects(readClip(path, { frames: 2, stride: 2 }), FileError, name)
  }
  await cp(join(data, '0.npz'), join(bad, 'cut.npz'))
  await truncate(join(bad, 'cut.npz'), 5000)
  const parts = await openBase(tuning)
  const options = { data: bad, cache: join(folder, 'bad-cache'), settings: tuning, seed: 0 }
  const skipped: string[] = []
  const filling = fillCache(runtime, parts, options)
  await t.rejects(async () => {
    for await (const event of filling) if (event.type === 'skipped') skipped.push(event.reason)
  }, /no clip in it that can be read/)
  t.equal(skipped.length, 11)
  t.ok(skipped.every(reason => reason.startsWith(bad) && !reason.includes('\n')))
  await t.rejects(drain(fillCache(runtime, parts, { ...options, data: join(folder, 'none') })), FileError)
})

await t.test('the mixture of what is told, and what a polygon covers', t => {
  const area = 64
  const labels = new Uint8Array(2 * area)
  for (const i of [9, 11, 25, 27]) labels[area + i] = 3
  const random = new Generator(5)
  const clip = {
    latents: random.randn(2 * 4 * area),
    pictures: random.randn(4 * area).fill(1),
    strengths: Float32Array.of(0.05),
    embedding: new Float32Array(32).fill(1),
    labels,
  }
  const counts = { full: 0, pose: 0, none: 0, blank: 0 }
  const samples = 1000
  for (let i = 0; i < samples; i++) {
    const { input, embedding } = drawSample(clip, { frames: 2, width: 8, height: 8 }, random)
    const last = input.subarray(10 * area)
    const [first, middle, corner] = [input[9 * area], last[9 * area + 18], last[9 * area]]
    const kind = first === 1 ? 'full' : middle === 0.5 ? 'pose' : 'none'
    counts[kind]++
    const label = { full: last[8 * area + 9], pose: last[8 * area + 18], none: 3 / 64 }[kind]
    // A pose is told of the last frame, inside its polygon.
    if (label !== 3 / 64 || (kind === 'pose' && first + corner !== 0)) t.fail(`${kind} is told wrongly`)
    if (embedding[0] === 0) counts.blank++
    if (embedding[0] !== input[4 * area]) t.fail('picture and embedding do not go together')
  }
  for (const [kind, share] of Object.entries({ full: 0.4, pose: 0.3, none: 0.3, blank: 0.1 }))
    t.ok(Math.abs(counts[kind as keyof typeof counts] / samples - share) < 0.04, kind)
  const polygon = randomPolygons({ width: 8, height: 8, data: labels.subarray(area) }, random)
  const inside = [...polygon.data.entries()].filter(([, label]) => label === 3).map(([i]) => i)
  t.same(inside, [9, 10, 11, 17, 18, 19, 25, 26, 27])
  t.end()
})

await t.test('the loss is that of the denoiser, weighted as EDM does', t => {
  const [x0, n, f] = [Float32Array.of(0.7), Float32Array.of(-1.3), 0.4]
  for (const s of [0.05, 1, 30]) {
    const { input, target } = noised(x0, n, s)
    const x = x0[0] + s * n[0]
    const denoised = x / (s * s + 1) - (s / Math.sqrt(s * s + 1)) * f
    const weighted = ((s * s + 1) / (s * s)) * (denoised - x0[0]) ** 2
    t.ok(Math.abs(input[0] - x / Math.sqrt(s * s + 1)) < 1e-6)
    t.ok(Math.abs((f - target[0]) ** 2 / weighted - 1) < 1e-4)
  }
  t.end()
})

await t.test('a configuration tells all that is wrong with it at once', async t => {
  const text = JSON.stringify({ width: 1, train: 'most', checkpointing: 1, unet_config: 'unet.json' })
  t.throws(
    () => parseSVDTrainConfig('svd.json', text),
    /^(?=.*base must be)(?=.*width must be an integer in 8)(?=.*train must be)(?=.*checkpointing)(?=.*unet_config)/,
  )
  const crooked = { data, config: { ...tuning, width: 100 }, folder: join(folder, 'crooked') }
  await t.rejects(drain(trainSVD(runtime, crooked)), /width: does not fit the VAE; expected a multiple of 8; got 100/)
})

await t.test('four clips are learned by heart', async t => {
  const config = settingsOf()
  const parts = await openBase(config)
  const cache = join(folder, 'overfit')
  const filling = fillCache(runtime, parts, { data, cache, settings: config, seed: 1 })
  const { result: clips } = await drain(filling)
  const encoded = await Promise.all(clips.map(clip => readCached(clip, parts, config)))
  const unet = new UNetSpatioTemporalConditionModel(parts.unet.config)
  const size = { frames: 2, width: 8, height: 8 }
  using task = new SVDTask(runtime, unet, {
    ...config,
    clips: { count: 4, read: clip => Promise.resolve(encoded[clip]) },
    size,
  })
  using trainer = Trainer.start(runtime, task, config.settings)
  // The measure: always the same noise at the same levels.
  const measure = async () => {
    const random = new Generator(99)
    let sum = 0
    for (let i = 0; i < 8; i++) {
      await task.prepare(random)
      sum += (await task.loss().loss.floats())[0] / 8
    }
    return sum
  }
  const before = await measure()
  while (trainer.steps < config.settings.steps) await trainer.step()
  const after = await measure()
  t.ok(after < before / 10, `from ${before} to ${after}`)
})
