// Resizing. A unit is a row of the result.
//
// Kernels:
//   resizeNearest  copies pixels.
//   resize         weighs pixels along each axis: first all the rows that a row of the result sees, into one row in
//                  private memory, and then its columns. Where the result has few columns of many (`direct`), only
//                  those rows' pixels that are seen are read.
// Places and weights are reckoned in double precision, as the plain loops do it.

import { madd } from '../common/gemm.as'
import { at, F32, floatAt, load4, storeUpTo4 } from '../common/operand.as'

@unmanaged
class ResizeNearestParams {
  x: usize
  out: usize
  format: u32
  height: u32
  width: u32
  channels: u32
  outHeight: u32
  outWidth: u32
  rowScale: f32
  columnScale: f32
}

/** Pixels of so many channels are copied faster by the machine's own copy. */
const copied: u32 = 16

/** The pixel that result i takes. */
function nearest(i: u32, scale: f32, size: u32): u32 {
  return min(<u32>(<f32>i * scale), size - 1)
}

/** A unit is a row of the result. */
export function resizeNearest(p: ResizeNearestParams, from: u32, to: u32, scratch: usize): void {
  const channels = p.channels
  const format = p.format
  for (let unit = from; unit < to; unit++) {
    const picture = unit / p.outHeight
    const row = nearest(unit % p.outHeight, p.rowScale, p.height)
    const start = (picture * p.height + row) * p.width
    let target = floatAt(p.out, unit * p.outWidth * channels)
    const end = floatAt(target, p.outWidth * channels)
    for (let column: u32 = 0; column < p.outWidth; column++) {
      let source = at(p.x, (start + nearest(column, p.columnScale, p.width)) * channels, format)
      const next = floatAt(target, channels)
      if (format == F32 && channels >= copied) memory.copy(target, source, channels << 2)
      else
        for (; target < next; target += 16, source = at(source, 4, format))
          storeWithin(target, load4(source, format), end)
      target = next
    }
  }
}

/** Stores four floats, or as many as are left of the row; those of later pixels overwrite what is not this one's. */
function storeWithin(target: usize, x: v128, end: usize): void {
  storeUpTo4(target, x, (<u32>(end - target)) >> 2)
}

@unmanaged
class ResizeParams {
  x: usize
  out: usize
  format: u32
  height: u32
  width: u32
  channels: u32
  outHeight: u32
  outWidth: u32
  rowSampling: usize
  columnSampling: usize
  rowTaps: u32 // at most
  columnTaps: u32
  cubic: u32
  antialias: u32
  direct: u32
}

// How an axis is sampled: doubles, which are what Sampling of resize.ts says, and the a of the cubic filter.

function scaleOf(sampling: usize): f64 {
  return load<f64>(sampling)
}

function shiftOf(sampling: usize): f64 {
  return load<f64>(sampling, 8)
}

function supportOf(sampling: usize): f64 {
  return load<f64>(sampling, 16)
}

function stretchOf(sampling: usize): f64 {
  return load<f64>(sampling, 24)
}

function cubicOf(sampling: usize): f64 {
  return load<f64>(sampling, 32)
}

/** A unit is a row of the result. Private memory: the taps of every column, those of a row, and a row. */
export function resize(p: ResizeParams, from: u32, to: u32, scratch: usize): void {
  const entry = p.columnTaps + 2
  const ofRow = floatAt(scratch, p.outWidth * entry)
  const sums = floatAt(ofRow, p.rowTaps + 2)
  for (let i: u32 = 0; i < p.outWidth; i++) findTaps(p, p.columnSampling, i, p.width, floatAt(scratch, i * entry))
  for (let unit = from; unit < to; unit++) {
    findTaps(p, p.rowSampling, unit % p.outHeight, p.height, ofRow)
    const picture = at(p.x, (unit / p.outHeight) * p.height * p.width * p.channels, p.format)
    if (!p.direct) weighRows(p, picture, ofRow, sums)
    let target = floatAt(p.out, unit * p.outWidth * p.channels)
    const end = floatAt(target, p.outWidth * p.channels)
    let taps = scratch
    for (let i: u32 = 0; i < p.outWidth; i++, taps = floatAt(taps, entry)) {
      for (let c: u32 = 0; c < p.channels; c += 4) {
        const value = p.direct ? weighBoth(p, picture, ofRow, taps, c) : weighColumns(p, sums, taps, c)
        storeWithin(floatAt(target, c), value, end)
      }
      target = floatAt(target, p.channels)
    }
  }
}

