// Resizing, contact sheets and videos.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PNG } from 'pngjs'
import t from 'tap'
import { encodePng, writePng } from '../../pipeline/media/encode.js'
import { encodeMp4, toYuv420, writeMp4 } from '../../pipeline/media/mp4.js'
import type { Picture } from '../../pipeline/media/picture.js'
import { decodePng, pngToPicture } from '../../pipeline/media/png.js'
import { chunksOf } from '../../pipeline/media/png-chunks.js'
import { resizeLanczos, resizeNearest } from '../../models/svd/resize.js'
import { contactSheet } from '../../pipeline/media/sheet.js'
import { openSafetensors } from '../../tensor/files/index.js'
import { golden } from '../support/paths.js'

function filled(width: number, height: number, colour: number[]): Picture {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => colour[i % 3])
  return { width, height, data }
}

const pixel = ({ width, data }: Picture, x: number, y: number) => [
  ...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
]

// nocfg_resized was made by diffusers' StableVideoDiffusionPipeline, whose image processor resizes with Pillow.
await t.test('Lanczos gives the levels that Pillow gives', async t => {
  const file = await openSafetensors(golden('svd-pipeline-tiny/nocfg_resized.safetensors'))
  const { data } = await file.read('image_u8') // [75, 100, 3]
  const expected = await file.read('image_preprocessed') // [1, 3, 128, 128] in [-1, 1]
  await file.close()
  const resized = resizeLanczos({ width: 100, height: 75, data: Uint8Array.from(data) }, 128, 128)
  const levels = Array.from(expected.data, value => Math.round((value + 1) * 127.5))
  const plane = 128 * 128
  const wrong = levels.findIndex((level, i) => resized.data[(i % plane) * 3 + Math.floor(i / plane)] !== level)
  t.equal(wrong, -1, 'index of the first level that differs')
})

await t.test('Lanczos keeps a flat picture flat, and a picture of the same size as it is', t => {
  const flat = filled(31, 7, [200, 3, 255])
  for (const [width, height] of [
    [1, 1],
    [5, 90],
    [31, 3],
    [400, 7],
  ]) {
    t.same(resizeLanczos(flat, width, height), filled(width, height, [200, 3, 255]), `${width} x ${height}`)
  }
  t.equal(resizeLanczos(flat, 31, 7), flat)
  for (const [width, height] of [
    [0, 5],
    [5, -1],
    [1.5, 2],
    [NaN, 2],
    [1e5, 1e5],
  ]) {
    t.throws(() => resizeLanczos(flat, width, height), { name: 'ShapeError' })
    t.throws(() => resizeNearest(flat, width, height), { name: 'ShapeError' })
  }
  const tall = filled(1, 65535, [200, 3, 255])
  t.throws(() => resizeLanczos(tall, 4097, 8), { name: 'ShapeError', message: /too high to become so wide/ })
  t.end()
})

await t.test('nearest takes the label under the centre of the new pixel', t => {
  const row = { width: 6, height: 1, data: Uint8Array.from([0, 1, 2, 3, 4, 5]) }
  t.same([...resizeNearest(row, 2, 1).data], [1, 4])
  t.same([...resizeNearest(row, 4, 1).data], [0, 2, 3, 5])
  t.same([...resizeNearest(row, 9, 2).data].slice(9), [0, 1, 1, 2, 3, 3, 4, 5, 5])
  t.end()
})

await t.test('a PNG that we write reads as what it was made of', async t => {
  const picture = { width: 5, height: 3, data: Uint8Array.from({ length: 45 }, (_, i) => i * 5) }
  const path = join(t.testdir(), 'a.png')
  await writePng(path, picture)
  const read = PNG.sync.read(await readFile(path))
  t.same([read.width, read.height], [5, 3])
  t.same(
    [...read.data].filter((_, i) => i % 4 < 3),
    [...picture.data],
  )
  await t.rejects(writePng(join(t.testdir(), 'no/such/folder.png'), picture), { name: 'FileError', message: /ENOENT/ })
})

