// Which variant of the matrix product to take.

import type { DType } from '../../tensor/index.js'
import type { AdapterFacts } from '../../tensor/webgpu/adapter.js'
import type { Tune } from '../../tensor/webgpu/launch.js'
import { tuned } from '../common/tune.js'
import { isAble, smallVariant, type Variant } from '../common/variant.js'
import type { MatmulSizes } from './matmul.js'

/**
 * The tune table's choice, else by rule: `subgroup` or `direct` on CPU rasterisers and for products thinner than half a
 * tile, matrix units where the weight is f16 already (other weights ask for more precision), else `tiled`.
 */
export function matmulVariant(sizes: MatmulSizes, weight: DType, facts: AdapterFacts, tune?: Tune): Variant {
  const choice = tuned(tune, 'matmul', sizes, weight, facts)
  if (choice) return choice
  const { m, k, columns } = sizes
  if (facts.isFallback || Math.min(m, columns) < 32 || k < 16) return smallVariant(columns, facts)
  return weight === 'f16' && k >= 32 && isAble('subgroup-matrix', facts) ? 'subgroup-matrix' : 'tiled'
}
