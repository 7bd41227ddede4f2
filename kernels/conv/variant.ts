// Which variant of convolution to take.

import type { DType } from '../../tensor/index.js'
import type { AdapterFacts } from '../../tensor/webgpu/adapter.js'
import type { Tune } from '../../tensor/webgpu/launch.js'
import { tuned, type ProductSizes } from '../common/tune.js'
import { isAble, smallVariant, type Variant } from '../common/variant.js'
import type { ConvSizes } from './conv.js'

/** A convolution as a product of pixels by output channels of one group, summed over taps and channels. */
export function productSizes({ batch, frames, rows, columns, channels, outChannels, groups }: ConvSizes): ProductSizes {
  return {
    m: batch * frames.out * rows.out * columns.out,
    n: outChannels / groups,
    k: (frames.kernel * rows.kernel * columns.kernel * channels) / groups,
  }
}

/**
 * The tune table's choice, else by rule: `subgroup` or `direct` on CPU rasterisers and where pixels or channels fill
 * less than half a tile, matrix units where the weight is f16 already (other weights ask for more precision), else
 * `tiled`.
 */
export function convVariant(sizes: ConvSizes, weight: DType, facts: AdapterFacts, tune?: Tune): Variant {
  const product = productSizes(sizes)
  const choice = tuned(tune, 'conv', product, weight, facts)
  if (choice) return choice
  const groupChannels = sizes.channels / sizes.groups
  if (facts.isFallback || Math.min(product.m, product.n) < 32 || groupChannels < 16)
    return smallVariant(product.n, facts)
  return weight === 'f16' && groupChannels >= 32 && isAble('subgroup-matrix', facts) ? 'subgroup-matrix' : 'tiled'
}
