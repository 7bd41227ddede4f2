// Rotary position embedding, four pairs of channels at a time.

import { at, floatAt, load4, storeUpTo4 } from '../common/operand.as'

@unmanaged
class RotaryParams {
  x: usize
  cos: usize
  sin: usize
  out: usize
  xFormat: u32
  positions: u32
  channels: u32
  pairs: u32 // of a head
  sign: f32 // -1 turns back
}

/** A unit is a row of x: all heads at one position. */
export function rotary(p: RotaryParams, from: u32, to: u32, _scratch: usize): void {
  for (let row = from; row < to; row++) {
    const angles = (row % p.positions) * p.pairs
    for (let head: u32 = 0; head < p.channels; head += 2 * p.pairs)
      turn(p, row * p.channels + head, floatAt(p.cos, angles), floatAt(p.sin, angles))
  }
}

/** Turns the head that begins at element `first`. */
function turn(p: RotaryParams, first: u32, cos: usize, sin: usize): void {
  const pairs = p.pairs
  const format = p.xFormat
  const sign = f32x4.splat(p.sign)
  const low = floatAt(p.out, first)
  const high = floatAt(p.out, first + pairs)
  for (let i: u32 = 0; i < pairs; i += 4) {
    const c = v128.load(floatAt(cos, i))
    const s = f32x4.mul(v128.load(floatAt(sin, i)), sign)
    const a = load4(at(p.x, first + i, format), format)
    const b = load4(at(p.x, first + pairs + i, format), format)
    storeUpTo4(floatAt(low, i), f32x4.sub(f32x4.mul(a, c), f32x4.mul(b, s)), pairs - i)
    storeUpTo4(floatAt(high, i), f32x4.add(f32x4.mul(b, c), f32x4.mul(a, s)), pairs - i)
  }
}
