// Reading pictures and label maps: every kind of PNG, JPEGs from cameras, and files that mean harm.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32, deflateSync } from 'node:zlib'
import jpeg from 'jpeg-js'
import { PNG } from 'pngjs'
import t, { type Test } from 'tap'
import { readLabels, readPicture } from '../../pipeline/media/decode.js'
import type { Picture } from '../../pipeline/media/picture.js'
import { FileError } from '../../tensor/errors.js'

async function fixture(t: Test, bytes: Uint8Array, name = 'file'): Promise<string> {
  const path = join(t.testdir(), name)
  await writeFile(path, bytes)
  return path
}

async function refused(t: Test, bytes: Uint8Array, message: RegExp, read: typeof readLabels = readPicture) {
  const error: unknown = await read(await fixture(t, bytes)).catch((error: unknown) => error)
  t.type(error, FileError)
  t.match(String(error), message)
  t.notMatch(String(error), /\n/)
}

// A repeatable stream of bytes without pattern.
function noise(length: number): Uint8Array {
  let state = 1
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return state >>> 24
  })
}

function chunk(name: string, body: Uint8Array): Buffer {
  const out = Buffer.alloc(12 + body.length)
  out.writeUInt32BE(body.length, 0)
  out.write(name, 4, 'latin1')
  out.set(body, 8)
  out.writeUInt32BE(crc32(out.subarray(4, 8 + body.length)), 8 + body.length)
  return out
}

interface Layout {
  width: number
  height: number
  depth: number
  colour: number
  interlace?: number
}

const signature = Buffer.from('89504e470d0a1a0a', 'hex')

function header({ width, height, depth, colour, interlace = 0 }: Layout): Buffer {
  const body = Buffer.alloc(13)
  body.writeUInt32BE(width, 0)
  body.writeUInt32BE(height, 4)
  body.set([depth, colour, 0, 0, interlace], 8)
  return chunk('IHDR', body)
}

function png(layout: Layout, filtered: Uint8Array, ...extra: Buffer[]): Buffer {
  const end = chunk('IEND', Buffer.alloc(0))
  return Buffer.concat([signature, header(layout), ...extra, chunk('IDAT', deflateSync(filtered)), end])
}

const channelsOf: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }

// The unfiltered scanlines of samples, in one pass or in Adam7's seven.
function scanlines({ width, height, depth, colour, interlace }: Layout, samples: ArrayLike<number>): Uint8Array {
  const channels = channelsOf[colour]
  const passes = interlace ? ['0088', '4088', '0448', '2044', '0224', '1022', '0112'] : ['0011']
  const bytes: number[] = []
  for (const [left, top, stepX, stepY] of passes.map(pass => [...pass].map(Number))) {
    if (left >= width) continue
    for (let y = top; y < height; y += stepY) {
      let bits = ''
      for (let x = left; x < width; x += stepX) {
        for (let c = 0; c < channels; c++) {
          bits += samples[(y * width + x) * channels + c].toString(2).padStart(depth, '0')
        }
      }
      bytes.push(0)
      for (let i = 0; i < bits.length; i += 8) bytes.push(parseInt(bits.slice(i, i + 8).padEnd(8, '0'), 2))
    }
  }
  return Uint8Array.from(bytes)
}

function samplesOf({ width, height, depth, colour }: Layout): number[] {
  const count = width * height * channelsOf[colour]
  const bytes = noise(count * 2)
  return Array.from({ length: count }, (_, i) => (bytes[i] * 256 + bytes[count + i]) >> (16 - depth))
}

const kinds = [1, 2, 4, 8, 16]
  .map(depth => ({ depth, colour: 0 }))
  .concat([2, 4, 6].flatMap(colour => [8, 16].map(depth => ({ depth, colour }))))

await t.test('a PNG of any colour type, depth and interlacing becomes RGB: upper 8 bits, no alpha', async t => {
  for (const kind of kinds) {
    for (const interlace of [0, 1]) {
      for (const [width, height] of [
        [13, 11],
        [1, 1],
        [3, 9],
      ]) {
        const layout = { ...kind, width, height, interlace }
        const samples = samplesOf(layout)
        const channels = channelsOf[kind.colour]
        const level = (i: number) => (kind.depth > 8 ? samples[i] >> 8 : (samples[i] * 255) / (2 ** kind.depth - 1))
        const expected = Array.from({ length: width * height }, (_, pixel) =>
          [0, 1, 2].map(c => level(pixel * channels + (channels > 2 ? c : 0))),
        ).flat()
        const picture = await readPicture(await fixture(t, png(layout, scanlines(layout, samples))))
        t.same({ ...picture, data: [...picture.data] }, { width, height, data: expected }, JSON.stringify(layout))
      }
    }
  }
})

await t.test('agrees with pngjs on what pngjs writes, with each of the row filters', async t => {
  const source = new PNG({ width: 29, height: 17 })
  source.data.set(noise(source.data.length))
  for (const filterType of [0, 1, 2, 3, 4, -1]) {
    const bytes = PNG.sync.write(source, { filterType })
    const rgb = PNG.sync.read(bytes).data.filter((_, i) => i % 4 < 3)
    t.same((await readPicture(await fixture(t, bytes))).data, new Uint8Array(rgb), `filter ${filterType}`)
  }
})

