// The gradient of group normalisation, after the moments of group-norm.as.ts, in three launches: sums of channels over
// slices of rows, their merger to what is the same for all rows, the result.

import { madd } from '../common/gemm.as'
import { at, floatAt, load1, load4, storeUpTo4 } from '../common/operand.as'

@unmanaged
class GroupGradientSumsParams {
  x: usize // [B, rows, C]
  upstream: usize // [B, rows, C]
  statistics: usize // [B, groups, 3], as groupNormMerge leaves them
  partial: usize // [B, slices, 2, C]
  xFormat: u32
  rows: u32
  channels: u32
  depth: u32 // channels of a group
  slices: u32 // of a batch
  sliceRows: u32
}

/** A unit is a slice: sums of g and of g (x - mean). Private memory: those and the means, padded to fours. */
export function groupNormGradientSums(p: GroupGradientSumsParams, from: u32, to: u32, scratch: usize): void {
  const channels = p.channels
  const padded = (channels + 3) & ~3
  const along = floatAt(scratch, padded)
  const means = floatAt(along, padded)
  for (let unit = from; unit < to; unit++) {
    const batch = unit / p.slices
    const row = (unit % p.slices) * p.sliceRows
    const rows = min(p.sliceRows, p.rows - row)
    const start = (batch * p.rows + row) * channels
    memory.fill(scratch, 0, padded << 3)
    for (let c: u32 = 0; c < channels; c++)
      store<f32>(floatAt(means, c), load<f32>(floatAt(p.statistics, ((batch * channels + c) / p.depth) * 3)))
    for (let i: u32 = 0; i < rows; i++) {
      const x = at(p.x, start + i * channels, p.xFormat)
      const g = floatAt(p.upstream, start + i * channels)
      for (let c: u32 = 0; c < channels; c += 4) {
        const up = v128.load(floatAt(g, c))
        const d = f32x4.sub(load4(at(x, c, p.xFormat), p.xFormat), v128.load(floatAt(means, c)))
        v128.store(floatAt(scratch, c), f32x4.add(v128.load(floatAt(scratch, c)), up))
        v128.store(floatAt(along, c), madd(up, d, v128.load(floatAt(along, c))))
      }
    }
    const target = floatAt(p.partial, 2 * unit * channels)
    memory.copy(target, scratch, channels << 2)
    memory.copy(floatAt(target, channels), along, channels << 2)
  }
}

@unmanaged
class GroupGradientMergeParams {
  partial: usize // [B, slices, 2, C]
  weight: usize // [C]
  statistics: usize // [B, groups, 3]
  sums: usize // [B, 2, C]
  factors: usize // [B, 4, C]: mean, factor of g, factor of x - mean, what is added
  weightFormat: u32
  rows: u32
  channels: u32
  depth: u32
  slices: u32
}

/** A unit is a group of a batch. */
export function groupNormGradientMerge(p: GroupGradientMergeParams, from: u32, to: u32, _scratch: usize): void {
  const channels = p.channels
  const groups = channels / p.depth
  for (let unit = from; unit < to; unit++) {
    const batch = unit / groups
    const first = (unit % groups) * p.depth
    const mean = load<f32>(floatAt(p.statistics, unit * 3))
    const rest = <f64>load<f32>(floatAt(p.statistics, unit * 3 + 1))
    const scale = <f64>load<f32>(floatAt(p.statistics, unit * 3 + 2))
    let level: f64 = 0
    let slope: f64 = 0
    for (let c = first; c < first + p.depth; c++) {
      let sum: f64 = 0
      let along: f64 = 0
      let source = floatAt(p.partial, 2 * batch * p.slices * channels + c)
      for (let slice: u32 = 0; slice < p.slices; slice++, source = floatAt(source, 2 * channels)) {
        sum += <f64>load<f32>(source)
        along += <f64>load<f32>(floatAt(source, channels))
      }
      const normal = (along - rest * sum) * scale
      const weight = <f64>load1(at(p.weight, c, p.weightFormat), p.weightFormat)
      level += weight * sum
      slope += weight * normal
      const target = floatAt(p.sums, 2 * batch * channels + c)
      store<f32>(target, <f32>sum)
      store<f32>(floatAt(target, channels), <f32>normal)
    }
    const all = <f64>p.rows * <f64>p.depth
    level /= all
    slope /= all
    for (let c = first; c < first + p.depth; c++) {
      const weight = <f64>load1(at(p.weight, c, p.weightFormat), p.weightFormat)
      const target = floatAt(p.factors, 4 * batch * channels + c)
      store<f32>(target, mean)
      store<f32>(floatAt(target, channels), <f32>(weight * scale))
      store<f32>(floatAt(target, 2 * channels), <f32>(-scale * scale * slope))
      store<f32>(floatAt(target, 3 * channels), <f32>(scale * (scale * slope * rest - level)))
    }
  }
}

@unmanaged
class GroupGradientApplyParams {
  x: usize // [B, rows, C]
  upstream: usize // [B, rows, C]
  factors: usize // [B, 4, C]
  out: usize
  xFormat: u32
  rows: u32
  channels: u32
  slices: u32
  sliceRows: u32
}

/** A unit is a slice: g factor + (x - mean) factor + what is added. */
export function groupNormGradientApply(p: GroupGradientApplyParams, from: u32, to: u32, _scratch: usize): void {
  const channels = p.channels
  for (let unit = from; unit < to; unit++) {
    const batch = unit / p.slices
    const row = (unit % p.slices) * p.sliceRows
    const rows = min(p.sliceRows, p.rows - row)
    const means = floatAt(p.factors, 4 * batch * channels)
    const ofG = floatAt(means, channels)
    const ofX = floatAt(ofG, channels)
    const added = floatAt(ofX, channels)
    for (let i: u32 = 0; i < rows; i++) {
      const start = (batch * p.rows + row + i) * channels
      const x = at(p.x, start, p.xFormat)
      const g = floatAt(p.upstream, start)
      const out = floatAt(p.out, start)
      for (let c: u32 = 0; c < channels; c += 4) {
        const d = f32x4.sub(load4(at(x, c, p.xFormat), p.xFormat), v128.load(floatAt(means, c)))
        const inner = madd(d, v128.load(floatAt(ofX, c)), v128.load(floatAt(added, c)))
        const y = madd(v128.load(floatAt(g, c)), v128.load(floatAt(ofG, c)), inner)
        storeUpTo4(floatAt(out, c), y, channels - c)
      }
    }
  }
}
