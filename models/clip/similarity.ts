// How well pictures and texts go together.

import { affine, linear, mul, rsqrt, sum } from '../../kernels/index.js'
import { scope, type Tensor } from '../../tensor/index.js'

/**
 * Cosines between embeddings of pictures [P,D] and of texts [T,D]: [P,T]. With `logitScale`, a checkpoint's weight
 * `logit_scale`, they are multiplied by its exponential: logits whose softmax over T tells which text fits a picture.
 */
export function clipSimilarity(imageEmbeds: Tensor, textEmbeds: Tensor, logitScale = 0): Tensor {
  return scope(() => {
    const cosines = linear(normalize(imageEmbeds), normalize(textEmbeds)) // [P,T]
    return affine(cosines, Math.exp(logitScale), 0)
  })
}

/** Rows [N,D] of length one. */
function normalize(x: Tensor): Tensor {
  return scope(() => mul(x, rsqrt(sum(mul(x, x), { axes: [1], keepDims: true }))))
}
