// Releasing activations at the earliest moment.

import type { Tensor } from '../tensor/index.js'

/** `f(x)`, after which x is released: for a chain whose links nobody needs twice. */
export function into(x: Tensor, f: (x: Tensor) => Tensor): Tensor {
  try {
    return f(x)
  } finally {
    x.dispose()
  }
}
