// Launches matmul.wgsl: whole operands where they fit their bindings, else batch by batch in windows of rows of a and of b.

import { webgpuKernel, windowOf, type Call, type Dispatch } from '../../tensor/webgpu/launch.js'
import { formatOf } from '../common/operand.js'
import { allFit, chunkRows, type Rows } from '../common/rows.js'
import { workgroupOf } from '../common/workgroup.js'
import { matmulOp, matmulSizes, type MatmulOperands, type MatmulParams } from './matmul.js'

type MatmulCall = Call<MatmulOperands, MatmulParams>

// Eight rows share each load of b; with GEGLU a tile keeps two sums per output, so it is half as wide.
const tileRows = 8
const stripsOf = (geglu: boolean) => (geglu ? 1 : 2)

/** A part of the product: some batches, rows of the output, columns of the output. */
interface Part {
  batches: Rows
  rows: Rows
  columns: Rows
}

export const matmulWebGpu = webgpuKernel(matmulOp, call => {
  const { inputs, outputs, params, facts } = call
  const { a, b, residual } = inputs
  const { batch, m, k, columns } = matmulSizes(a.shape, b.shape, params)
  if (batch * m * columns === 0) return []
  const all = { batches: { start: 0, count: batch }, rows: { start: 0, count: m }, columns: { start: 0, count: columns } }
  if (allFit([a, b, residual, outputs[0]], facts)) return [launch(call, all)]

  const rowChunks = chunkRows(
    'matmul',
    m,
    [
      { dtype: a.dtype, perRow: k },
      { dtype: 'f32', perRow: columns },
    ],
    facts,
  )
  // Only a transposed b can be cut by columns: they are its rows. GEGLU needs its two halves together.
  const byColumns = params.transposeB && params.activation !== 'geglu'
  const columnChunks = byColumns ? chunkRows('matmul', columns, [{ dtype: b.dtype, perRow: k }], facts) : [all.columns]
  const parts: Part[] = []
  for (let start = 0; start < batch; start++)
    for (const rows of rowChunks)
      for (const columns of columnChunks) parts.push({ batches: { start, count: 1 }, rows, columns })
  return parts.map(part => launch(call, part))
})

function launch({ inputs, outputs, params, facts }: MatmulCall, { batches, rows, columns: part }: Part): Dispatch {
  const { a, b, bias, residual } = inputs
  const { m, n, k, columns } = matmulSizes(a.shape, b.shape, params)
  const geglu = params.activation === 'geglu'
  const { transposeB } = params
  const firstRow = batches.start * m + rows.start
  const rowCount = (batches.count - 1) * m + rows.count
  const aWindow = windowOf(a, firstRow * k, rowCount * k, facts)
  const outWindow = windowOf(outputs[0], firstRow * columns, rowCount * columns, facts)
  const residualWindow = residual && windowOf(residual, firstRow * columns, rowCount * columns, facts)
  // b from the part's first column to its last, of every batch in the part.
  const bColumns = geglu || !transposeB ? n : part.count
  const bStart = batches.start * n * k + (transposeB ? part.start * k : 0)
  const bWindow = windowOf(b, bStart, (batches.count - 1) * n * k + bColumns * k, facts)
  const strips = stripsOf(geglu)
  const workgroup = workgroupOf(facts)
  const tiles = batches.count * Math.ceil(rows.count / tileRows) * Math.ceil(part.count / (4 * strips))
  return {
    shader: 'matmul/matmul.wgsl',
    defines: {
      A_FORMAT: formatOf(a, k),
      B_FORMAT: formatOf(b, transposeB ? k : n),
      BIAS: bias !== undefined,
      BIAS_FORMAT: bias?.dtype ?? '',
      RESIDUAL: residual !== undefined,
      RESIDUAL_FORMAT: residual?.dtype ?? '',
      ACTIVATION: geglu ? 'gelu' : params.activation,
      GEGLU: geglu,
      TRANSPOSE_B: transposeB,
      K_TAIL: k % 4 !== 0,
      N_TAIL: n % 4 !== 0,
      ROWS: tileRows,
      STRIPS: strips,
      WORKGROUP: workgroup,
    },
    bindings: {
      a: aWindow.window,
      b: bWindow.window,
      out: outWindow.window,
      ...(bias && { bias }),
      ...(residualWindow && { residual: residualWindow.window }),
    },
    uniforms: {
      batch: batches.count,
      m: rows.count,
      n: part.count,
      k,
      b_stride: transposeB ? k : n,
      b_batch: n * k,
      b_last: bColumns - 1,
      columns,
      column_0: part.start,
      gate: geglu ? columns : 0,
      a_base: aWindow.base,
      b_base: bWindow.base,
      out_base: outWindow.base,
      residual_base: residualWindow?.base ?? 0,
    },
    workgroups: Math.ceil(tiles / workgroup),
  }
}
