// How sums of products become outputs, a row at a time: + bias, activation, + residual. Rows of sums are padded to
// fours.

import { gelu4, geluTanh4, quickGelu4, relu4, silu4 } from './math.as'
import { at, floatAt, load4 } from './operand.as'

/** The pointwise function of that number (`activationNumber` in wasm-operand.ts). Keep in step with activations.ts. */
export function activate4(x: v128, activation: u32): v128 {
  switch (activation) {
    case 1:
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

/** sums = activation(sums) */
export function activateRow(sums: usize, activation: u32, count: u32): void {
  if (activation == 0) return
  for (let i: u32 = 0; i < count; i += 4, sums += 16) v128.store(sums, activate4(v128.load(sums), activation))
}

/** sums *= gelu(gates) */
export function gateRow(sums: usize, gates: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i += 4, sums += 16, gates += 16)
    v128.store(sums, f32x4.mul(v128.load(sums), gelu4(v128.load(gates))))
}
