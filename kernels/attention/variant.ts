// Which variant of attention to take, and how much of it an invocation does.

import type { DType } from '../../tensor/index.js'
import type { AdapterFacts } from '../../tensor/webgpu/adapter.js'
import type { Tune } from '../../tensor/webgpu/launch.js'
import type { Defines } from '../../tensor/webgpu/preprocess.js'
import { tuned } from '../common/tune.js'
import { sharingLanes, workgroupOf } from '../common/workgroup.js'
import type { AttentionSizes } from './attention.js'

/** Blocks of queries of one head for one slice of its value channels, and the shader that does them. */
export interface AttentionBlocks {
  readonly shader: string
  readonly defines: Defines
  /** Queries of a block. */
  readonly queries: number
  /** Slices of a head's value channels. */
  readonly slices: number
  readonly perWorkgroup: number
}

/**
 * The tune table's choice (as for a product of queries by keys over the width of a head), else `subgroup` on CPU
 * rasterisers; where that cannot be had, `direct`.
 */
export function attentionBlocks(
  sizes: AttentionSizes,
  dtype: DType,
  facts: AdapterFacts,
  tune?: Tune,
): AttentionBlocks {
  const product = { m: sizes.queries, n: sizes.keys, k: sizes.width }
  const choice = tuned(tune, 'attention', product, dtype, facts)
  const shares = choice === 'subgroup' || (facts.isFallback && choice !== 'direct')
  return (shares ? subgroupBlocks(sizes, facts) : undefined) ?? directBlocks(sizes, facts)
}

// Few widths, so that few pipelines are compiled.
const widths = [8, 16, 32, 40, 64, 80, 128, 160, 256, 512]
const classOf = (width: number) => widths.find(known => known >= width) ?? widths[widths.length - 1]

// Of an invocation; beyond it nothing is gained.
const mostQueries = 4
// Vectors of four that a lane holds of its queries and of their sums.
const held = 128
const widestHead = 128

// For heads that fit a lane.
function subgroupBlocks(
  { queries, width, valueWidth }: AttentionSizes,
  facts: AdapterFacts,
): AttentionBlocks | undefined {
  const lanes = sharingLanes(facts)
  const quads = classOf(width) / 4
  const valueQuads = classOf(valueWidth) / 4
  if (lanes === 0 || Math.max(width, valueWidth) > widestHead) return undefined
  // Lanes load four keys in equal shares.
  if ((4 * quads) % lanes !== 0 || (4 * valueQuads) % lanes !== 0) return undefined
  const rows = Math.min(mostQueries, Math.floor(held / (quads + valueQuads)), Math.ceil(queries / lanes))
  return {
    shader: 'attention/subgroup.wgsl',
    defines: {
      LANES: lanes,
      ROWS: rows,
      QUADS: quads,
      VALUE_QUADS: valueQuads,
      LOADS: (4 * quads) / lanes,
      VALUE_LOADS: (4 * valueQuads) / lanes,
    },
    queries: lanes * rows,
    slices: 1,
    perWorkgroup: 1,
  }
}

// A GPU keeps the sums in registers, some 128 of them. A CPU keeps them in its cache, where a wide slice spares
// computing the scores again; more queries or keys at a time gain nothing there, and take lavapipe half a minute to
// compile.
function directBlocks({ valueWidth }: AttentionSizes, facts: AdapterFacts): AttentionBlocks {
  const { widest, sums, strips } = facts.isFallback
    ? { widest: 512, sums: 2048, strips: 2 }
    : { widest: 128, sums: 128, strips: 4 }
  const slice = classOf(Math.ceil(valueWidth / Math.ceil(valueWidth / widest)))
  const rows = Math.max(1, Math.min(mostQueries, Math.floor(sums / slice)))
  const workgroup = workgroupOf(facts)
  return {
    shader: 'attention/attention.wgsl',
    defines: { ROWS: rows, STRIPS: strips, SLICE: slice, WORKGROUP: workgroup },
    queries: rows,
    slices: Math.ceil(valueWidth / slice),
    perWorkgroup: workgroup,
  }
}