await t.test('palettes, and colours that are marked transparent, keep their colours', async t => {
  const layout = { width: 4, height: 1, depth: 2, colour: 3 }
  const palette = [10, 20, 30, 40, 50, 60, 70, 80, 90]
  const chunks = [chunk('PLTE', Buffer.from(palette)), chunk('tRNS', Buffer.from([0, 0, 255]))]
  const indexed = png(layout, scanlines(layout, [2, 0, 1, 0]), ...chunks)
  t.same([...(await readPicture(await fixture(t, indexed))).data], [70, 80, 90, 10, 20, 30, 40, 50, 60, 10, 20, 30])
  await refused(t, png(layout, scanlines(layout, [3, 0, 1, 0]), ...chunks), /outside the palette/)
  await refused(t, png(layout, scanlines(layout, [2, 0, 1, 0])), /no palette/)

  const rgb = { width: 1, height: 1, depth: 8, colour: 2 }
  const marked = png(rgb, scanlines(rgb, [9, 8, 7]), chunk('tRNS', Buffer.from([0, 9, 0, 8, 0, 7])))
  t.same([...(await readPicture(await fixture(t, marked))).data], [9, 8, 7])
})

await t.test('a PNG that means harm, or came to harm, is refused in one line', async t => {
  const small = { width: 4, height: 4, depth: 8, colour: 2 }
  const good = png(small, scanlines(small, samplesOf(small)))
  await refused(
    t,
    png({ ...small, width: 100_000, height: 100_000 }, new Uint8Array(9)),
    /got 100000 x 100000; try shr/,
  )
  await refused(t, png({ ...small, width: 1, height: 65_536 }, new Uint8Array(9)), /got 1 x 65536; try shrinking/)
  await refused(t, png({ ...small, width: 0 }, new Uint8Array(9)), /got 0 x 4/)
  await refused(t, png({ ...small, depth: 3 }, new Uint8Array(9)), /malformed header/)
  await refused(t, png({ ...small, colour: 5 }, new Uint8Array(9)), /malformed header/)
  for (const interlace of [0, 1]) {
    const bomb = png({ ...small, interlace }, new Uint8Array(20_000_000))
    await refused(t, bomb, /damaged or too much image data/)
    await refused(t, png({ ...small, interlace }, new Uint8Array(7)), /too little image data/)
  }
  await refused(t, png(small, new Uint8Array(52).fill(9)), /unknown row filter/)
  await refused(t, png(small, scanlines(small, samplesOf(small)), chunk('EVIL', Buffer.alloc(3))), /critical chunk/)
  for (const length of [8, 20, 40, good.length - 5]) await refused(t, good.subarray(0, length), /truncated/)
  const broken = Buffer.from(good)
  broken[50] ^= 1
  await refused(t, broken, /IDAT chunk is damaged/)
})

function jpegOf(width: number, height: number, colour: (x: number, y: number) => number[]): Buffer {
  const data = Array.from({ length: width * height }, (_, i) => [...colour(i % width, Math.floor(i / width)), 255])
  return jpeg.encode({ width, height, data: Buffer.from(data.flat()) }, 95).data
}

function withSegment(bytes: Uint8Array, marker: number, body: Uint8Array): Buffer {
  const head = Buffer.from([0xff, marker, (body.length + 2) >> 8, (body.length + 2) & 255])
  return Buffer.concat([bytes.subarray(0, 2), head, body, bytes.subarray(2)])
}

function exif(orientation: number, little: boolean): Buffer {
  const body = Buffer.from('Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0', 'latin1')
  body[25] = orientation
  if (little) body.set([0x49, 0x49, 0x2a, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0], 6)
  return body
}

// The mean colour of one quarter of a picture.
function quarter({ width, height, data }: Picture, right: number, low: number): number[] {
  const from = (Math.floor(height * (0.25 + low / 2)) * width + Math.floor(width * (0.25 + right / 2))) * 3
  return [...data.subarray(from, from + 3)]
}

// Red, green, blue and white quarters, told from each other by which channels are bright.
const names: Record<string, string> = { '100': 'R', '010': 'G', '001': 'B', '111': 'W' }
const quarters = (picture: Picture) =>
  [
    [0, 0],
    [1, 0],
    [0, 1],
    [1, 1],
  ]
    .map(
      ([right, low]) =>
        names[
          quarter(picture, right, low)
            .map(v => (v > 127 ? 1 : 0))
            .join('')
        ],
    )
    .join('')

