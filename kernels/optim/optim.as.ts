// The optimiser's steps, in place, four elements at a time.

import { at, floatAt, load4, storeUpTo4 } from '../common/operand.as'

@unmanaged
class AdamwParams {
  gradient: usize
  rates: usize // of the learning rate, step and correction
  scale: usize // 0 for 1
  parameter: usize
  mean: usize
  square: usize
  size: u32
  unit: u32 // elements, a multiple of 4
  beta1: f32
  beta2: f32
  rest1: f32 // 1 - beta1, which loses digits in f32
  rest2: f32
  eps: f32
  weightDecay: f32
}

/** A unit is a run of elements. */
export function adamw(p: AdamwParams, from: u32, to: u32, _scratch: usize): void {
  const keep = f32x4.splat(1 - load<f32>(p.rates) * p.weightDecay)
  const step = f32x4.splat(load<f32>(p.rates, 4))
  const correction = f32x4.splat(load<f32>(p.rates, 8))
  const scale = f32x4.splat(p.scale ? load<f32>(p.scale) : 1)
  const beta1 = f32x4.splat(p.beta1)
  const beta2 = f32x4.splat(p.beta2)
  const rest1 = f32x4.splat(p.rest1)
  const rest2 = f32x4.splat(p.rest2)
  const eps = f32x4.splat(p.eps)
  const end = min(to * p.unit, p.size)
  for (let i = from * p.unit; i < end; i += 4) {
    const g = f32x4.mul(v128.load(floatAt(p.gradient, i)), scale)
    const m = f32x4.add(f32x4.mul(beta1, v128.load(floatAt(p.mean, i))), f32x4.mul(rest1, g))
    const v = f32x4.add(f32x4.mul(beta2, v128.load(floatAt(p.square, i))), f32x4.mul(f32x4.mul(rest2, g), g))
    const divisor = f32x4.add(f32x4.mul(f32x4.sqrt(v), correction), eps)
    const kept = f32x4.mul(v128.load(floatAt(p.parameter, i)), keep)
    storeUpTo4(floatAt(p.mean, i), m, end - i)
    storeUpTo4(floatAt(p.square, i), v, end - i)
    storeUpTo4(floatAt(p.parameter, i), f32x4.sub(kept, f32x4.div(f32x4.mul(step, m), divisor)), end - i)
  }
}

@unmanaged
class AccumulateParams {
  x: usize
  format: u32
  shares: usize
  sum: usize
  size: u32
  unit: u32 // elements, a multiple of 4
}

/** A unit is a run of elements. */
export function accumulate(p: AccumulateParams, from: u32, to: u32, _scratch: usize): void {
  const format = p.format
  const share = load<f32>(p.shares)
  const kept = f32x4.splat(share)
  const all = i32x4.splat(share == 0 ? 0 : -1) // forgets the sum, NaN or not
  const added = f32x4.splat(load<f32>(p.shares, 4))
  const end = min(to * p.unit, p.size)
  for (let i = from * p.unit; i < end; i += 4) {
    const sum = floatAt(p.sum, i)
    const x = f32x4.mul(added, load4(at(p.x, i, format), format))
    storeUpTo4(sum, f32x4.add(v128.and(f32x4.mul(kept, v128.load(sum)), all), x), end - i)
  }
}
