// Resizing, plain: the weights of every pixel along each axis, then a weighted sum over both.

import { referenceKernel } from '../../tensor/reference/compute.js'
import { resizeOp } from './resize.js'
import { tapsOf } from './taps.js'

export const resizeReference = referenceKernel(resizeOp, ({ x }, [out], params) => {
  const [batch, height, width, channels] = x.shape
  const rows = tapsOf(params, height, 0)
  const columns = tapsOf(params, width, 1)
  let index = 0
  for (let b = 0; b < batch; b++)
    for (const row of rows)
      for (const column of columns)
        for (let c = 0; c < channels; c++) {
          let total = 0
          for (const [y, ofRow] of row)
            for (const [x0, ofColumn] of column)
              total += ofRow * ofColumn * x.data[((b * height + y) * width + x0) * channels + c]
          out.data[index++] = total
        }
})
