// The host side of operand.as.ts and epilogue.as.ts: how operands and pointwise functions are numbered.

import type { DType } from '../../tensor/index.js'
import { activations, type Activation } from './activations.js'

const formats: readonly DType[] = ['f32', 'f16', 'bf16']

/** The format of a float operand, checked by `assertFloat`; 0 for one that is absent. */
export function formatNumber(operand: { readonly dtype: DType } | undefined): number {
  return operand ? formats.indexOf(operand.dtype) : 0
}

/** A pointwise function's number. */
export function activationNumber(name: Activation): number {
  return Object.keys(activations).indexOf(name)
}
