// Convolutions as matrix products that never see the matrix: a row of it is what one output pixel sees, tap after tap,
// and the tiles of gemm.as.ts take each tap's channels from where they lie in the picture. Taps beyond its edge are
// rows of zeros. The sum is made in parts, of so many taps and channels that panels of their weights stay in the first
// cache.

import { listRows, multiply, packRows, roundUp, TILE_COLUMNS, TILE_ROWS } from './gemm.as'
import { at, F32, floatAt, load4 } from './operand.as'

/** One axis: output i sees inputs i stride - before + (0 .. taps - 1), zero outside 0 .. size - 1. */
@unmanaged
export class Axis {
  size: u32
  stride: u32
  before: u32 // wraps around where outputs begin inside
  taps: u32
  outputs: u32
  weight: u32 // how many taps of the weight lie before the one of the first input
  step: u32 // and how many from one to the next; wraps around where the weight is seen from its end
}

/** Says what outputs of an axis see. */
export function setAxis(axis: Axis, size: u32, stride: u32, before: u32, taps: u32, outputs: u32): void {
  axis.size = size
  axis.stride = stride
  axis.before = before
  axis.taps = taps
  axis.outputs = outputs
}

/** Where the taps of an axis lie in the weight. */
export function setTaps(axis: Axis, weight: u32, step: u32): void {
  axis.weight = weight
  axis.step = step
}

/** A convolution, kept at the beginning of private memory: three axes follow, and then the memory of `convolve`. */
@unmanaged
export class Convolution {
  x: usize // [B, frames, rows, columns, channels]
  weight: usize // [outputs, weightTaps, groupChannels]
  xFormat: u32
  weightFormat: u32
  channels: u32
  groupChannels: u32
  weightTaps: u32
  segments: u32 // taps and channels of them that are packed at a time
  terms: u32
  gather: u32 // whether rows are first written one behind the other: narrow floats, few channels
}

/** The first of the axes, which lie behind a convolution. */
export function framesOf(convolution: Convolution): Axis {
  return changetype<Axis>(changetype<usize>(convolution) + offsetof<Convolution>())
}

/** The second one. */
export function rowsOf(convolution: Convolution): Axis {
  return changetype<Axis>(changetype<usize>(framesOf(convolution)) + offsetof<Axis>())
}

/** The third one. */
export function columnsOf(convolution: Convolution): Axis {
  return changetype<Axis>(changetype<usize>(rowsOf(convolution)) + offsetof<Axis>())
}

/** Bytes of private memory that describe a convolution and its axes. */
export const CONVOLUTION_BYTES: u32 = 256

/** Where private memory goes on. */
export function behind(convolution: Convolution): usize {
  return changetype<usize>(convolution) + CONVOLUTION_BYTES
}

/**
 * The sums of some outputs: of `columns` output channels from `outChannel` on for `pixels` pixels from `pixel` on,
 * counted through frames, rows and columns. `channel` is the first one of the input that they see.
 * @param sums [pixels, columns], padded to whole tiles; private memory goes on behind it
 */
export function convolve(
  convolution: Convolution,
  channel: u32,
  pixel: u32,
  pixels: u32,
  outChannel: u32,
  columns: u32,
  sums: usize,
): void {
  const rows = roundUp(pixels, TILE_ROWS)
  const width = roundUp(columns, TILE_COLUMNS)
  const list = floatAt(sums, rows * width)
  const gathered = floatAt(list, rows * convolution.segments)
  const zeros = floatAt(gathered, rows)
  const panels = floatAt(zeros, convolution.terms)
  const wide = floatAt(panels, width * convolution.segments * convolution.terms)
  memory.fill(zeros, 0, convolution.terms << 2)
  const taps = framesOf(convolution).taps * rowsOf(convolution).taps * columnsOf(convolution).taps
  for (let first: u32 = 0; first < convolution.groupChannels; first += convolution.terms) {
    const terms = min(convolution.terms, convolution.groupChannels - first)
    for (let tap: u32 = 0; tap < taps; tap += convolution.segments) {
      const segments = min(convolution.segments, taps - tap)
      packTaps(convolution, outChannel, columns, tap, segments, first, terms, panels)
      listPixels(convolution, pixel, pixels, tap, segments, channel + first, list, zeros)
      const onto = first + tap > 0
      if (convolution.gather) {
        gatherRows(convolution.xFormat, list, pixels, segments, terms, wide)
        listRows(wide, F32, segments * terms, pixels, segments * terms, gathered, 0)
        multiply(gathered, 1, segments * terms, panels, sums, rows, width, onto)
      } else multiply(list, segments, terms, panels, sums, rows, width, onto)
    }
  }
}

