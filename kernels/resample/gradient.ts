// The gradient of resizing: the transposed linear map, along each axis by products with a band of its matrix at a time.

import { gradient, Tensor, type Shape } from '../../tensor/index.js'
import { linear } from '../matmul/matmul.js'
import { cat } from '../move/cat.js'
import { permute } from '../move/permute.js'
import { slice } from '../move/slice.js'
import { resizeOp, type ResizeParams } from './resize.js'
import { tapsOf, type Tap } from './taps.js'

/** Pixels of a band: few results see them, so that the matrix has few zeros. */
const bandPixels = 64

/** The products of g [..., results], the last axis, with what the results see of pixels from `start` on. */
function bandGradient(g: Tensor, taps: readonly (readonly Tap[])[], start: number, count: number): Tensor {
  const inside = taps.map(ofResult => ofResult.filter(([pixel]) => pixel >= start && pixel < start + count))
  const first = Math.max(
    0,
    inside.findIndex(ofResult => ofResult.length > 0),
  )
  const last = Math.max(
    first,
    inside.findLastIndex(ofResult => ofResult.length > 0),
  )
  const width = last - first + 1
  const matrix = new Float32Array(count * width)
  for (let result = first; result <= last; result++)
    for (const [pixel, share] of inside[result]) matrix[(pixel - start) * width + result - first] += share
  return linear(slice(g, -1, first, last + 1), Tensor.from(g.runtime, matrix, [count, width]))
}

/** The gradient along the last axis: [..., results] to [..., input]. */
function axisGradient(g: Tensor, params: ResizeParams, input: number, axis: 0 | 1): Tensor {
  const taps = tapsOf(params, input, axis)
  const bands: Tensor[] = []
  for (let start = 0; start < input; start += bandPixels)
    bands.push(bandGradient(g, taps, start, Math.min(bandPixels, input - start)))
  return cat(bands, -1)
}

function pictureGradient(g: Tensor, params: ResizeParams, [, height, width]: Shape): Tensor {
  const ofRows = axisGradient(permute(g, [0, 2, 3, 1]), params, height, 0) // [B,w,C,H]
  const ofColumns = axisGradient(permute(ofRows, [0, 3, 2, 1]), params, width, 1) // [B,H,C,W]
  return permute(ofColumns, [0, 1, 3, 2]) // [B,H,W,C]
}

export const resizeGradient = gradient(
  resizeOp,
  ({ inputs: { x }, upstream: [g], params }) => (g ? { x: pictureGradient(g, params, x.shape) } : {}),
  () => [],
)
