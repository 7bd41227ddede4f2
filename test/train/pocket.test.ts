// The trainers of a small model of one's own, on a few clips of moving squares: the video autoencoder, the image encoder
// and the part extractor each learn them by heart, and what they write is what the pipeline reads.

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { openRuntime } from '../../kernels/index.js'
import { parseCLIPVisionConfig } from '../../models/clip/config.js'
import { CLIPVisionModelWithProjection } from '../../models/clip/vision.js'
import { openPartExtractor, seeParts } from '../../models/extractor/sight.js'
import { openModelPart, withWeights } from '../../models/svd/folder.js'
import { AutoencoderKLTemporalDecoder } from '../../models/svd/vae.js'
import { parseVaeConfig } from '../../models/svd/vae-config.js'
import { writeNpz } from '../../tensor/files/index.js'
import { FileError, Generator, scope, sizeOf, Tensor, UsageError } from '../../tensor/index.js'
import { parseEncoderTrainConfig } from '../../train/encoder/config.js'
import { trainEncoder } from '../../train/encoder/train.js'
import { parseExtractorTrainConfig } from '../../train/extractor/config.js'
import { targetsOf } from '../../train/extractor/targets.js'
import { trainExtractor } from '../../train/extractor/train.js'
import type { RunEvent } from '../../train/run.js'
import type { CacheEvent } from '../../train/svd/cache.js'
import { readClip } from '../../train/svd/clips.js'
import { beginWithColours } from '../../train/vae/colours.js'
import { parseVaeTrainConfig } from '../../train/vae/config.js'
import { trainVae } from '../../train/vae/train.js'
import { movingSquare, writeClips } from '../support/clips.js'

const folder = await mkdtemp(join(tmpdir(), 'revision-pocket-'))
t.teardown(() => rm(folder, { recursive: true }))
const runtime = await openRuntime({ runtime: 'wasm', threads: 0 })
t.teardown(() => runtime.close())
const data = join(folder, 'clips')
await writeClips(data, 3)

/** A network's config.json. */
async function config(name: string, json: object): Promise<string> {
  const path = join(folder, `${name}.json`)
  await writeFile(path, JSON.stringify(json))
  return path
}

/** What the first and the last steps of a run lost on the mean, and its result. */
async function losses(run: AsyncGenerator<RunEvent | CacheEvent, void, undefined>) {
  const all: number[] = []
  let path = ''
  for await (const event of run) {
    if (event.type === 'step') all.push(event.loss)
    if (event.type === 'done') path = event.path
  }
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  return { first: mean(all.slice(0, 5)), last: mean(all.slice(-5)), path }
}

const common = { warmup: 2, weight_decay: 0, ema_decay: 0, save_every: 100 }

const vaeConfig = await config('vae', {
  block_out_channels: [8, 16],
  down_block_types: ['DownEncoderBlock2D', 'DownEncoderBlock2D'],
  norm_num_groups: 1,
})
const vaeSettings = { vae_config: vaeConfig, ...common, frames: 2, batch: 1, width: 16, height: 16 }

await t.test('a video autoencoder begins with colours', async t => {
  const text = await readFile(vaeConfig, 'utf8')
  using vae = new AutoencoderKLTemporalDecoder(parseVaeConfig('vae.json', text))
  await beginWithColours(runtime, vae, new Generator(0))
  for (const colour of [
    [0.8, -0.6, 0.1],
    [-0.5, 0.4, -0.9],
  ]) {
    const pixels = Float32Array.from({ length: 3 * 256 }, (_, i) => colour[Math.floor(i / 256)])
    using seen = scope(() => vae.decode(vae.encode(Tensor.from(runtime, pixels, [1, 3, 16, 16])).mean, 1))
    const found = await seen.floats()
    colour.forEach((value, c) => {
      const middle = found[c * 256 + 8 * 16 + 8]
      t.ok(Math.sign(middle) === Math.sign(value) && Math.abs(middle - value) < 0.5, `${middle} for ${value}`)
    })
  }
  const narrow = new AutoencoderKLTemporalDecoder(parseVaeConfig('vae.json', text.replace('[8,', '[4,')))
  await t.rejects(beginWithColours(runtime, narrow, new Generator(0)), UsageError)
})

await t.test('a video autoencoder learns, and its latents are scaled to vary by one', async t => {
  const config = parseVaeTrainConfig('vae.json', JSON.stringify({ ...vaeSettings, steps: 60, rate: 1e-3 }))
  const { first, last, path } = await losses(trainVae(runtime, { data, config, folder: join(folder, 'vae') }))
  t.ok(last < 0.7 * first, `from ${first} to ${last}`)
  const part = await openModelPart(path, 'diffusion_pytorch_model', parseVaeConfig)
  using vae = await withWeights(part, file => AutoencoderKLTemporalDecoder.load(runtime, file, part.config))
  t.equal(vae.scale, 2)
  using latents = scope(() => vae.encode(Tensor.zeros(runtime, [1, 3, 16, 16])).mean)
  t.same(latents.shape, [1, 4, 8, 8])
  t.not(part.config.scalingFactor, 0.18215)

  const again = { ...vaeSettings, base: path, train: 'decoder', steps: 3, rate: 0.01 }
  const tuned = await losses(
    trainVae(runtime, {
      data,
      config: parseVaeTrainConfig('vae.json', JSON.stringify(again)),
      folder: join(folder, 'decoder'),
    }),
  )
  const after = await openModelPart(tuned.path, 'diffusion_pytorch_model', parseVaeConfig)
  t.equal(after.config.scalingFactor, part.config.scalingFactor)
  const weightOf = (name: string) => (of: typeof part) => withWeights(of, async file => (await file.read(name)).data)
  const encoder = weightOf('encoder.conv_in.weight')
  t.same(await encoder(after), await encoder(part), 'the encoder is frozen')
  const decoder = weightOf('decoder.conv_in.weight')
  t.notSame(await decoder(after), await decoder(part))

  const crooked = parseVaeTrainConfig('vae.json', JSON.stringify({ ...vaeSettings, width: 17 }))
  await t.rejects(losses(trainVae(runtime, { data, config: crooked, folder: join(folder, 'x') })), UsageError)
})

