// Launches the matrix product: a unit is a block of the output.

import { wasmKernel } from '../../tensor/wasm/launch.js'
import { blocksOf, blockScratch } from '../common/wasm-gemm.js'
import { activationNumber, formatNumber } from '../common/wasm-operand.js'
import { matmulOp, matmulSizes } from './matmul.js'

export const matmulWasm = wasmKernel(matmulOp, ({ inputs: { a, b, bias, residual }, outputs: [out], params }) => {
  const { batch, m, n, k, columns } = matmulSizes(a.shape, b.shape, params)
  if (batch * m * columns === 0) return []
  const geglu = params.activation === 'geglu'
  const parts = geglu ? 2 : 1
  const blocks = blocksOf(batch, m, columns, k)
  return [
    {
      kernel: 'matmul',
      params: {
        a,
        b,
        bias: bias ?? 0,
        residual: residual ?? 0,
        out,
        aFormat: formatNumber(a),
        bFormat: formatNumber(b),
        biasFormat: formatNumber(bias),
        residualFormat: formatNumber(residual),
        m,
        n,
        k,
        columns,
        transposeB: params.transposeB ? 1 : 0,
        activation: params.activation === 'geglu' ? 0 : activationNumber(params.activation),
        blockRows: blocks.rows,
        blockColumns: blocks.columns,
        terms: blocks.terms,
      },
      units: blocks.count,
      grain: Math.ceil(blocks.count / 256),
      scratch: blockScratch(blocks, a.dtype !== 'f32', parts),
    },
  ]
})
