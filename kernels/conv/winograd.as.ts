// Convolution by 3 x 3 taps a step apart in Winograd's way, F(2 x 2, 3 x 3) of A. Lavin and S. Gray, "Fast Algorithms for
// Convolutional Neural Networks" (2015). Four outputs in a square, a tile, take 16 products for each channel in place of
// 36:
//
//   A' [sum over channels of (G g G') (B' d B)] A    the products element by element
//
// where d are the 4 x 4 pixels that a tile sees and g the taps. So each of the 16 is a matrix product of tiles by
// channels by output channels, for gemm.as.ts. All coefficients are 0, 1, -1 and 1/2, and rounding is that of plain
// sums. No output depends on pixels that its taps do not see; an infinity, though, becomes NaN in most that see it.
//
// Kernels, run one after another on so many tiles and output channels as intermediate memory has room for:
//   winogradWeights    G g G' as panels, [16, parts of the sum, outputs / 8, terms, 8]
//   winogradPictures   B' d B of every tile, [tiles, 16, pitch]
//   winograd           the products, A' () A and the epilogue

import { listRows, multiply, packRows, roundUp, TILE_COLUMNS, TILE_ROWS } from '../common/gemm.as'
import { at, F32, floatAt, load4, widen } from '../common/operand.as'
import { finish, Output } from './output.as'

/** Elements of a transformed tile, and pixels between tiles. */
export const WINOGRAD_POINTS: u32 = 16
export const WINOGRAD_STEP: u32 = 2

@unmanaged
class WinogradWeightsParams {
  weight: usize // [O, 3, 3, C]
  panels: usize
  weightFormat: u32
  channels: u32
  terms: u32 // channels of a part of the sum
  points: u32 // floats from the panels of one point to those of the next
  first: u32 // output channel
  count: u32 // of them
}

/** A unit is eight output channels. Private memory: [3, 3, channels, 8]. */
export function winogradWeights(p: WinogradWeightsParams, from: u32, to: u32, scratch: usize): void {
  const panels = (p.count + TILE_COLUMNS - 1) / TILE_COLUMNS
  const tap = p.channels * TILE_COLUMNS
  for (let unit = from; unit < to; unit++) {
    const column = unit * TILE_COLUMNS
    const columns = min(TILE_COLUMNS, p.count - column)
    for (let i: u32 = 0; i < 9; i++) {
      const weight = at(p.weight, ((p.first + column) * 9 + i) * p.channels, p.weightFormat)
      packRows(weight, p.weightFormat, 9 * p.channels, columns, p.channels, floatAt(scratch, i * tap))
    }
    for (let first: u32 = 0; first < p.channels; first += p.terms) {
      const terms = min(p.terms, p.channels - first)
      const panel = floatAt(p.panels, (first * panels + unit * terms) * TILE_COLUMNS)
      const taps = floatAt(scratch, first * TILE_COLUMNS)
      weigh(taps, (<usize>tap) << 2, terms * TILE_COLUMNS, panel, (<usize>p.points) << 2)
    }
  }
}

/** G g G' of so many floats of every tap, which lie `tap` bytes apart, and their results `points` bytes. */
function weigh(taps: usize, tap: usize, count: u32, out: usize, points: usize): void {
  const half = f32x4.splat(0.5)
  for (const end = floatAt(out, count); out < end; out += 16, taps += 16) {
    const a0 = v128.load(taps)
    const a1 = v128.load(taps + tap)
    const a2 = v128.load(taps + 2 * tap)
    weighAcross(a0, a1, a2, out, points)
    const c0 = v128.load(taps + 6 * tap)
    const c1 = v128.load(taps + 7 * tap)
    const c2 = v128.load(taps + 8 * tap)
    weighAcross(c0, c1, c2, out + 12 * points, points)
    const s0 = f32x4.mul(half, f32x4.add(a0, c0))
    const s1 = f32x4.mul(half, f32x4.add(a1, c1))
    const s2 = f32x4.mul(half, f32x4.add(a2, c2))
    const b0 = f32x4.mul(half, v128.load(taps + 3 * tap))
    const b1 = f32x4.mul(half, v128.load(taps + 4 * tap))
    const b2 = f32x4.mul(half, v128.load(taps + 5 * tap))
    weighAcross(f32x4.add(s0, b0), f32x4.add(s1, b1), f32x4.add(s2, b2), out + 4 * points, points)
    weighAcross(f32x4.sub(s0, b0), f32x4.sub(s1, b1), f32x4.sub(s2, b2), out + 8 * points, points)
  }
}