await t.test('an image encoder tells clips apart', async t => {
  const tower = { hidden_size: 16, intermediate_size: 32, num_hidden_layers: 1, num_attention_heads: 2 }
  const path = await config('encoder', {
    model_type: 'clip_vision_model',
    ...tower,
    image_size: 16,
    patch_size: 8,
    projection_dim: 8,
  })
  const settings = { encoder_config: path, ...common, batch: 3, steps: 60, rate: 0.01 }
  const config_ = parseEncoderTrainConfig('encoder.json', JSON.stringify(settings))
  const run = await losses(trainEncoder(runtime, { data, config: config_, folder: join(folder, 'encoder') }))
  t.ok(run.first > 0.5 && run.last < 0.1, `from ${run.first} to ${run.last}`)
  const part = await openModelPart(run.path, 'model', parseCLIPVisionConfig)
  using encoder = await withWeights(part, file => CLIPVisionModelWithProjection.load(runtime, file, part.config))
  t.equal(encoder.config.projectionDim, 8)
  const options = { data, config: config_, end: true }
  await rm(run.path, { recursive: true })
  const { path: again } = await losses(trainEncoder(runtime, { ...options, folder: join(folder, 'encoder') }))
  t.same((await openModelPart(again, 'model', parseCLIPVisionConfig)).config, part.config, 'ended where it is')
  await t.rejects(losses(trainEncoder(runtime, { ...options, folder: join(folder, 'nothing') })), UsageError)
})

/** A square with two joints: one in its middle, one beside it and further away. */
async function writePeople(path: string): Promise<string> {
  const { frames, labels } = movingSquare(0)
  const joints = [0, 1, 2].flatMap(frame => [
    [16 + 8 * frame, 16, 5],
    [22 + 8 * frame, 16, 6],
  ]) // [F P J,3]
  const places = Float32Array.from(joints.flat())
  await writeNpz(path, {
    frames,
    labels,
    joints: { data: places, shape: [3, 1, 2, 3], dtype: 'f32' },
    visible: { data: new Uint8Array(6).fill(1), shape: [3, 1, 2], dtype: 'u8' },
  })
  return path
}

await t.test('a part extractor sees parts and joints', async t => {
  const people = join(folder, 'people')
  await mkdir(people)
  const clip = await readClip(await writePeople(join(people, '0.npz')), { frames: 1, stride: 1 })
  const targets = targetsOf(clip, { imageSize: 32, joints: 3 }, 0.5)
  t.same([...targets.known], [1, 1, 0])
  t.same([...targets.depths], [0, 1, 0])
  const best = targets.places.subarray(0, 256).indexOf(Math.max(...targets.places.subarray(0, 256)))
  t.same([best % 16, Math.floor(best / 16)], [4, 4], 'at the middle of the map that stands for the place')
  t.equal(targets.counts[0], 0.5)

  const path = await config('extractor', {
    model_type: 'part_extractor',
    image_size: 32,
    channels: [8, 8, 16, 16],
    joints: 2,
  })
  const settings = { extractor_config: path, ...common, places_weight: 1, batch: 3, steps: 120, rate: 0.01 }
  const config_ = parseExtractorTrainConfig('extractor.json', JSON.stringify(settings))
  const run = await losses(
    trainExtractor(runtime, { data: people, config: config_, folder: join(folder, 'extractor') }),
  )
  t.ok(run.last < run.first / 2, `from ${run.first} to ${run.last}`)
  using extractor = await openPartExtractor(runtime, run.path)
  const seen = await seeParts(runtime, extractor, clip.frames[0])
  const right = clip.labels![0].data.filter((label, i) => seen.labels.data[i] === label).length
  t.ok(right > 0.9 * 64 * 64, `${right} pixels are right`)
  const [pelvis, other] = seen.joints
  t.ok(Math.hypot(pelvis.x - 16, pelvis.y - 16) < 4 && Math.hypot(other.x - 22, other.y - 16) < 4)
  t.ok(Math.abs(other.depth - 1) < 0.3 && pelvis.score > 0.3)
})

await t.test('people that are not what a clip should hold are told', async t => {
  const { frames } = movingSquare(0)
  const path = join(folder, 'bad.npz')
  const visible = { data: new Uint8Array(3), shape: [3, 1, 1], dtype: 'u8' } as const
  for (const [shape, value] of [
    [[3, 1, 1, 2], 1],
    [[2, 1, 1, 3], 1],
    [[3, 1, 1, 3], NaN],
    [[3, 1, 2, 3], 1],
  ] as const) {
    const size = sizeOf(shape)
    await writeNpz(path, { frames, visible, joints: { data: new Float32Array(size).fill(value), shape, dtype: 'f32' } })
    await t.rejects(readClip(path, { frames: 1, stride: 1 }), FileError)
  }
})