await t.test('a note stands in a PNG as its comment', t => {
  const picture = filled(2, 2, [1, 2, 3])
  const noted = encodePng(picture, '{"seed": 7}')
  const texts = [...chunksOf(noted)]
    .filter(({ name }) => name === 'tEXt')
    .map(({ body }) => String.fromCharCode(...body))
  t.same(texts, ['Software\0revision', 'Comment\0{"seed": 7}'])
  t.same(pixel(pngToPicture(decodePng(noted, ''), ''), 1, 1), [1, 2, 3], 'and the picture is as it was')
  for (const note of ['caf\u00e9', 'two\nlines', 'x'.repeat(2 ** 16 + 1)])
    t.throws(() => encodePng(picture, note), { name: 'UsageError', message: /printable ASCII/ })
  t.end()
})

await t.test('a contact sheet shows the frames in order, with gaps, and shrinks them to fit', t => {
  const frames = [
    [255, 0, 0],
    [0, 255, 0],
    [0, 0, 255],
  ].map(colour => filled(20, 10, colour))
  const sheet = contactSheet(frames, { columns: 2, gap: 4 })
  t.same([sheet.width, sheet.height], [52, 32])
  t.same(pixel(sheet, 4, 4), [255, 0, 0])
  t.same(pixel(sheet, 28, 4), [0, 255, 0])
  t.same(pixel(sheet, 4, 18), [0, 0, 255])
  const ground = pixel(sheet, 0, 0)
  for (const [x, y] of [
    [3, 4],
    [24, 4],
    [27, 13],
    [30, 20],
    [51, 31],
  ])
    t.same(pixel(sheet, x, y), ground)

  const small = contactSheet(frames, { columns: 3, gap: 1, maxWidth: 34 })
  t.same([small.width, small.height], [34, 7])
  t.same(pixel(small, 12, 1), [0, 255, 0])

  const wide = contactSheet(
    Array.from({ length: 14 }, () => filled(16, 9, [9, 9, 9])),
    { gap: 0 },
  )
  t.same([wide.width, wide.height], [64, 36], '14 wide frames: 4 columns')
  const tall = contactSheet(
    Array.from({ length: 14 }, () => filled(9, 16, [9, 9, 9])),
    { gap: 0 },
  )
  t.same([tall.width, tall.height], [63, 32], '14 tall frames: 7 columns')

  t.throws(() => contactSheet([]), { name: 'ShapeError', message: /no frames/ })
  t.throws(() => contactSheet([frames[0], filled(9, 9, [0, 0, 0])]), { message: /got 9 x 9 in frame 1/ })
  for (const options of [{ columns: 0 }, { columns: 1.5 }, { gap: -1 }, { gap: NaN }, { maxWidth: 8 }, { gap: 1e6 }]) {
    t.throws(() => contactSheet(frames, options), { message: /no such layout/ })
  }
  t.end()
})

await t.test('colours become BT.601 in video range, averaged over the pixels that share them', t => {
  const yuv = (...pixels: number[][]) => [...toYuv420({ width: 2, height: 2, data: Uint8Array.from(pixels.flat()) })]
  const [black, white, red, blue] = [
    [0, 0, 0],
    [255, 255, 255],
    [255, 0, 0],
    [0, 0, 255],
  ]
  t.same(yuv(black, white, white, black), [16, 235, 235, 16, 128, 128])
  t.same(yuv(red, red, red, red), [81, 81, 81, 81, 90, 240])
  t.same(yuv(red, blue, blue, blue), [81, 41, 41, 41, 203, 142])
  const odd = toYuv420({ width: 1, height: 1, data: Uint8Array.from(red) })
  t.same([...odd], [81, 81, 81, 81, 90, 240], 'edges are repeated')
  t.end()
})

