// Group normalisation, channels last, in three launches: moments of slices of rows, their merger, the result.
//
// A slice stays in the cache while it is read twice: for the means of its groups, then for the squares of what is left.
// Every mean is kept in two parts, a rounded one that is subtracted first, without error where it matters, and the
// rest: a small deviation survives a large mean.

import { activateRow } from '../common/epilogue.as'
import { madd } from '../common/gemm.as'
import { at, floatAt, load1, load4, storeUpTo4 } from '../common/operand.as'

@unmanaged
class GroupMomentsParams {
  x: usize // [B, rows, C]
  moments: usize // [B, slices, groups, 3]: the mean in two parts, the sum of squared deviations
  xFormat: u32
  rows: u32
  channels: u32
  depth: u32 // channels of a group
  slices: u32 // of a batch
  sliceRows: u32
}

/** A unit is a slice. */
export function groupNormMoments(p: GroupMomentsParams, from: u32, to: u32, scratch: usize): void {
  const groups = p.channels / p.depth
  for (let unit = from; unit < to; unit++) {
    const row = (unit % p.slices) * p.sliceRows
    const rows = min(p.sliceRows, p.rows - row)
    const x = at(p.x, ((unit / p.slices) * p.rows + row) * p.channels, p.xFormat)
    momentsOf(p, x, rows, floatAt(p.moments, unit * groups * 3), scratch)
  }
}

/** Writes the moments of each group of a slice; sums and means of channels are kept in `work`. */
function momentsOf(p: GroupMomentsParams, x: usize, rows: u32, moments: usize, work: usize): void {
  const padded = (p.channels + 3) & ~3
  const means = floatAt(work, padded)
  const squares = floatAt(means, padded)
  const count: f32 = <f32>rows * <f32>p.depth
  memory.fill(work, 0, padded << 2)
  for (let row: u32 = 0; row < rows; row++) addChannels(at(x, row * p.channels, p.xFormat), p.xFormat, p.channels, work)
  for (let c: u32 = 0, target = moments; c < p.channels; c += p.depth, target += 12) {
    const mean = sumOf(floatAt(work, c), p.depth) / count
    store<f32>(target, mean)
    for (let i: u32 = 0; i < p.depth; i++) store<f32>(floatAt(means, c + i), mean)
  }
  memory.fill(work, 0, padded << 2)
  memory.fill(squares, 0, padded << 2)
  for (let row: u32 = 0; row < rows; row++)
    addDeviations(at(x, row * p.channels, p.xFormat), p.xFormat, p.channels, means, work, squares)
  for (let c: u32 = 0, target = moments; c < p.channels; c += p.depth, target += 12) {
    const rest = sumOf(floatAt(work, c), p.depth) / count
    store<f32>(target, rest, 4)
    store<f32>(target, sumOf(floatAt(squares, c), p.depth) - rest * rest * count, 8)
  }
}

/** sums += a row; lanes behind the last channel get whatever is there. */
function addChannels(row: usize, format: u32, channels: u32, sums: usize): void {
  for (let c: u32 = 0; c < channels; c += 4, sums += 16)
    v128.store(sums, f32x4.add(v128.load(sums), load4(at(row, c, format), format)))
}

/** sums += row - means, squares += (row - means)^2; lanes as in addChannels. */
function addDeviations(row: usize, format: u32, channels: u32, means: usize, sums: usize, squares: usize): void {
  for (let c: u32 = 0; c < channels; c += 4, means += 16, sums += 16, squares += 16) {
    const d = f32x4.sub(load4(at(row, c, format), format), v128.load(means))
    v128.store(sums, f32x4.add(v128.load(sums), d))
    v128.store(squares, madd(d, d, v128.load(squares)))
  }
}

function sumOf(values: usize, count: u32): f32 {
  let sum: f32 = 0
  for (let i: u32 = 0; i < count; i++) sum += load<f32>(floatAt(values, i))
  return sum
}

@unmanaged
class GroupMergeParams {
  moments: usize // [B, slices, groups, 3]
  statistics: usize // [B, groups, 3]: mean, the rest of the mean, 1 / sqrt(variance + eps)
  rows: u32
  depth: u32
  groups: u32
  slices: u32
  sliceRows: u32
  eps: f32
}

