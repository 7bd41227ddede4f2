// The norms, plain: the mean, the mean of squared deviations, the result; sums in double precision.

import { referenceKernel } from '../../tensor/reference/compute.js'
import { sizeOf } from '../../tensor/index.js'
import { activations } from '../common/activations.js'
import { groupNormOp, groupNormSizes } from './group-norm.js'
import { layerNormOp } from './layer-norm.js'
import { groupNormGradientOp, layerNormGradientOp, partRows } from './norm-gradient.js'

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

interface Floats {
  readonly data: ArrayLike<number>
}

/** Writes the gradients of x in an area, and adds to sums [2, C] what the area's channels, from `first` on, give. */
function areaGradients(
  { x, weight, upstream }: { x: Floats; weight: Floats; upstream: Floats },
  area: Parameters<typeof statistics>[1],
  { eps, first, channels }: { eps: number; first: number; channels: number },
  out: { data: { [i: number]: number } },
  sums: Float64Array,
): void {
  const { mean, scale } = statistics(x.data, area, eps)
  let [all, along] = [0, 0]
  const visit = (f: (i: number, c: number, normal: number) => void) => {
    for (let row = 0; row < area.rows; row++)
      for (let c = 0; c < area.depth; c++) {
        const i = area.start + row * area.stride + c
        f(i, first + c, (x.data[i] - mean) * scale)
      }
  }
  visit((i, c, normal) => {
    all += upstream.data[i] * weight.data[c]
    along += upstream.data[i] * weight.data[c] * normal
    sums[c] += upstream.data[i]
    sums[channels + c] += upstream.data[i] * normal
  })
  const count = area.rows * area.depth
  visit((i, c, normal) => {
    out.data[i] = scale * (upstream.data[i] * weight.data[c] - all / count - (normal * along) / count)
  })
}

export const layerNormGradientReference = referenceKernel(
  layerNormGradientOp,
  ({ x, weight, upstream }, [out, sums], { eps }) => {
    const channels = weight.shape[0]
    const rows = channels === 0 ? 0 : x.data.length / channels
    for (let part = 0; part * partRows < rows; part++) {
      const totals = new Float64Array(2 * channels)
      for (let row = part * partRows; row < Math.min(rows, (part + 1) * partRows); row++) {
        const area = { start: row * channels, rows: 1, stride: channels, depth: channels }
        areaGradients({ x, weight, upstream }, area, { eps, first: 0, channels }, out, totals)
      }
      sums.data.set(totals, part * totals.length)
    }
  },
)

export const groupNormGradientReference = referenceKernel(
  groupNormGradientOp,
  ({ x, weight, upstream }, [out, sums], params) => {
    const { batch, rows, channels, depth } = groupNormSizes(x.shape, params)
    for (let b = 0; b < batch; b++) {
      const totals = new Float64Array(2 * channels)
      for (let first = 0; first < channels; first += depth) {
        const area = { start: b * rows * channels + first, rows, stride: channels, depth }
        areaGradients({ x, weight, upstream }, area, { eps: params.eps, first, channels }, out, totals)
      }
      sums.data.set(totals, b * totals.length)
    }
  },
)