// All boxes of an MP4 file (ISO/IEC 14496-12) by name, those inside others too.
function boxes(file: Buffer, start = 0, end = file.length, found = new Map<string, Buffer>()): Map<string, Buffer> {
  for (let offset = start; offset + 8 <= end;) {
    const length = file.readUInt32BE(offset)
    const name = file.toString('latin1', offset + 4, offset + 8)
    found.set(name, file.subarray(offset + 8, offset + length))
    if (['moov', 'trak', 'mdia', 'minf', 'stbl'].includes(name)) boxes(file, offset + 8, offset + length, found)
    offset += Math.max(8, length)
  }
  return found
}

const listeners = process.listenerCount('unhandledRejection')

await t.test('a video holds every frame, at the rate asked for, in H.264', async t => {
  const frames = Array.from({ length: 5 }, (_, i) => filled(37, 21, [i * 50, 100, 200 - i * 40]))
  for (const fps of [7, 29.97, 0.5]) {
    const path = join(t.testdir(), 'v.mp4')
    await writeMp4(path, frames, fps)
    const file = await readFile(path)
    const found = boxes(file)
    t.equal(file.toString('latin1', 4, 8), 'ftyp')
    const stsd = found.get('stsd')!
    t.equal(stsd.toString('latin1', 12, 16), 'avc1')
    t.same([stsd.readUInt16BE(40), stsd.readUInt16BE(42)], [38, 22], 'odd sides are made even')
    t.equal(found.get('stsz')!.readUInt32BE(8), 5, 'frames')
    const [timescale, duration] = [12, 16].map(offset => found.get('mdhd')!.readUInt32BE(offset))
    const stts = found.get('stts')!
    t.same([stts.readUInt32BE(4), stts.readUInt32BE(8)], [1, 5], 'one duration for all frames')
    t.equal(timescale / stts.readUInt32BE(12), fps)
    t.equal(duration, 5 * stts.readUInt32BE(12))
    t.equal(found.get('tkhd')!.readUInt32BE(20), found.get('mvhd')!.readUInt32BE(16))
    t.equal(found.get('mvhd')!.readUInt32BE(12), timescale, 'film and track agree')
    t.ok(found.get('mdat')!.length > 5 * 8, 'there are frames inside')
  }
  t.same(await encodeMp4(frames, 7), await encodeMp4(frames, 7), 'equal frames, equal bytes')
  t.equal(process.listenerCount('unhandledRejection'), listeners, 'no handlers are left on the process')
})

await t.test('a note in a video is its comment, and moves no frame', async t => {
  const frames = [filled(16, 16, [9, 9, 9])]
  const [plain, noted] = [Buffer.from(await encodeMp4(frames, 7)), Buffer.from(await encodeMp4(frames, 7, 'seed 7'))]
  const moov = plain.indexOf('moov') - 4
  t.same(noted.subarray(0, moov), plain.subarray(0, moov), 'what comes before the film header is the same')
  const end = moov + plain.readUInt32BE(moov)
  const added = noted.length - plain.length
  t.equal(noted.readUInt32BE(moov), end - moov + added)
  t.same(noted.subarray(end + added), plain.subarray(end))
  const data = boxes(noted).get('udta')!
  t.equal(data.readUInt32BE(0), data.length, 'udta holds meta')
  t.match(data.toString('latin1'), /meta.{4}.{4}hdlr.{8}mdirappl.*ilst.{4}\xa9cmt.{4}data.{8}seed 7$/s)
})

await t.test('a video that cannot be is refused', async t => {
  const frame = filled(4, 4, [0, 0, 0])
  for (const fps of [0, -1, NaN, Infinity, 1e6]) {
    await t.rejects(encodeMp4([frame], fps), { name: 'UsageError', message: /not a frame rate/ })
  }
  await t.rejects(encodeMp4([], 7), { name: 'ShapeError' })
  await t.rejects(encodeMp4([frame, filled(6, 4, [0, 0, 0])], 7), { name: 'ShapeError' })
  await t.rejects(encodeMp4([filled(5000, 1, [0, 0, 0])], 7), { name: 'ShapeError', message: /too large/ })
})
