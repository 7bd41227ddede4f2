// Runs of elements made one number, in double precision where they are added: few sums are then too long.

import { at, load1, load4 } from '../common/operand.as'

/** The upper two of four floats. */
export function promoteHigh(x: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f64>(x, x, 1, 1))
}

function acrossTwo(x: v128): f64 {
  return f64x2.extract_lane(x, 0) + f64x2.extract_lane(x, 1)
}

/** The sum of so many elements. */
export function sumRun(x: usize, format: u32, count: u32): f64 {
  let sum0 = f64x2.splat(0)
  let sum1 = sum0
  let sum2 = sum0
  let sum3 = sum0
  let i: u32 = 0
  for (; i + 8 <= count; i += 8, x = at(x, 8, format)) {
    const low = load4(x, format)
    const high = load4(at(x, 4, format), format)
    sum0 = f64x2.add(sum0, f64x2.promote_low_f32x4(low))
    sum1 = f64x2.add(sum1, promoteHigh(low))
    sum2 = f64x2.add(sum2, f64x2.promote_low_f32x4(high))
    sum3 = f64x2.add(sum3, promoteHigh(high))
  }
  let sum = acrossTwo(f64x2.add(f64x2.add(sum0, sum1), f64x2.add(sum2, sum3)))
  for (; i < count; i++, x = at(x, 1, format)) sum += load1(x, format)
  return sum
}

/** Adds the differences of so many elements from a number to one sum, and their squares to the next. */
export function momentsRun(x: usize, format: u32, count: u32, centre: f64, sums: usize): void {
  const middle = f64x2.splat(centre)
  let sum0 = f64x2.splat(0)
  let sum1 = sum0
  let square0 = sum0
  let square1 = sum0
  let i: u32 = 0
  for (; i + 4 <= count; i += 4, x = at(x, 4, format)) {
    const value = load4(x, format)
    const low = f64x2.sub(f64x2.promote_low_f32x4(value), middle)
    const high = f64x2.sub(promoteHigh(value), middle)
    sum0 = f64x2.add(sum0, low)
    sum1 = f64x2.add(sum1, high)
    square0 = f64x2.add(square0, f64x2.mul(low, low))
    square1 = f64x2.add(square1, f64x2.mul(high, high))
  }
  let sum = acrossTwo(f64x2.add(sum0, sum1))
  let square = acrossTwo(f64x2.add(square0, square1))
  for (; i < count; i++, x = at(x, 1, format)) {
    const difference = <f64>load1(x, format) - centre
    sum += difference
    square += difference * difference
  }
  store<f64>(sums, load<f64>(sums) + sum)
  store<f64>(sums, load<f64>(sums, 8) + square, 8)
}

/** Lane by lane; NaN where either is. */
function extreme4(a: v128, b: v128, smallest: bool): v128 {
  return smallest ? f32x4.min(a, b) : f32x4.max(a, b)
}

/** The largest of so many elements, one or more, or the smallest; NaN where there is one. */
export function extremeRun(x: usize, format: u32, count: u32, smallest: bool): f32 {
  let most = f32x4.splat(load1(x, format))
  let i: u32 = 0
  if (count >= 16) {
    // Four at once: each waits for its last step.
    let most1 = most
    let most2 = most
    let most3 = most
    for (; i + 16 <= count; i += 16, x = at(x, 16, format)) {
      most = extreme4(most, load4(x, format), smallest)
      most1 = extreme4(most1, load4(at(x, 4, format), format), smallest)
      most2 = extreme4(most2, load4(at(x, 8, format), format), smallest)
      most3 = extreme4(most3, load4(at(x, 12, format), format), smallest)
    }
    most = extreme4(extreme4(most, most1, smallest), extreme4(most2, most3, smallest), smallest)
    most = extreme4(most, v128.shuffle<f32>(most, most, 2, 3, 2, 3), smallest)
    most = extreme4(most, v128.shuffle<f32>(most, most, 1, 1, 1, 1), smallest)
  }
  for (; i < count; i++, x = at(x, 1, format)) most = extreme4(most, f32x4.splat(load1(x, format)), smallest)
  return f32x4.extract_lane(most, 0)
}
