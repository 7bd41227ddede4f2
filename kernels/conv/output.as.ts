// How a convolution's sums become outputs: + bias, + shift, activation, + residual.

import { activateRow, addRow } from '../common/epilogue.as'
import { at, floatAt } from '../common/operand.as'

/** Parameters of kernels that end with it begin with these. */
@unmanaged
export class Output {
  bias: usize // 0 without
  shift: usize // 0 without
  residual: usize // 0 without
  out: usize
  biasFormat: u32
  shiftFormat: u32
  residualFormat: u32
  shiftPixels: u32 // of the output, that one row of shift is for
  outChannels: u32
  activation: u32
}

/** Makes outputs of a pixel's sums, which are padded to fours. */
export function finish(p: Output, sums: usize, pixel: u32, outChannel: u32, count: u32): void {
  if (p.bias) addRow(sums, at(p.bias, outChannel, p.biasFormat), p.biasFormat, count)
  if (p.shift) {
    const row = pixel / p.shiftPixels
    addRow(sums, at(p.shift, row * p.outChannels + outChannel, p.shiftFormat), p.shiftFormat, count)
  }
  activateRow(sums, p.activation, count)
  const place = pixel * p.outChannels + outChannel
  if (p.residual) addRow(sums, at(p.residual, place, p.residualFormat), p.residualFormat, count)
  memory.copy(floatAt(p.out, place), sums, count << 2)
}
