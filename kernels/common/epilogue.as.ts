// How sums of products become outputs, a row at a time: + bias, activation, + residual. Rows of sums are padded to
// fours.

import { gelu4, geluTanh4, quickGelu4, relu4, silu4 } from './math.as'
import { at, floatAt, load4, storeUpTo4 } from './operand.as'

export const SILU: u32 = 1

/** The pointwise function of that number (`activationNumber` in wasm-operand.ts). Keep in step with activations.ts. */
export function activate4(x: v128, activation: u32): v128 {
  switch (activation) {
    case SILU:
      return silu4(x)
    case 2:
      return relu4(x)
    case 3:
      return gelu4(x)
    case 4:
      return geluTanh4(x)
    case 5:
      return quickGelu4(x)
    default:
      return x
  }
}

/** sums += an operand, such as a bias or a residual. Up to three elements behind its end are read, and not used. */
export function addRow(sums: usize, operand: usize, format: u32, count: u32): void {
  const size = at(0, 4, format)
  for (const end = floatAt(sums, count); sums < end; sums += 16, operand += size)
    v128.store(sums, f32x4.add(v128.load(sums), load4(operand, format)))
}

/** x = activation(x) */
export function activateRow(x: usize, activation: u32, count: u32): void {
  if (activation == 0) return
  const whole = floatAt(x, count & ~3)
  // What models run most has a loop of its own: to choose for every four takes as long as the rest.
  if (activation == SILU) for (; x < whole; x += 16) v128.store(x, silu4(v128.load(x)))
  for (; x < whole; x += 16) v128.store(x, activate4(v128.load(x), activation))
  if (count & 3) storeUpTo4(x, activate4(v128.load(x), activation), count & 3)
}

/** sums *= gelu(gates) */
export function gateRow(sums: usize, gates: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i += 4, sums += 16, gates += 16)
    v128.store(sums, f32x4.mul(v128.load(sums), gelu4(v128.load(gates))))
}
