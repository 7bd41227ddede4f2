// The variants that products of tiles come in, and the host side of tile.wgsl and subgroup-matrix.wgsl.

import type { AdapterFacts, SubgroupMatrixConfig } from '../../tensor/webgpu/adapter.js'
import type { Defines } from '../../tensor/webgpu/preprocess.js'
import { workgroupOf } from './workgroup.js'

export const variants = ['direct', 'tiled', 'subgroup-matrix'] as const

/** `direct` runs everywhere, and so does `tiled`; `subgroup-matrix` rounds operands to f16 and wants matrix units. */
export type Variant = (typeof variants)[number]

// A run of the sum, and what rows of the tiles are longer than needed: as in subgroup-matrix.wgsl.
const tileTerms = 32
const pad = 8

const matrixWorkgroup = (facts: AdapterFacts) => 4 * facts.subgroupMaxSize

/** Bytes of workgroup memory that a configuration's tiles and results take. */
function tileBytes({ M, N }: SubgroupMatrixConfig): number {
  return 2 * (4 * M * (tileTerms + pad) + tileTerms * (4 * N + pad)) + 4 * 4 * M * N
}

/**
 * The subgroup matrices to use: of f16 with sums in f32, in tiles that fit the adapter's limits, the largest of them.
 * Undefined when there are none.
 */
export function subgroupMatrixOf(facts: AdapterFacts): SubgroupMatrixConfig | undefined {
  const { features, limits, subgroupMatrixConfigs } = facts
  const workgroup = matrixWorkgroup(facts)
  if (!features.subgroupMatrix || !features.subgroups || !features.f16 || workgroup === 0) return undefined
  if (workgroup > Math.min(limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX)) return undefined
  const volume = ({ M, N, K }: SubgroupMatrixConfig) => M * N * K
  return subgroupMatrixConfigs
    .filter(
      config =>
        config.componentType === 'f16' &&
        config.resultComponentType === 'f32' &&
        config.N % 4 === 0 &&
        tileTerms % config.K === 0 &&
        tileBytes(config) <= limits.maxComputeWorkgroupStorageSize,
    )
    .reduce<SubgroupMatrixConfig | undefined>((best, c) => (best && volume(best) >= volume(c) ? best : c), undefined)
}

/** Whether an adapter can run a variant. */
export function isAble(variant: Variant, facts: AdapterFacts): boolean {
  return variant !== 'subgroup-matrix' || subgroupMatrixOf(facts) !== undefined
}

/** A tile of the output, how many of them a workgroup makes, and the defines of the shader that does. */
export interface Tiles {
  readonly rows: number
  readonly columns: number
  readonly perWorkgroup: number
  readonly defines: Defines
}

/** Tiles for an output of so many rows and columns, columns `paired` with gates or not. The adapter must be able. */
export function tilesOf(
  variant: Variant,
  { rows, columns }: { rows: number; columns: number },
  paired: boolean,
  facts: AdapterFacts,
): Tiles {
  const matrix = variant === 'subgroup-matrix' ? subgroupMatrixOf(facts) : undefined
  if (matrix) {
    const { M, N, K } = matrix
    const defines = { MATRIX_M: M, MATRIX_N: N, MATRIX_K: K, WORKGROUP: matrixWorkgroup(facts), PAIRED: paired }
    return { rows: 4 * M, columns: paired ? 2 * N : 4 * N, perWorkgroup: 1, defines }
  }
  if (variant === 'tiled') {
    const strips = paired || columns > 64 ? 2 : 1
    return {
      rows: 64,
      columns: paired ? 64 : 64 * strips,
      perWorkgroup: 1,
      defines: { STRIPS: strips, PAIRED: paired },
    }
  }
  // Rows share each load of the right operand; with gates there are two sums per output. Measured on the matrix product
  // and convolution: sixteen rows are worth a fifth on SwiftShader, and cost a tenth on lavapipe.
  const shared = facts.kind === 'swiftshader' && rows > 8 ? 16 : 8
  const strips = paired || columns <= 4 ? 1 : 2
  const workgroup = workgroupOf(facts)
  const defines = { ROWS: shared, STRIPS: strips, WORKGROUP: workgroup }
  return { rows: shared, columns: 4 * strips, perWorkgroup: workgroup, defines }
}