/**
 * A unit is a group of a batch. Sums of squares about the slices' means become one about the mean of all (Chan, Golub
 * and LeVeque 1979).
 */
export function groupNormMerge(p: GroupMergeParams, from: u32, to: u32, _scratch: usize): void {
  for (let unit = from; unit < to; unit++) {
    const first = floatAt(p.moments, ((unit / p.groups) * p.slices * p.groups + (unit % p.groups)) * 3)
    const step: usize = p.groups * 12
    const all = <f64>p.rows * <f64>p.depth
    let sum: f64 = 0
    for (let slice: u32 = 0, source = first; slice < p.slices; slice++, source += step)
      sum += countOf(p, slice) * meanAt(source)
    const mean = sum / all
    let squares: f64 = 0
    for (let slice: u32 = 0, source = first; slice < p.slices; slice++, source += step) {
      const distance = meanAt(source) - mean
      squares += <f64>load<f32>(source, 8) + countOf(p, slice) * distance * distance
    }
    const target = floatAt(p.statistics, unit * 3)
    store<f32>(target, <f32>mean)
    store<f32>(target, <f32>(mean - <f64>(<f32>mean)), 4)
    store<f32>(target, <f32>(1 / Math.sqrt(squares / all + <f64>p.eps)), 8)
  }
}

/** Elements of a group in a slice. */
function countOf(p: GroupMergeParams, slice: u32): f64 {
  return <f64>min(p.sliceRows, p.rows - slice * p.sliceRows) * <f64>p.depth
}

function meanAt(moments: usize): f64 {
  return <f64>load<f32>(moments) + <f64>load<f32>(moments, 4)
}

@unmanaged
class GroupApplyParams {
  x: usize // [B, rows, C]
  weight: usize // [C]
  bias: usize // [C]
  statistics: usize // [B, groups, 3]
  out: usize
  xFormat: u32
  weightFormat: u32
  biasFormat: u32
  rows: u32
  channels: u32
  depth: u32
  slices: u32 // of a batch
  sliceRows: u32
  activation: u32
}

/** A unit is a slice. */
export function groupNormApply(p: GroupApplyParams, from: u32, to: u32, scratch: usize): void {
  const padded = (p.channels + 3) & ~3
  const factors = floatAt(scratch, padded)
  const offsets = floatAt(factors, padded)
  for (let unit = from; unit < to; unit++) {
    const batch = unit / p.slices
    const row = (unit % p.slices) * p.sliceRows
    const statistics = floatAt(p.statistics, batch * (p.channels / p.depth) * 3)
    // (x - mean - rest) scale weight + bias = (x - mean) factor + offset
    for (let c: u32 = 0, group = statistics; c < p.channels; c += p.depth, group += 12)
      for (let i = c; i < c + p.depth; i++) {
        const factor = load<f32>(group, 8) * load1(at(p.weight, i, p.weightFormat), p.weightFormat)
        store<f32>(floatAt(scratch, i), load<f32>(group))
        store<f32>(floatAt(factors, i), factor)
        const bias = load1(at(p.bias, i, p.biasFormat), p.biasFormat)
        store<f32>(floatAt(offsets, i), bias - load<f32>(group, 4) * factor)
      }
    const rows = min(p.sliceRows, p.rows - row)
    const start = (batch * p.rows + row) * p.channels
    for (let i: u32 = 0; i < rows; i++) {
      const first = start + i * p.channels
      applyTo(p, at(p.x, first, p.xFormat), scratch, factors, offsets, floatAt(p.out, first))
    }
  }
}

/** out = activation((x - means) factors + offsets), a row. */
function applyTo(p: GroupApplyParams, x: usize, means: usize, factors: usize, offsets: usize, out: usize): void {
  const format = p.xFormat
  const channels = p.channels
  for (let c: u32 = 0; c < channels; c += 4) {
    const d = f32x4.sub(load4(at(x, c, format), format), v128.load(floatAt(means, c)))
    const y = madd(d, v128.load(floatAt(factors, c)), v128.load(floatAt(offsets, c)))
    storeUpTo4(floatAt(out, c), y, channels - c)
  }
  activateRow(out, p.activation, channels)
}
