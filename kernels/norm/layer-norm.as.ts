// Layer normalisation: a unit is a row. The mean comes in two parts, the second from what the first leaves, so that a
// small deviation survives a large mean.

import { firstLanes, sumAcross } from '../common/across.as'
import { madd } from '../common/gemm.as'
import { at, F32, floatAt, load4, storeUpTo4, widen } from '../common/operand.as'

@unmanaged
class LayerNormParams {
  x: usize // [rows, C]
  weight: usize // [C]
  bias: usize // [C]
  out: usize
  xFormat: u32
  weightFormat: u32
  biasFormat: u32
  channels: u32
  eps: f32
}

/** A unit is a row. */
export function layerNorm(p: LayerNormParams, from: u32, to: u32, _scratch: usize): void {
  for (let row = from; row < to; row++) {
    const out = floatAt(p.out, row * p.channels)
    let x = at(p.x, row * p.channels, p.xFormat)
    if (p.xFormat != F32) {
      widen(x, p.xFormat, p.channels, out)
      x = out
    }
    normalize(p, x, out)
  }
}

/** out = the row x, normalised; both may be the same. What is read behind the row's end has no part in it. */
function normalize(p: LayerNormParams, x: usize, out: usize): void {
  const found = rowStatistics(x, p.channels, p.eps)
  const mean = f32x4.splat(f32x4.extract_lane(found, 0))
  const rest = f32x4.splat(f32x4.extract_lane(found, 1))
  const scale = f32x4.splat(f32x4.extract_lane(found, 2))
  for (let c: u32 = 0; c < p.channels; c += 4) {
    const d = f32x4.sub(f32x4.sub(v128.load(floatAt(x, c)), mean), rest)
    const weight = load4(at(p.weight, c, p.weightFormat), p.weightFormat)
    const bias = load4(at(p.bias, c, p.biasFormat), p.biasFormat)
    storeUpTo4(floatAt(out, c), madd(f32x4.mul(d, scale), weight, bias), p.channels - c)
  }
}

/** The mean of a row, what is left of it after that is subtracted, and 1 / sqrt(variance + eps). */
function rowStatistics(x: usize, channels: u32, eps: f32): v128 {
  const count: f32 = <f32>channels
  const whole = channels & ~3
  const left = channels - whole
  const zero = f32x4.splat(0)
  let sums = zero
  for (let c: u32 = 0; c < whole; c += 4) sums = f32x4.add(sums, v128.load(floatAt(x, c)))
  sums = f32x4.add(sums, firstLanes(v128.load(floatAt(x, whole)), left, zero))
  const mean = f32x4.splat(sumAcross(sums) / count)
  sums = zero
  let squares = zero
  for (let c: u32 = 0; c < whole; c += 4) {
    const d = f32x4.sub(v128.load(floatAt(x, c)), mean)
    sums = f32x4.add(sums, d)
    squares = madd(d, d, squares)
  }
  const d = firstLanes(f32x4.sub(v128.load(floatAt(x, whole)), mean), left, zero)
  const rest = sumAcross(f32x4.add(sums, d)) / count
  const variance = sumAcross(madd(d, d, squares)) / count - rest * rest
  return f32x4.replace_lane(f32x4.replace_lane(mean, 1, rest), 2, 1 / sqrt(variance + eps))
}

@unmanaged
class LayerNormGradientParams {
  x: usize // [rows, C]
  weight: usize // [C]
  upstream: usize // [rows, C]
  out: usize
  sums: usize // [parts, 2, C]
  xFormat: u32
  weightFormat: u32
  channels: u32
  rows: u32
  partRows: u32
  eps: f32
}

/** A unit is a part of the rows. Private memory: its sums and a row of x, each padded to fours. */
export function layerNormGradient(p: LayerNormGradientParams, from: u32, to: u32, scratch: usize): void {
  const padded = (p.channels + 3) & ~3
  const along = floatAt(scratch, padded)
  const wide = floatAt(along, padded)
  for (let part = from; part < to; part++) {
    memory.fill(scratch, 0, padded << 3)
    const last = min(p.rows, (part + 1) * p.partRows)
    for (let row = part * p.partRows; row < last; row++) {
      let x = at(p.x, row * p.channels, p.xFormat)
      if (p.xFormat != F32) {
        widen(x, p.xFormat, p.channels, wide)
        x = wide
      }
      rowGradient(p, x, floatAt(p.upstream, row * p.channels), floatAt(p.out, row * p.channels), scratch, along)
    }
    const target = floatAt(p.sums, 2 * part * p.channels)
    memory.copy(target, scratch, p.channels << 2)
    memory.copy(floatAt(target, p.channels), along, p.channels << 2)
  }
}

/** out = scale (g weight - mean of that - normal mean of it times normal); sums += g, along += g normal. */
function rowGradient(p: LayerNormGradientParams, x: usize, g: usize, out: usize, sums: usize, along: usize): void {
  const channels = p.channels
  const found = rowStatistics(x, channels, p.eps)
  const mean = f32x4.splat(f32x4.extract_lane(found, 0))
  const rest = f32x4.splat(f32x4.extract_lane(found, 1))
  const scale = f32x4.splat(f32x4.extract_lane(found, 2))
  const zero = f32x4.splat(0)
  let all = zero
  let projected = zero
  for (let c: u32 = 0; c < channels; c += 4) {
    let up = v128.load(floatAt(g, c))
    let normal = f32x4.mul(f32x4.sub(f32x4.sub(v128.load(floatAt(x, c)), mean), rest), scale)
    let weighted = f32x4.mul(up, load4(at(p.weight, c, p.weightFormat), p.weightFormat))
    if (channels - c < 4) {
      up = firstLanes(up, channels - c, zero)
      normal = firstLanes(normal, channels - c, zero)
      weighted = firstLanes(weighted, channels - c, zero)
    }
    all = f32x4.add(all, weighted)
    projected = madd(weighted, normal, projected)
    v128.store(floatAt(sums, c), f32x4.add(v128.load(floatAt(sums, c)), up))
    v128.store(floatAt(along, c), madd(up, normal, v128.load(floatAt(along, c))))
  }
  const level = f32x4.splat(sumAcross(all) / <f32>channels)
  const slope = f32x4.splat(sumAcross(projected) / <f32>channels)
  for (let c: u32 = 0; c < channels; c += 4) {
    const normal = f32x4.mul(f32x4.sub(f32x4.sub(v128.load(floatAt(x, c)), mean), rest), scale)
    const weighted = f32x4.mul(v128.load(floatAt(g, c)), load4(at(p.weight, c, p.weightFormat), p.weightFormat))
    const inner = f32x4.sub(f32x4.sub(weighted, level), f32x4.mul(normal, slope))
    storeUpTo4(floatAt(out, c), f32x4.mul(inner, scale), channels - c)
  }
}
