// Matrix product, plain: three loops, a sum in double precision, the epilogue.

import { referenceKernel } from '../../tensor/reference/compute.js'
import { activations } from '../common/activations.js'
import { matmulOp, matmulSizes } from './matmul.js'

export const matmulReference = referenceKernel(matmulOp, ({ a, b, bias, residual }, [out], params) => {
  const { batch, m, n, k, columns } = matmulSizes(a.shape, b.shape, params)
  const [strideK, strideN] = params.transposeB ? [1, k] : [n, 1]

  const sum = (group: number, row: number, column: number): number => {
    let total = bias ? bias.data[column] : 0
    const aStart = (group * m + row) * k
    const bStart = group * n * k + column * strideN
    for (let i = 0; i < k; i++) total += a.data[aStart + i] * b.data[bStart + i * strideK]
    return total
  }

  for (let group = 0; group < batch; group++)
    for (let row = 0; row < m; row++)
      for (let column = 0; column < columns; column++) {
        const index = (group * m + row) * columns + column
        const value = sum(group, row, column)
        const result =
          params.activation === 'geglu'
            ? value * activations.gelu(sum(group, row, columns + column))
            : activations[params.activation](value)
        out.data[index] = result + (residual ? residual.data[index] : 0)
      }
})
