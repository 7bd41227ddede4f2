// From pictures to what the networks see, and back, against diffusers (test/golden/README.md: svd-pipeline-tiny, commit
// 58eb52c, torch 2.6 on the CPU in f32).

import t from 'tap'
import { resizeAntialiased } from '../../models/svd/antialias.js'
import { readPicture } from '../../pipeline/media/decode.js'
import { motionCondition } from '../../models/svd/motion-condition.js'
import { clipPixels, toPicture, videoPixels } from '../../models/svd/preprocess.js'
import { openSafetensors } from '../../tensor/files/index.js'
import { UsageError } from '../../tensor/index.js'
import { close } from '../support/compare.js'
import { golden } from '../support/paths.js'

const file = (name: string) => golden('svd-pipeline-tiny', name)

/** [C,H,W] to [H,W,C]. */
function interleave(data: ArrayLike<number>, channels: number): Float32Array {
  const area = data.length / channels
  return Float32Array.from({ length: data.length }, (_, i) => data[(i % channels) * area + Math.floor(i / channels)])
}

void t.test('shrinking and growing as _resize_with_antialiasing', async t => {
  const cases = await openSafetensors(file('resize.safetensors'))
  for (let i = 0; i < 6; i++) {
    const { data, shape } = await cases.read(`${i}/x`)
    const out = await cases.read(`${i}/out`)
    const [, channels, height, width] = shape
    const pixels = { data: interleave(data, channels), width, height, channels }
    const resized = resizeAntialiased(pixels, out.shape[3], out.shape[2])
    close(t, resized, interleave(out.data, channels), 1e-5, `${width}x${height} to ${out.shape[3]}x${out.shape[2]}`)
  }
  await cases.close()
  const dot = { data: [7, 8, 9], width: 1, height: 1, channels: 3 }
  close(t, resizeAntialiased(dot, 2, 2), [7, 8, 9, 7, 8, 9, 7, 8, 9, 7, 8, 9], 1e-6, 'one pixel fills a picture')
  const long = { data: new Uint8Array(65535).fill(9), width: 65535, height: 1, channels: 1 }
  close(t, resizeAntialiased(long, 1, 1), [9], 1e-6, 'the longest picture becomes one pixel')
})

for (const name of ['wide', 'square', 'nocfg_resized'])
  await t.test(`${name}: what the image encoder sees`, async t => {
    const stages = await openSafetensors(file(`${name}.safetensors`))
    const pixels = clipPixels(await readPicture(file(`${name}.png`)), 224) // [3,224,224]
    const patch = Float32Array.from({ length: 3 * 32 * 32 }, (_, i) => {
      const [c, y, x] = [Math.floor(i / 1024), 96 + (Math.floor(i / 32) % 32), 64 + (i % 32)]
      return pixels[(c * 224 + y) * 224 + x]
    })
    close(t, patch, (await stages.read('pixel_values_patch')).data, 1e-5, 'a patch')
    const { data } = await stages.read('pixel_values_mean_std')
    const area = 224 * 224
    for (let c = 0; c < 3; c++) {
      const plane = pixels.subarray(c * area, (c + 1) * area)
      const mean = plane.reduce((sum, value) => sum + value, 0) / area
      const std = Math.sqrt(plane.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (area - 1))
      const given = [data[c], data[3 + c]]
      close(t, Float32Array.of(mean, std), given, 1e-5, `mean and deviation of channel ${c}`)
    }
    await stages.close()
  })

void t.test('what the autoencoder sees', async t => {
  const stages = await openSafetensors(file('nocfg_resized.safetensors'))
  const pixels = videoPixels(await readPicture(file('nocfg_resized.png')), 128, 128)
  close(t, pixels, (await stages.read('image_preprocessed')).data, 1e-6, 'resized to the video')
  await stages.close()
})

void t.test('frames are clamped and rounded as numpy does', async t => {
  // (x / 2 + 0.5) 255: below 0, 0, 0.5 and 1.5 and 2.5 to even, 254.6, 255, above.
  const levels = [-0.1, 0, 0.5, 1.5, 2.5, 254.6, 255, 300]
  const row = Float32Array.from(levels, level => (level / 255) * 2 - 1)
  const { data } = toPicture(Float32Array.of(...row, ...row, ...row), levels.length, 1)
  for (const [pixel, level] of [0, 0, 0, 2, 2, 255, 255, 255].entries())
    // Halves that f32 cannot hold may fall to either side.
    t.ok(Math.abs(data[3 * pixel] - level) <= (levels[pixel] % 1 === 0.5 ? 1 : 0), `level ${levels[pixel]}`)
  t.same([...data.subarray(21)], [255, 255, 255])
})

void t.test('masks become two channels', async t => {
  const labels = { width: 4, height: 2, data: Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 63) }
  const region = { width: 4, height: 2, data: Uint8Array.of(1, 1, 1, 0, 1, 1, 1, 0) }
  const masks = [{ labels, confidence: 1 }, undefined, { labels, region, confidence: 0.5 }]
  const condition = motionCondition(masks, 3, 2, 1) // [3,2,1,2]
  // The centres of two pixels over four are the second and the fourth.
  t.same(
    [...condition],
    [
      [5, 63],
      [64, 64],
      [0, 0],
      [0, 0],
      [5, 0],
      [32, 0],
    ]
      .flat()
      .map(n => n / 64),
  )
  t.throws(() => motionCondition(masks, 4, 2, 1), UsageError)
  t.throws(() => motionCondition([{ labels, confidence: NaN }], 1, 2, 1), UsageError)
  const [short, strange] = [Uint8Array.of(1), Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 64)]
  for (const data of [short, strange]) {
    const map = { ...labels, data }
    t.throws(() => motionCondition([{ labels: map, confidence: 1 }], 1, 2, 1), UsageError)
    t.throws(() => motionCondition([{ labels, region: map, confidence: 1 }], 1, 2, 1), UsageError)
  }
})
