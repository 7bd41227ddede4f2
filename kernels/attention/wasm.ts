// Launches attention: a unit is a block of queries of one head.

import { wasmKernel } from '../../tensor/wasm/launch.js'
import { cut, roundUp } from '../common/wasm-gemm.js'
import { formatNumber } from '../common/wasm-operand.js'
import { constants } from '../wasm.generated.js'
import { attentionOp, attentionSizes } from './attention.js'

/** Most queries and keys of a block. A panel of keys serves all queries of its block, which pays for packing it. */
const most = { queries: 256, keys: 128 }

/** Elements of a block's queries and sums, and of its keys and values, that stay in the second cache. */
const cached = { queries: 131072, keys: 65536 }

/** Fewer units than this keep many threads waiting for the last ones. */
const enough = 32

/** Least block of queries that is halved for more units. */
const divisible = 64

export const attentionWasm = wasmKernel(attentionOp, ({ inputs: { q, k, v, mask }, outputs: [out], params }) => {
  const sizes = attentionSizes(q.shape, k.shape, v.shape, params)
  const { batch, queries, positions, heads, width, kvBatch, keys, kvPositions, valueWidth } = sizes
  const lines = batch * positions * heads
  if (lines * queries === 0) return []
  const channels = width + valueWidth
  const fitting = (elements: number, tile: number) => Math.max(tile, Math.floor(elements / channels))
  const cutTo = (length: number, longest: number, tile: number) => cut(length, Math.ceil(length / longest), tile)
  let blockQueries = cutTo(queries, Math.min(most.queries, fitting(cached.queries, 4)), 4)
  const units = () => lines * Math.ceil(queries / blockQueries)
  while (units() < enough && blockQueries >= divisible) blockQueries = roundUp(blockQueries / 2, 4)
  const blockKeys = cutTo(keys, Math.min(most.keys, fitting(cached.keys, 8)), 8)
  return [
    {
      kernel: 'attention',
      params: {
        q,
        k,
        v,
        mask: mask ?? 0,
        out,
        qFormat: formatNumber(q),
        kFormat: formatNumber(k),
        vFormat: formatNumber(v),
        maskFormat: formatNumber(mask),
        queries,
        positions,
        heads,
        width,
        repeat: batch / kvBatch,
        keys,
        kvPositions,
        valueWidth,
        causal: params.causal ? 1 : 0,
        scale: params.scale,
        blockQueries,
        blockKeys,
      },
      units: units(),
      grain: Math.ceil(units() / 256),
      scratch: attentionScratch({ blockQueries, blockKeys, width, valueWidth }),
    },
  ]
})

/** Bytes for a block's lists of rows, states, sums, a strip's scores, panels, and scaled queries. */
function attentionScratch(block: {
  blockQueries: number
  blockKeys: number
  width: number
  valueWidth: number
}): number {
  const { blockQueries, blockKeys, width, valueWidth } = block
  const columns = roundUp(valueWidth, 8)
  const strip = constants.STRIP_QUERIES * (1 + blockKeys)
  return (
    constants.QUERY_BLOCK_BYTES + 4 * (blockQueries * (3 + columns + width) + strip + blockKeys * (width + columns))
  )
}
