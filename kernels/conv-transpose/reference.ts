// Transposed convolution, plain: for each output, a sum in double precision over the input pixels that paint it.

import { referenceKernel } from '../../tensor/reference/compute.js'
import { convTransposeAxis, convTransposeOp, sourcesOf } from './conv-transpose.js'

export const convTransposeReference = referenceKernel(convTransposeOp, ({ x, weight, bias }, [out], params) => {
  const [batch, height, width, channels] = x.shape
  const rows = convTransposeAxis(x.shape, weight.shape, params, 0)
  const columns = convTransposeAxis(x.shape, weight.shape, params, 1)
  const outChannels = weight.shape[0]
  const { stride, padding } = params

  const sum = (b: number, y: number, z: number, o: number): number => {
    const row = sourcesOf(rows, { start: y, count: 1 })
    const column = sourcesOf(columns, { start: z, count: 1 })
    let total = bias ? bias.data[o] : 0
    for (let i = row.start; i < row.start + row.count; i++)
      for (let j = column.start; j < column.start + column.count; j++) {
        const pixel = (b * height + i) * width + j
        const tapRow = o * rows.kernel + y + padding - i * stride
        const tap = tapRow * columns.kernel + z + padding - j * stride
        for (let c = 0; c < channels; c++) total += x.data[pixel * channels + c] * weight.data[tap * channels + c]
      }
    return total
  }

  let index = 0
  for (let b = 0; b < batch; b++)
    for (let y = 0; y < rows.out; y++)
      for (let z = 0; z < columns.out; z++) for (let o = 0; o < outChannels; o++) out.data[index++] = sum(b, y, z, o)
})
