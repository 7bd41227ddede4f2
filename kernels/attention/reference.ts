// Attention, plain: all scores of one query, their softmax in double precision, the weighted mean of the values.

import { referenceKernel } from '../../tensor/reference/compute.js'
import { attentionOp, attentionSizes } from './attention.js'

export const attentionReference = referenceKernel(attentionOp, ({ q, k, v, mask }, [out], params) => {
  const sizes = attentionSizes(q.shape, k.shape, v.shape, params)
  const { batch, queries, positions, heads, width, kvBatch, keys, kvPositions, valueWidth } = sizes
  const weights = new Float64Array(keys)

  const attend = (b: number, n: number, p: number, head: number): void => {
    const kvRow = (key: number): number =>
      ((Math.floor((b * kvBatch) / batch) * keys + key) * kvPositions + (p % kvPositions)) * heads + head
    const qRow = ((b * queries + n) * positions + p) * heads + head
    const visible = params.causal ? Math.min(keys, n + 1) : keys
    let most = -Infinity
    for (let key = 0; key < visible; key++) {
      let score = 0
      for (let c = 0; c < width; c++) score += q.data[qRow * width + c] * k.data[kvRow(key) * width + c]
      weights[key] = score * params.scale + (mask ? mask.data[n * keys + key] : 0)
      most = Math.max(most, weights[key])
    }
    let total = 0
    for (let key = 0; key < visible; key++) {
      weights[key] = Math.exp(weights[key] - most)
      total += weights[key]
    }
    for (let c = 0; c < valueWidth; c++) {
      let sum = 0
      for (let key = 0; key < visible; key++) sum += weights[key] * v.data[kvRow(key) * valueWidth + c]
      out.data[qRow * valueWidth + c] = sum / total
    }
  }

  for (let b = 0; b < batch; b++)
    for (let n = 0; n < queries; n++)
      for (let p = 0; p < positions; p++) for (let head = 0; head < heads; head++) attend(b, n, p, head)
})
