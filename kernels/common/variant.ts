// The variants that products of tiles come in, and the host side of lanes.wgsl, tile.wgsl and subgroup-matrix.wgsl.

import type { AdapterFacts, SubgroupMatrixConfig } from '../../tensor/webgpu/adapter.js'
import type { Defines } from '../../tensor/webgpu/preprocess.js'
import { sharingLanes, workgroupOf } from './workgroup.js'

/** All there are, from the simplest on. */
export const variants = ['direct', 'subgroup', 'tiled', 'subgroup-matrix'] as const

/**
 * `direct` runs everywhere, and so does `tiled`; `subgroup` wants subgroups of one size; `subgroup-matrix` rounds
 * operands to f16 and wants matrix units.
 */
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
  if (variant === 'subgroup') return sharingLanes(facts) > 0
  return variant !== 'subgroup-matrix' || subgroupMatrixOf(facts) !== undefined
}

/** The variant for what fills no tile of a GPU's: on CPU rasterisers `subgroup`, if its lanes have columns to do. */
export function smallVariant(columns: number, facts: AdapterFacts): Variant {
  return facts.isFallback && isAble('subgroup', facts) && columns >= 2 * sharingLanes(facts) ? 'subgroup' : 'direct'
}

/** The file of a family's shader: `direct` and `subgroup` are one. */
export function shaderOf(family: string, variant: Variant): string {
  return `${family}/${variant === 'direct' || variant === 'subgroup' ? family : variant}.wgsl`
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
  // Rows share each load of the right operand; with gates there are two sums per output.
  const sharing = variant === 'subgroup'
  const lanes = sharing ? sharingLanes(facts) : 1
  const most = sharing ? Math.max(1, sharedRows(paired, facts) / lanes) : 8
  const own = sharing && rows <= lanes ? 1 : most
  const strips = sharing || paired || columns <= 4 ? 1 : 2
  const workgroup = sharing ? lanes : workgroupOf(facts)
  return {
    rows: own * lanes,
    columns: 4 * strips * lanes,
    perWorkgroup: workgroup / lanes,
    defines: {
      SUBGROUP: sharing,
      LANES: lanes,
      OWN: own,
      STRIPS: strips,
      BLOCKS: paired ? 2 * strips : strips,
      WORKGROUP: workgroup,
    },
  }
}

// Rows that the lanes of a subgroup load together, as measured: with twice as many SwiftShader is a third slower, with
// half as many lavapipe a sixth. Gates take half of its sums.
function sharedRows(paired: boolean, facts: AdapterFacts): number {
  if (facts.kind === 'swiftshader') return 8
  return paired ? 16 : 32
}