/** Weight at a distance from the sample, in the filter's own unit. */
function weightAt(p: ResizeParams, sampling: usize, distance: f64): f64 {
  const t = abs(distance)
  if (!p.cubic) return max<f64>(0, 1 - t)
  const a = cubicOf(sampling)
  if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1
  if (t < 2) return ((t - 5) * t + 8) * t * a - 4 * a
  return 0
}

/** Writes which pixels enter result i: the first one (below 0 beyond the edge), how many, and their weights as f32. */
function findTaps(p: ResizeParams, sampling: usize, i: u32, size: u32, taps: usize): void {
  const centre = scaleOf(sampling) * <f64>i + shiftOf(sampling)
  let first = <i32>floor(centre - supportOf(sampling)) + 1
  let last = <i32>floor(centre + supportOf(sampling))
  let sum: f64 = 1
  // Pixels beyond the edge are left out with antialias, else the edge's stand for them.
  if (p.antialias) {
    first = max(first, 0)
    last = min(last, <i32>size - 1)
    sum = 0
    for (let n = first; n <= last; n++) sum += weightAt(p, sampling, (<f64>n - centre) / stretchOf(sampling))
  }
  store<i32>(taps, first)
  store<u32>(taps, last + 1 - first, 4)
  for (let n = first; n <= last; n++)
    store<f32>(
      floatAt(taps, 2 + n - first),
      <f32>(weightAt(p, sampling, (<f64>n - centre) / stretchOf(sampling)) / sum),
    )
}

/** The place of a tap: the edge's beyond it. */
function placeOf(taps: usize, tap: u32, size: u32): u32 {
  return max(0, min(load<i32>(taps) + <i32>tap, <i32>size - 1))
}

function weightOf(taps: usize, tap: u32): v128 {
  return v128.load32_splat(floatAt(taps, 2 + tap))
}

/** sums = the weighted sum of the picture's rows, [width, channels]; up to three floats behind are written, too. */
function weighRows(p: ResizeParams, picture: usize, taps: usize, sums: usize): void {
  const length = p.width * p.channels
  const count = load<u32>(taps, 4)
  for (let tap: u32 = 0; tap < count; tap++) {
    const weight = weightOf(taps, tap)
    let source = at(picture, placeOf(taps, tap, p.height) * length, p.format)
    let target = sums
    for (let i: u32 = 0; i < length; i += 4, source = at(source, 4, p.format), target += 16) {
      const sum = tap > 0 ? v128.load(target) : f32x4.splat(0)
      v128.store(target, madd(weight, load4(source, p.format), sum))
    }
  }
}

/** The weighted sum of four channels of a row's columns. */
function weighColumns(p: ResizeParams, row: usize, taps: usize, channel: u32): v128 {
  let sum = f32x4.splat(0)
  const count = load<u32>(taps, 4)
  for (let tap: u32 = 0; tap < count; tap++) {
    const place = placeOf(taps, tap, p.width)
    sum = madd(weightOf(taps, tap), v128.load(floatAt(row, place * p.channels + channel)), sum)
  }
  return sum
}

/** The weighted sum of four channels over rows and columns. */
function weighBoth(p: ResizeParams, picture: usize, rowTaps: usize, columnTaps: usize, channel: u32): v128 {
  let sum = f32x4.splat(0)
  const rows = load<u32>(rowTaps, 4)
  const columns = load<u32>(columnTaps, 4)
  for (let i: u32 = 0; i < rows; i++) {
    const row = at(picture, placeOf(rowTaps, i, p.height) * p.width * p.channels + channel, p.format)
    let ofRow = f32x4.splat(0)
    for (let j: u32 = 0; j < columns; j++) {
      const pixel = at(row, placeOf(columnTaps, j, p.width) * p.channels, p.format)
      ofRow = madd(weightOf(columnTaps, j), load4(pixel, p.format), ofRow)
    }
    sum = madd(weightOf(rowTaps, i), ofRow, sum)
  }
  return sum
}
