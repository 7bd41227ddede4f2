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
  const count: f32 = <f32>p.channels
  const whole = p.channels & ~3
  const left = p.channels - whole
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
  const scale = f32x4.splat(1 / sqrt(variance + p.eps))
  for (let c: u32 = 0; c < p.channels; c += 4) {
    const d = f32x4.sub(f32x4.sub(v128.load(floatAt(x, c)), mean), f32x4.splat(rest))
    const weight = load4(at(p.weight, c, p.weightFormat), p.weightFormat)
    const bias = load4(at(p.bias, c, p.biasFormat), p.biasFormat)
    storeUpTo4(floatAt(out, c), madd(f32x4.mul(d, scale), weight, bias), p.channels - c)
  }
}
