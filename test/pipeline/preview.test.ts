// Previews: what the steps so far promise, in the colours of the published map.

import t from 'tap'
import { generate } from '../../pipeline/generate.js'
import { readPicture } from '../../pipeline/media/decode.js'
import { previewSheet } from '../../pipeline/preview.js'
import { golden } from '../support/paths.js'
import { model, pipelineRuntime } from '../support/pipeline.js'

await t.test('shows the clean latents that a step of Euler aims at', t => {
  const [width, height, frames] = [4, 2, 2]
  const size = 4 * width * height
  // Each frame is clean in one colour of latents: channel 0 in the first, channel 3 in the second.
  const clean = Float32Array.from({ length: frames * size }, (_, i) =>
    Math.floor((i % size) / (width * height)) === 3 * Math.floor(i / size) ? 1 : 0,
  )
  const noise = clean.map((_, i) => Math.sin(i))
  const at = (sigma: number) => clean.map((value, i) => value + sigma * noise[i])
  const sheet = previewSheet({ before: at(30), after: at(11), sigma: 30, next: 11 }, width, height)
  t.same([sheet.width, sheet.height], [4 + 2 * 2, 2 * 2 + 3 * 2], 'one frame above the other, with gaps')
  const pixel = (x: number, y: number) => [
    ...sheet.data.subarray(3 * (y * sheet.width + x), 3 * (y * sheet.width + x) + 3),
  ]
  const expected = (rgb: number[]) => rgb.map(value => Math.round((value / 2 + 0.5) * 255))
  t.same(pixel(3, 3), expected([0.3512, 0.2297, 0.3227]))
  t.same(pixel(3, 7), expected([-0.212, -0.2616, -0.7177]))
  const last = previewSheet({ before: at(1), after: clean, sigma: 1, next: 0 }, width, height)
  t.same(last.data, sheet.data, 'and after the last step those that are there')
  t.end()
})

await t.test('comes every so many steps, not after the last, and a steady pace tells the time left', async t => {
  const runtime = await pipelineRuntime('wasm')
  const image = await readPicture(golden('svd-pipeline-tiny/nocfg_resized.png'))
  const shown: number[] = []
  const left: number[] = []
  const options = { model, image, runtime, width: 72, height: 64, frames: 3, steps: 4, preview: 2 }
  for await (const event of generate(options)) {
    if (event.type === 'preview') {
      shown.push(event.step)
      t.match(event.picture, { width: 2 * 9 + 3 * 2, height: 2 * 8 + 3 * 2 })
    }
    if (event.type === 'step') left.push(event.secondsLeft)
    if (event.type === 'stage-end' && event.stage === 'unet') break
  }
  t.same(shown, [2])
  t.ok(left.slice(0, 3).every(seconds => seconds > 0) && left[3] === 0, String(left))
  await t.rejects(generate({ ...options, preview: 0.5 }).next(), /^preview: not a number of steps/)
})
