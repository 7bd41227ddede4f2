// Pointwise functions that may be fused into an epilogue, as plain arithmetic. Keep in step with activation.wgsl.

import { erf } from './erf.js'

export const activations = {
  none: (x: number) => x,
  silu: (x: number) => x / (1 + Math.exp(-x)),
  relu: (x: number) => Math.max(x, 0),
  gelu: (x: number) => 0.5 * x * (1 + erf(x * Math.SQRT1_2)),
  gelu_tanh: (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  quick_gelu: (x: number) => x / (1 + Math.exp(-1.702 * x)),
}

/** Name of a pointwise function: `gelu` is the exact one (erf), `gelu_tanh` its approximation. */
export type Activation = keyof typeof activations