/** Packs what so many taps of the weight say of `terms` channels into panels of [segments * terms, 8]. */
function packTaps(
  convolution: Convolution,
  outChannel: u32,
  columns: u32,
  tap: u32,
  segments: u32,
  first: u32,
  terms: u32,
  panels: usize,
): void {
  const frameAxis = framesOf(convolution)
  const rowAxis = rowsOf(convolution)
  const columnAxis = columnsOf(convolution)
  const format = convolution.weightFormat
  const stride = convolution.weightTaps * convolution.groupChannels
  for (let column: u32 = 0; column < columns; column += TILE_COLUMNS) {
    const weight = at(convolution.weight, (outChannel + column) * stride + first, format)
    for (let segment: u32 = 0; segment < segments; segment++, panels += terms << 5) {
      const inRow = tap + segment
      const inFrame = inRow / columnAxis.taps
      const place =
        columnAxis.weight +
        (inRow % columnAxis.taps) * columnAxis.step +
        rowAxis.weight +
        (inFrame % rowAxis.taps) * rowAxis.step +
        frameAxis.weight +
        (inFrame / rowAxis.taps) * frameAxis.step
      const source = at(weight, place * convolution.groupChannels, format)
      packRows(source, format, stride, min(TILE_COLUMNS, columns - column), terms, panels)
    }
  }
}

/** Lists where pixels see a channel, tap after tap, as `multiply` wants it; rows that fill a tile see zeros. */
function listPixels(
  convolution: Convolution,
  pixel: u32,
  pixels: u32,
  tap: u32,
  segments: u32,
  channel: u32,
  list: usize,
  zeros: usize,
): void {
  const frameAxis = framesOf(convolution)
  const rowAxis = rowsOf(convolution)
  const columnAxis = columnsOf(convolution)
  const firstColumn = tap % columnAxis.taps
  const firstRow = (tap / columnAxis.taps) % rowAxis.taps
  const firstFrame = tap / columnAxis.taps / rowAxis.taps
  // The pixel's place.
  let column = pixel % columnAxis.outputs
  let row = (pixel / columnAxis.outputs) % rowAxis.outputs
  const frameIndex = pixel / columnAxis.outputs / rowAxis.outputs
  let frame = frameIndex % frameAxis.outputs
  let batch = frameIndex / frameAxis.outputs
  const whole = roundUp(pixels, TILE_ROWS)
  for (let i: u32 = 0; i < whole; i++) {
    let target = floatAt(list, (i / TILE_ROWS) * segments * TILE_ROWS + (i % TILE_ROWS))
    if (i >= pixels) {
      for (let segment: u32 = 0; segment < segments; segment++, target += 16) store<usize>(target, zeros)
      continue
    }
    // What the first tap sees; below zero wraps around, and is outside as well.
    const left = column * columnAxis.stride - columnAxis.before
    const top = row * rowAxis.stride - rowAxis.before
    const start = frame * frameAxis.stride - frameAxis.before
    let x = firstColumn
    let y = firstRow
    let f = firstFrame
    for (let segment: u32 = 0; segment < segments; segment++, target += 16) {
      const inside = start + f < frameAxis.size && top + y < rowAxis.size && left + x < columnAxis.size
      const place = ((batch * frameAxis.size + start + f) * rowAxis.size + top + y) * columnAxis.size + left + x
      const address = at(convolution.x, place * convolution.channels + channel, convolution.xFormat)
      store<usize>(target, inside ? address : zeros)
      if (++x < columnAxis.taps) continue
      x = 0
      if (++y < rowAxis.taps) continue
      y = 0
      f++
    }
    if (++column < columnAxis.outputs) continue
    column = 0
    if (++row < rowAxis.outputs) continue
    row = 0
    if (++frame < frameAxis.outputs) continue
    frame = 0
    batch++
  }
}

/** Writes what each listed pixel sees as [pixels, segments * terms]; up to three floats behind are written, too. */
function gatherRows(format: u32, list: usize, pixels: u32, segments: u32, terms: u32, wide: usize): void {
  for (let i: u32 = 0; i < pixels; i++) {
    let entry = floatAt(list, (i / TILE_ROWS) * segments * TILE_ROWS + (i % TILE_ROWS))
    for (let segment: u32 = 0; segment < segments; segment++, entry += 16) {
      let source = load<usize>(entry)
      const next = floatAt(wide, terms)
      for (; wide < next; wide += 16, source = at(source, 4, format)) v128.store(wide, load4(source, format))
      wide = next
    }
  }
}
