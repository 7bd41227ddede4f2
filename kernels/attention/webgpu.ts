// Launches attention.wgsl or subgroup.wgsl: whole batches where they fit their bindings, else batch by batch in windows
// of queries and of keys. Where keys are split, a query's sums stay in the output, unfinished, from one window of keys
// to the next.

import { webgpuKernel, windowElements, windowOf, type Call, type Dispatch } from '../../tensor/webgpu/launch.js'
import type { StoredTensor } from '../../tensor/index.js'
import { formatOf } from '../common/operand.js'
import { chunkRows, whole, type Rows } from '../common/rows.js'
import { attentionSizes, attentionOp, type AttentionOperands, type AttentionParams } from './attention.js'
import { attentionBlocks } from './variant.js'

type AttentionCall = Call<AttentionOperands, AttentionParams>

/** A part of the work: batches of k and v with the query batches that are theirs, or some rows of one query batch. */
interface Part {
  batches: Rows
  kvBatches: Rows
  rows: Rows
  keys: Rows
  /** Maxima and sums of weights from one window of keys to the next. */
  partial?: StoredTensor
}

export const attentionWebGpu = webgpuKernel(attentionOp, call => {
  const { inputs, outputs, params, facts, tune } = call
  const { q, k, v, mask } = inputs
  const sizes = attentionSizes(q.shape, k.shape, v.shape, params)
  const { batch, queries, positions, heads, width, kvBatch, keys, kvPositions, valueWidth } = sizes
  if (batch * queries * positions === 0) return []
  const repeat = batch / kvBatch
  const queryOperands = [
    { dtype: q.dtype, perRow: positions * heads * width },
    { dtype: outputs[0].dtype, perRow: positions * heads * valueWidth },
  ]
  const keyOperands = [
    { dtype: k.dtype, perRow: kvPositions * heads * width },
    { dtype: v.dtype, perRow: kvPositions * heads * valueWidth },
  ]
  const maskOperand = { dtype: mask?.dtype ?? 'f32', perRow: mask ? keys : 0 }

  const batchOperands = [
    ...queryOperands.map(({ dtype, perRow }) => ({ dtype, perRow: perRow * queries * repeat })),
    ...keyOperands.map(({ dtype, perRow }) => ({ dtype, perRow: perRow * keys })),
  ]
  const maskFits = maskOperand.perRow * queries <= windowElements(maskOperand.dtype, facts)
  if (maskFits && batchOperands.every(({ dtype, perRow }) => perRow <= windowElements(dtype, facts)))
    return chunkRows('attention', kvBatch, batchOperands, facts).map(kvBatches =>
      launch(call, {
        batches: { start: kvBatches.start * repeat, count: kvBatches.count * repeat },
        kvBatches,
        rows: whole(queries),
        keys: whole(keys),
      }),
    )

  const keyChunks = chunkRows('attention', keys, keyOperands, facts)
  const partialRow = positions * heads * attentionBlocks(sizes, k.dtype, facts, tune).slices * 2
  const rowOperands = [...queryOperands, maskOperand, { dtype: 'f32' as const, perRow: partialRow }]
  const rowChunks = chunkRows('attention', queries, rowOperands, facts)
  const partial = keyChunks.length > 1 ? call.scratch([rowChunks[0].count, partialRow], 'f32') : undefined
  const parts: Part[] = []
  for (let b = 0; b < batch; b++)
    for (const rows of rowChunks)
      for (const keys of keyChunks)
        parts.push({
          batches: { start: b, count: 1 },
          kvBatches: { start: Math.floor(b / repeat), count: 1 },
          rows,
          keys,
          partial,
        })
  return parts.map(part => launch(call, part))
})

function launch({ inputs, outputs, params, facts, tune }: AttentionCall, part: Part): Dispatch {
  const { q, k, v, mask } = inputs
  const sizes = attentionSizes(q.shape, k.shape, v.shape, params)
  const { batch, queries, positions, heads, width, kvBatch, kvPositions, valueWidth } = sizes
  const { batches, kvBatches, rows, keys, partial } = part
  const queryWindow = (tensor: StoredTensor, perRow: number) =>
    windowOf(tensor, (batches.start * queries + rows.start) * perRow, batches.count * rows.count * perRow, facts)
  const keyWindow = (tensor: StoredTensor, perRow: number) =>
    windowOf(tensor, (kvBatches.start * sizes.keys + keys.start) * perRow, kvBatches.count * keys.count * perRow, facts)
  const qWindow = queryWindow(q, positions * heads * width)
  const outWindow = queryWindow(outputs[0], positions * heads * valueWidth)
  const kWindow = keyWindow(k, kvPositions * heads * width)
  const vWindow = keyWindow(v, kvPositions * heads * valueWidth)
  const maskWindow = mask && windowOf(mask, rows.start * sizes.keys, rows.count * sizes.keys, facts)
  const blocks = attentionBlocks(sizes, k.dtype, facts, tune)
  const tasks = batches.count * positions * heads * blocks.slices * Math.ceil(rows.count / blocks.queries)
  return {
    shader: blocks.shader,
    defines: {
      Q_FORMAT: formatOf(q, width),
      K_FORMAT: formatOf(k, width),
      V_FORMAT: formatOf(v, valueWidth),
      MASK: mask !== undefined,
      MASK_FORMAT: mask?.dtype ?? '',
      WIDTH_TAIL: width % 4 !== 0,
      VALUE_TAIL: valueWidth % 4 !== 0,
      SPLIT: partial !== undefined,
      ...blocks.defines,
    },
    bindings: {
      q: qWindow.window,
      k: kWindow.window,
      v: vWindow.window,
      out: outWindow.window,
      ...(maskWindow && { mask: maskWindow.window }),
      ...(partial && { partial }),
    },
    uniforms: {
      batch: batches.count,
      repeat: batch / kvBatch,
      rows: rows.count,
      first_row: rows.start,
      keys: keys.count,
      first_key: keys.start,
      positions,
      heads,
      width,
      value_width: valueWidth,
      kv_positions: kvPositions,
      mask_row: sizes.keys,
      q_base: qWindow.base,
      k_base: kWindow.base,
      v_base: vWindow.base,
      out_base: outWindow.base,
      mask_base: maskWindow?.base ?? 0,
      scale: params.scale,
      causal: Number(params.causal),
      finish: Number(keys.start + keys.count === sizes.keys),
    },
    workgroups: Math.ceil(tasks / blocks.perWorkgroup),
  }
}
