// Pooling, plain: the pixels inside the picture under each window, then their mean or the largest.

import { referenceKernel } from '../../tensor/reference/compute.js'
import { whole } from '../common/rows.js'
import { spanOf } from '../conv/parts.js'
import { poolAxis, poolOp } from './pool.js'

export const poolReference = referenceKernel(poolOp, ({ x }, [out], params) => {
  const [batch, height, width, channels] = x.shape
  const rows = poolAxis(x.shape, params, 0)
  const columns = poolAxis(x.shape, params, 1)
  const taps = whole(params.kernel)
  let index = 0
  for (let b = 0; b < batch; b++)
    for (let y = 0; y < rows.out; y++) {
      const row = spanOf(rows, { start: y, count: 1 }, taps)
      for (let z = 0; z < columns.out; z++) {
        const column = spanOf(columns, { start: z, count: 1 }, taps)
        const pixels = params.countIncludePad ? params.kernel ** 2 : row.count * column.count
        for (let c = 0; c < channels; c++) {
          let total = 0
          let most = -Infinity
          for (let dy = 0; dy < row.count; dy++)
            for (let dx = 0; dx < column.count; dx++) {
              const value = x.data[((b * height + row.start + dy) * width + column.start + dx) * channels + c]
              total += value
              most = Math.max(most, value)
            }
          out.data[index++] = params.kind === 'avg' ? total / pixels : most
        }
      }
    }
})
