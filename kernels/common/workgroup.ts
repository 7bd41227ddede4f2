// Workgroup sizes by class of adapter.

import type { AdapterFacts } from '../../tensor/webgpu/adapter.js'

/**
 * Invocations per workgroup for kernels that share nothing inside one: a CPU rasteriser wants few, a GPU several
 * subgroups.
 */
export function workgroupOf(facts: AdapterFacts): number {
  return facts.isFallback ? 8 : 64
}