function weighAcross(g0: v128, g1: v128, g2: v128, out: usize, points: usize): void {
  const half = f32x4.splat(0.5)
  const outer = f32x4.add(g0, g2)
  v128.store(out, g0)
  v128.store(out + points, f32x4.mul(half, f32x4.add(outer, g1)))
  v128.store(out + 2 * points, f32x4.mul(half, f32x4.sub(outer, g1)))
  v128.store(out + 3 * points, g2)
}

@unmanaged
class WinogradPicturesParams {
  x: usize // [pictures, rows, columns, channels]
  tiles: usize
  xFormat: u32
  channels: u32
  pitch: u32 // floats from one point of a tile to the next
  rows: u32
  columns: u32
  rowsBefore: u32
  columnsBefore: u32
  tileRows: u32 // tiles of a picture
  tileColumns: u32
  first: u32 // tile
}

/** A unit is a tile. Private memory: what it sees, [4, 4, channels], padded to fours. */
export function winogradPictures(p: WinogradPicturesParams, from: u32, to: u32, scratch: usize): void {
  const width = roundUp(p.channels, 4)
  for (let unit = from; unit < to; unit++) {
    const tile = p.first + unit
    const picture = tile / p.tileColumns / p.tileRows
    // Below zero wraps around, and is outside as well.
    const top = ((tile / p.tileColumns) % p.tileRows) * WINOGRAD_STEP - p.rowsBefore
    const left = (tile % p.tileColumns) * WINOGRAD_STEP - p.columnsBefore
    const target = floatAt(p.tiles, unit * WINOGRAD_POINTS * p.pitch)
    const inside = top < p.rows && top + 3 < p.rows && left < p.columns && left + 3 < p.columns
    if (inside && p.xFormat == F32) {
      const source = floatAt(p.x, ((picture * p.rows + top) * p.columns + left) * p.channels)
      transform(source, p.columns * p.channels, p.channels, p.channels, target, p.pitch)
      continue
    }
    for (let i: u32 = 0; i < WINOGRAD_POINTS; i++) {
      const row = top + (i >> 2)
      const column = left + (i & 3)
      const seen = floatAt(scratch, i * width)
      const place = ((picture * p.rows + row) * p.columns + column) * p.channels
      if (row < p.rows && column < p.columns) widen(at(p.x, place, p.xFormat), p.xFormat, p.channels, seen)
      else memory.fill(seen, 0, width << 2)
    }
    transform(scratch, 4 * width, width, p.channels, target, p.pitch)
  }
}

/** B' d B of 4 x 4 pixels, whose rows and columns lie so many floats apart. */
function transform(pixels: usize, row: u32, column: u32, channels: u32, out: usize, pitch: u32): void {
  const rowBytes: usize = row << 2
  const step: usize = column << 2
  const points: usize = pitch << 2
  const second = pixels + rowBytes
  const third = second + rowBytes
  const fourth = third + rowBytes
  const ends = floatAt(out, channels)
  for (let from: usize = 0; out < ends; out += 16, from += 16) {
    difference(pixels + from, third + from, step, out, points)
    total(second + from, third + from, step, out + 4 * points, points)
    difference(third + from, second + from, step, out + 8 * points, points)
    difference(second + from, fourth + from, step, out + 12 * points, points)
  }
}

function difference(a: usize, b: usize, step: usize, out: usize, points: usize): void {
  const d0 = f32x4.sub(v128.load(a), v128.load(b))
  const d1 = f32x4.sub(v128.load(a + step), v128.load(b + step))
  const d2 = f32x4.sub(v128.load(a + 2 * step), v128.load(b + 2 * step))
  const d3 = f32x4.sub(v128.load(a + 3 * step), v128.load(b + 3 * step))
  across(d0, d1, d2, d3, out, points)
}

function total(a: usize, b: usize, step: usize, out: usize, points: usize): void {
  const d0 = f32x4.add(v128.load(a), v128.load(b))
  const d1 = f32x4.add(v128.load(a + step), v128.load(b + step))
  const d2 = f32x4.add(v128.load(a + 2 * step), v128.load(b + 2 * step))
  const d3 = f32x4.add(v128.load(a + 3 * step), v128.load(b + 3 * step))
  across(d0, d1, d2, d3, out, points)
}

function across(d0: v128, d1: v128, d2: v128, d3: v128, out: usize, points: usize): void {
  v128.store(out, f32x4.sub(d0, d2))
  v128.store(out + points, f32x4.add(d1, d2))
  v128.store(out + 2 * points, f32x4.sub(d2, d1))
  v128.store(out + 3 * points, f32x4.sub(d1, d3))
}

