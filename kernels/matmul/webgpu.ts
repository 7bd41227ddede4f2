// Launches the matrix product's variants: whole operands where they fit their bindings, else batch by batch in windows
// of rows of a and of b.

import { webgpuKernel, windowOf, type Call, type Dispatch } from '../../tensor/webgpu/launch.js'
import { formatOf } from '../common/operand.js'
import { allFit, chunkRows, whole, type Rows } from '../common/rows.js'
import { shaderOf, tilesOf, type Variant } from '../common/variant.js'
import { matmulOp, matmulSizes, type MatmulOperands, type MatmulParams } from './matmul.js'
import { matmulVariant } from './variant.js'

type MatmulCall = Call<MatmulOperands, MatmulParams>

/** A part of the product: some batches, rows of the output, columns of the output, and terms of the sum. */
interface Part {
  batches: Rows
  rows: Rows
  columns: Rows
  terms: Rows
}

export const matmulWebGpu = webgpuKernel(matmulOp, call => {
  const { inputs, outputs, params, facts } = call
  const { a, b, residual } = inputs
  const sizes = matmulSizes(a.shape, b.shape, params)
  const { batch, m, k, columns } = sizes
  if (batch * m * columns === 0) return []
  const all = { batches: whole(batch), rows: whole(m), columns: whole(columns), terms: whole(k) }
  const variant = matmulVariant(sizes, b.dtype, facts, call.tune)
  if (allFit([a, b, residual, outputs[0]], facts)) return [launch(call, variant, all)]

  const rowOperands = [
    { dtype: a.dtype, perRow: k },
    { dtype: residual?.dtype ?? 'f32', perRow: columns },
    { dtype: outputs[0].dtype, perRow: columns },
  ]
  const rowChunks = chunkRows('matmul', m, rowOperands, facts)
  // b is cut along its rows: columns of the output when it is transposed, terms of the sum when it is not.
  const n = params.transposeB ? k : columns
  const bChunks =
    params.activation === 'geglu'
      ? undefined // its two halves are needed together
      : chunkRows('matmul', params.transposeB ? columns : k, [{ dtype: b.dtype, perRow: n }], facts)
  const columnChunks = params.transposeB ? bChunks : undefined
  const termChunks = params.transposeB ? undefined : bChunks
  const parts: Part[] = []
  for (let start = 0; start < batch; start++)
    for (const rows of rowChunks)
      for (const columns of columnChunks ?? [all.columns])
        for (const terms of termChunks ?? [all.terms])
          parts.push({ batches: { start, count: 1 }, rows, columns, terms })
  return parts.map(part => launch(call, variant, part))
})

function launch(
  { inputs, outputs, params, facts }: MatmulCall,
  variant: Variant,
  { batches, rows, columns: part, terms }: Part,
): Dispatch {
  const { a, b, bias, residual } = inputs
  const { m, n, k, columns } = matmulSizes(a.shape, b.shape, params)
  const geglu = params.activation === 'geglu'
  const { transposeB } = params
  const firstRow = batches.start * m + rows.start
  const rowCount = (batches.count - 1) * m + rows.count
  const aWindow = windowOf(a, firstRow * k, rowCount * k, facts)
  const outWindow = windowOf(outputs[0], firstRow * columns, rowCount * columns, facts)
  const residualWindow = residual && windowOf(residual, firstRow * columns, rowCount * columns, facts)
  // b from the part's first row to its last, of every batch in the part.
  const bColumns = geglu || !transposeB ? n : part.count
  const bStart = batches.start * n * k + (transposeB ? part.start * k : terms.start * n)
  const bWindow = windowOf(b, bStart, (batches.count - 1) * n * k + bColumns * terms.count, facts)
  // A sum that is cut adds to what is there, and ends with the epilogue.
  const last = terms.start + terms.count === k
  const tiles = tilesOf(variant, { rows: rows.count, columns: part.count }, geglu, facts)
  const tileCount = batches.count * Math.ceil(rows.count / tiles.rows) * Math.ceil(part.count / tiles.columns)
  return {
    shader: shaderOf('matmul', variant),
    defines: {
      A_FORMAT: terms.start % 4 === 0 ? formatOf(a, k) : a.dtype,
      B_FORMAT: formatOf(b, transposeB ? k : columns), // gates begin at a multiple of the columns
      BIAS: bias !== undefined && last,
      BIAS_FORMAT: bias?.dtype ?? '',
      RESIDUAL: residual !== undefined && last,
      RESIDUAL_FORMAT: residual?.dtype ?? '',
      ACTIVATION: geglu ? 'gelu' : last ? params.activation : 'none',
      ACCUMULATE: terms.start > 0,
      GEGLU: geglu,
      TRANSPOSE_B: transposeB,
      K_TAIL: terms.count % 4 !== 0,
      N_TAIL: columns % 4 !== 0,
      ...tiles.defines,
    },
    bindings: {
      a: aWindow.window,
      b: bWindow.window,
      out: outWindow.window,
      ...(bias && last && { bias }),
      ...(residualWindow && last && { residual: residualWindow.window }),
    },
    uniforms: {
      batch: batches.count,
      m: rows.count,
      n: part.count,
      k: terms.count,
      k_0: terms.start,
      a_stride: k,
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
      out_last: rowCount * columns - 1,
    },
    workgroups: Math.ceil(tileCount / tiles.perWorkgroup),
  }
}
