// The trainer of the video UNet: clips of moving squares, a tiny model, all that training promises.

import { cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { openRuntime } from '../../kernels/index.js'
import { openModelFolder } from '../../models/svd/folder.js'
import { UNetSpatioTemporalConditionModel } from '../../models/svd/unet.js'
import { initializeWeights, loadWeights, saveWeights } from '../../nn/index.js'
import { openSafetensors, writeNpz, type NpzEntry } from '../../tensor/files/index.js'
import { FileError, Generator, UsageError } from '../../tensor/index.js'
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

/** A square of one part that moves over a ground of its own colour, 64 x 64. */
function movingSquare(clip: number, frames = 3): { frames: NpzEntry; labels: NpzEntry } {
  const side = 64
  const data = new Uint8Array(frames * side * side * 3)
  const labels = new Uint8Array(frames * side * side)
  for (let f = 0; f < frames; f++)
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++) {
        const i = (f * side + y) * side + x
        const inside = Math.abs(x - 16 - 8 * f) < 12 && Math.abs(y - 16 - 8 * clip) < 12
        labels[i] = inside ? 1 + clip : 0
        data.set(inside ? [250, 60 * clip, 20] : [20 + 50 * clip, 128, 255 - 60 * clip], 3 * i)
      }
  return {
    frames: { data, shape: [frames, side, side, 3], dtype: 'u8' },
    labels: { data: labels, shape: [frames, side, side], dtype: 'u8' },
  }
}

const data = join(folder, 'clips')
await mkdir(data)
for (let clip = 0; clip < 4; clip++) {
  const { frames, labels } = movingSquare(clip)
  await writeNpz(join(data, `${clip}.npz`), clip === 3 ? { frames } : { frames, labels })
}

const settingsOf = (changes: object = {}): SVDTrainConfig =>
  parseSVDTrainConfig(
    'svd.json',
    JSON.stringify({
      ...{ base, from: 'scratch', unet_config: unetPath, train: 'all' },
      ...{ frames: 2, stride: 2, width: 64, height: 64, pictures: 2 },
      ...{ batch: 4, accumulate: 1, steps: 1000, warmup: 10, rate: 3e-3, weight_decay: 0, seed: 1 },
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
  const t0 = performance.now()
  for (let step = 1; step <= 600; step++) {
    const s = await trainer.step()
    if (step % 100 === 0) console.error(step, s.loss, await measure(), performance.now() - t0)
  }
  const after = await measure()
  t.ok(after < before / 10, `from ${before} to ${after}`)
})