@unmanaged
class WinogradParams {
  // As Output has them.
  bias: usize
  shift: usize
  residual: usize
  out: usize
  biasFormat: u32
  shiftFormat: u32
  residualFormat: u32
  shiftPixels: u32
  outChannels: u32
  activation: u32
  // Of its own.
  tiles: usize
  panels: usize
  channels: u32
  pitch: u32
  terms: u32
  points: u32
  outRows: u32
  outColumns: u32
  tileRows: u32
  tileColumns: u32
  first: u32 // tile
  count: u32
  firstChannel: u32 // of the output
  channelCount: u32
  blockTiles: u32
  blockChannels: u32
}

/**
 * A unit is a block of tiles and output channels. Private memory: a list of rows, four pixels' outputs, and sums of the
 * 16 points.
 */
export function winograd(p: WinogradParams, from: u32, to: u32, scratch: usize): void {
  const blocks = (p.count + p.blockTiles - 1) / p.blockTiles
  const panels = (p.channelCount + TILE_COLUMNS - 1) / TILE_COLUMNS
  const outputs = floatAt(scratch, roundUp(p.blockTiles, TILE_ROWS))
  const sums = floatAt(outputs, 4 * p.blockChannels)
  for (let unit = from; unit < to; unit++) {
    const tile = (unit % blocks) * p.blockTiles
    const channel = (unit / blocks) * p.blockChannels
    const tiles = min(p.blockTiles, p.count - tile)
    const channels = min(p.blockChannels, p.channelCount - channel)
    const rows = roundUp(tiles, TILE_ROWS)
    const width = roundUp(channels, TILE_COLUMNS)
    // A little more than a multiple of the cache's period, so that the points do not lie in each other's way.
    const apart = rows * width + 16
    for (let point: u32 = 0; point < WINOGRAD_POINTS; point++)
      for (let first: u32 = 0; first < p.channels; first += p.terms) {
        const terms = min(p.terms, p.channels - first)
        const place = point * p.points + first * panels * TILE_COLUMNS + channel * terms
        const source = floatAt(p.tiles, (tile * WINOGRAD_POINTS + point) * p.pitch + first)
        listRows(source, F32, WINOGRAD_POINTS * p.pitch, tiles, terms, scratch, 0)
        multiply(scratch, 1, terms, floatAt(p.panels, place), floatAt(sums, point * apart), rows, width, first > 0)
      }
    for (let i: u32 = 0; i < tiles; i++) {
      sumTile(floatAt(sums, i * width), (<usize>apart) << 2, outputs, (<usize>width) << 2)
      finishTile(p, outputs, width, p.first + tile + i, p.firstChannel + channel, channels)
    }
  }
}

/** A' m A for a run of output channels: four pixels' outputs, rows of them `width` bytes apart. */
function sumTile(sums: usize, points: usize, out: usize, width: usize): void {
  for (const end = out + width; out < end; out += 16, sums += 16) {
    sumAcross(sums, points, out, width, true)
    sumAcross(sums, points, out + 2 * width, width, false)
  }
}

/** Two pixels side by side, of the upper row or the lower. */
function sumAcross(sums: usize, points: usize, out: usize, width: usize, upper: bool): void {
  const s0 = sumDown(sums, points, upper)
  const s1 = sumDown(sums + points, points, upper)
  const s2 = sumDown(sums + 2 * points, points, upper)
  const s3 = sumDown(sums + 3 * points, points, upper)
  v128.store(out, f32x4.add(f32x4.add(s0, s1), s2))
  v128.store(out + width, f32x4.sub(f32x4.sub(s1, s2), s3))
}

function sumDown(sums: usize, points: usize, upper: bool): v128 {
  const second = v128.load(sums + 4 * points)
  const third = v128.load(sums + 8 * points)
  if (upper) return f32x4.add(f32x4.add(v128.load(sums), second), third)
  return f32x4.sub(f32x4.sub(second, third), v128.load(sums + 12 * points))
}

/** Makes outputs of those of a tile's four pixels that the picture has. */
function finishTile(p: WinogradParams, sums: usize, width: u32, tile: u32, channel: u32, channels: u32): void {
  const picture = tile / p.tileColumns / p.tileRows
  const top = ((tile / p.tileColumns) % p.tileRows) * WINOGRAD_STEP
  const left = (tile % p.tileColumns) * WINOGRAD_STEP
  for (let i: u32 = 0; i < 4; i++) {
    const row = top + (i >> 1)
    const column = left + (i & 1)
    if (row >= p.outRows || column >= p.outColumns) continue
    const pixel = (picture * p.outRows + row) * p.outColumns + column
    finish(changetype<Output>(p), floatAt(sums, i * width), pixel, channel, channels)
  }
}
