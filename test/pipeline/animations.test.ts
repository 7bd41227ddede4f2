// Animated PNG and GIF, read back by others: pngjs and omggif.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GifReader } from 'omggif'
import { PNG } from 'pngjs'
import t from 'tap'
import { encodeApng, writeApng } from '../../pipeline/media/apng.js'
import { encodeGif, writeGif } from '../../pipeline/media/gif.js'
import type { Picture } from '../../pipeline/media/picture.js'
import { chunksOf, pngOf, type Chunk } from '../../pipeline/media/png-chunks.js'

const [width, height] = [7, 5]
const frames = [0, 1, 2].map((f): Picture => {
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * 37 + f * 91) % 256)
  return { width, height, data }
})

const rgb = (rgba: ArrayLike<number>) => Array.from(rgba).filter((_, i) => i % 4 < 3)

await t.test('an animated PNG holds every frame as it was, and the first for those who see only one', async t => {
  const path = join(t.testdir(), 'video.apng')
  await writeApng(path, frames, 12.5, 'seed 7')
  const file = await readFile(path)
  t.same(rgb(PNG.sync.read(file).data), [...frames[0].data])

  const chunks = [...chunksOf(file)].map(({ name, body }) => ({ name, body: Buffer.from(body) }))
  const [ihdr, software, comment, actl] = chunks
  t.same(
    [software, comment].map(({ body }) => body.toString()),
    ['Software\0revision', 'Comment\0seed 7'],
  )
  t.same([actl.name, actl.body.readUInt32BE(0), actl.body.readUInt32BE(4)], ['acTL', 3, 0], '3 frames, forever')
  const numbered = chunks.filter(({ name }) => name === 'fcTL' || name === 'fdAT')
  t.same(
    numbered.map(({ body }) => body.readUInt32BE(0)),
    [...numbered.keys()],
    'in one sequence',
  )
  const controls = chunks.filter(({ name }) => name === 'fcTL').map(({ body }) => body)
  for (const body of controls) {
    t.same(
      [4, 8, 12, 16].map(at => body.readUInt32BE(at)),
      [width, height, 0, 0],
    )
    t.equal(body.readUInt16BE(20) / body.readUInt16BE(22), 1 / 12.5)
  }
  const stills: Chunk[][] = []
  for (const { name, body } of chunks) {
    if (name === 'fcTL') stills.push([ihdr])
    if (name === 'IDAT') stills.at(-1)!.push({ name, body })
    if (name === 'fdAT') stills.at(-1)!.push({ name: 'IDAT', body: body.subarray(4) })
  }
  for (const [i, still] of stills.entries()) {
    const png = pngOf([...still, { name: 'IEND', body: new Uint8Array() }])
    t.same(rgb(PNG.sync.read(Buffer.from(png)).data), [...frames[i].data], `frame ${i}`)
  }
  t.equal(stills.length, 3)
})

await t.test('a GIF holds every frame, at a pace that adds up', async t => {
  const path = join(t.testdir(), 'video.gif')
  const note = 'n'.repeat(300)
  await writeGif(path, frames, 7, note)
  const file = await readFile(path)
  const gif = new GifReader(file)
  t.same([gif.width, gif.height, gif.numFrames(), gif.loopCount()], [width, height, 3, 0])
  t.same(
    [0, 1, 2].map(i => gif.frameInfo(i).delay),
    [14, 15, 14],
    'hundredths of a second',
  )
  for (const [i, { data }] of frames.entries()) {
    const pixels = new Uint8Array(4 * width * height)
    gif.decodeAndBlitFrameRGBA(i, pixels)
    const worst = rgb(pixels).reduce((most, value, k) => Math.max(most, Math.abs(value - data[k])), 0)
    t.ok(worst <= 8, `frame ${i}: ${worst} of 255 off at most`)
  }
  const comment = file.indexOf(Buffer.from([0x21, 0xfe, 255]))
  t.ok(comment > 0 && file[comment + 3 + 255] === 45 && file.subarray(-2).equals(Buffer.from([0, 0x3b])))
  t.same(await encodeGif(frames, 7), await encodeGif(frames, 7), 'equal frames, equal bytes')
  const fast = new GifReader(Buffer.from(await encodeGif(frames, 120)))
  t.same(fast.frameInfo(0).delay, 2, 'as fast as players go')
})

await t.test('animations that cannot be are refused', async t => {
  for (const encode of [encodeApng, encodeGif]) {
    await t.rejects(encode([], 7), { name: 'ShapeError', message: /no frames/ })
    for (const fps of [0, NaN, -1]) await t.rejects(encode(frames, fps), { name: 'UsageError', message: /frame rate/ })
  }
  const long = { width: 70_000, height: 1, data: new Uint8Array(210_000) }
  await t.rejects(encodeGif([long], 7), { name: 'ShapeError', message: /too large/ })
})