await t.test('a JPEG is turned upright, whichever of the eight ways the camera was held', async t => {
  const colours = [
    [255, 0, 0],
    [0, 255, 0],
    [0, 0, 255],
    [255, 255, 255],
  ]
  const plain = jpegOf(64, 32, (x, y) => colours[(y < 16 ? 0 : 2) + (x < 32 ? 0 : 1)])
  const upright = await readPicture(await fixture(t, plain))
  t.same([upright.width, upright.height, quarters(upright)], [64, 32, 'RGBW'])
  const expected = ['RGBW', 'GRWB', 'WBGR', 'BWRG', 'RBGW', 'BRWG', 'WGBR', 'GWRB']
  for (const little of [false, true]) {
    for (let orientation = 1; orientation <= 8; orientation++) {
      const bytes = withSegment(plain, 0xe1, exif(orientation, little))
      const picture = await readPicture(await fixture(t, bytes))
      const size = orientation < 5 ? [64, 32] : [32, 64]
      t.same([picture.width, picture.height], size)
      t.equal(quarters(picture), expected[orientation - 1], `orientation ${orientation}`)
    }
  }
  const nonsense = [
    exif(9, true),
    exif(0, false),
    exif(6, true).subarray(0, 16),
    Buffer.from('Exif\0\0MM\0*\xff\xff\xff\xff', 'latin1'),
  ]
  for (const body of nonsense) {
    t.equal(quarters(await readPicture(await fixture(t, withSegment(plain, 0xe1, body)))), 'RGBW', 'ignored')
  }
})

await t.test('a JPEG that means harm, or came to harm, is refused in one line', async t => {
  const good = jpegOf(64, 32, (x, y) => [x, y, 128])
  const frame = good.indexOf(Buffer.from([0xff, 0xc0]))
  const scan = good.indexOf(Buffer.from([0xff, 0xda]))
  const edited = (offset: number, ...bytes: number[]) => {
    const copy = Buffer.from(good)
    copy.set(bytes, offset)
    return copy
  }
  await refused(t, edited(frame + 5, 0xff, 0xff, 0xff, 0xff), /got 65535 x 65535; try shrinking/)
  await refused(t, edited(frame + 5, 0, 0), /got 64 x 0/)
  await refused(t, edited(frame + 5, 0x1f, 0xff, 0x1f, 0xff), /truncated/)
  await refused(t, edited(frame + 11, 0xff), /subsampled by at most 4/)
  await refused(t, edited(frame + 4, 12), /got 12 bits/)
  await refused(t, edited(frame + 1, 0xc9), /not supported/)
  await refused(t, edited(frame + 2, 0, 5), /malformed frame header/)
  await refused(t, edited(scan + 4, 9), /malformed scan header/)
  for (const length of [3, 20, scan + 4, scan + 40, good.length - 2]) {
    await refused(t, good.subarray(0, length), /truncated/)
  }
  await refused(t, Buffer.concat([good.subarray(0, scan + 40), Buffer.from([0xff, 0xd9])]), /damaged, truncated/)
  const pixels = good.subarray(scan, good.length - 2)
  const scans = Buffer.concat([good.subarray(0, scan), ...Array.from({ length: 101 }, () => pixels), good.subarray(-2)])
  await refused(t, scans, /more than 100 scans/)
  await refused(t, Buffer.concat([good.subarray(0, scan), good.subarray(frame)]), /more than one frame header/)
})

await t.test('what is no picture is called so', async t => {
  await refused(t, Buffer.alloc(0), /the file is empty/)
  await refused(t, Buffer.from('GIF89a and so on'), /expected a PNG or JPEG file/)
  await t.rejects(readPicture(join(t.testdir(), 'absent.png')), { name: 'FileError', message: /absent.png/ })
  await t.rejects(readPicture(t.testdir()), { name: 'FileError' })
})

await t.test('labels are the stored numbers, not their colours', async t => {
  const labels = [0, 1, 5, 63, 2, 40]
  const shape = { width: 3, height: 2, depth: 8 }
  const palette = chunk('PLTE', Buffer.from(noise(64 * 3)))
  const grey = { ...shape, colour: 0 }
  const indexed = { ...shape, colour: 3 }
  const rgb = { ...shape, colour: 2 }
  const triple = labels.flatMap(label => [label, label, label])
  for (const bytes of [
    png(grey, scanlines(grey, labels)),
    png(indexed, scanlines(indexed, labels), palette),
    png(rgb, scanlines(rgb, triple)),
  ]) {
    const map = await readLabels(await fixture(t, bytes))
    t.same({ ...map, data: [...map.data] }, { width: 3, height: 2, data: labels })
  }
  const bits = { width: 3, height: 1, depth: 1, colour: 0 }
  t.same([...(await readLabels(await fixture(t, png(bits, scanlines(bits, [0, 1, 1]))))).data], [0, 1, 1])

  await refused(t, png(grey, scanlines(grey, [0, 0, 0, 0, 64, 0])), /pixel \(1, 1\) .*got 64/, readLabels)
  await refused(t, png(rgb, scanlines(rgb, [...triple.slice(0, 17), 9])), /got RGB \(40, 40, 9\)/, readLabels)
  await refused(
    t,
    jpegOf(8, 8, () => [0, 0, 0]),
    /expected a PNG file/,
    readLabels,
  )
})
