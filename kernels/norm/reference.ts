// The norms, plain: the mean, the mean of squared deviations, the result; sums in double precision.

import { referenceKernel } from '../../tensor/reference/compute.js'
import { sizeOf } from '../../tensor/index.js'
import { activations } from '../common/activations.js'
import { groupNormOp, groupNormSizes } from './group-norm.js'
import { layerNormOp } from './layer-norm.js'

/** Mean and 1 / sqrt(variance + eps) of `rows` runs of `depth` elements, `stride` apart. */
function statistics(
  data: ArrayLike<number>,
  { start, rows, stride, depth }: { start: number; rows: number; stride: number; depth: number },
  eps: number,
): { mean: number; scale: number } {
  const average = (term: (value: number) => number): number => {
    let total = 0
    for (let row = 0; row < rows; row++) for (let c = 0; c < depth; c++) total += term(data[start + row * stride + c])
    return total / (rows * depth)
  }
  const mean = average(value => value)
  return { mean, scale: 1 / Math.sqrt(average(value => (value - mean) ** 2) + eps) }
}

export const groupNormReference = referenceKernel(groupNormOp, ({ x, weight, bias }, [out], params) => {
  const { batch, rows, channels, depth } = groupNormSizes(x.shape, params)
  const activate = activations[params.activation]
  for (let b = 0; b < batch; b++)
    for (let first = 0; first < channels; first += depth) {
      const start = b * rows * channels
      const area = { start: start + first, rows, stride: channels, depth }
      const { mean, scale } = statistics(x.data, area, params.eps)
      for (let row = 0; row < rows; row++)
        for (let c = first; c < first + depth; c++) {
          const i = start + row * channels + c
          out.data[i] = activate((x.data[i] - mean) * scale * weight.data[c] + bias.data[c])
        }
    }
})

export const layerNormReference = referenceKernel(layerNormOp, ({ x, weight, bias }, [out], { eps }) => {
  const channels = x.shape[x.shape.length - 1]
  for (let start = 0; start < sizeOf(x.shape); start += channels) {
    const { mean, scale } = statistics(x.data, { start, rows: 1, stride: channels, depth: channels }, eps)
    for (let c = 0; c < channels; c++)
      out.data[start + c] = (x.data[start + c] - mean) * scale * weight.data[c] + bias.data[c]
  }
})
