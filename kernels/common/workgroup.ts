// Workgroup sizes by class of adapter.

import type { AdapterFacts } from '../../tensor/webgpu/adapter.js'

/**
 * Invocations per workgroup for kernels that share nothing inside one and whose invocations have much to do: a CPU
 * rasteriser wants few, so that few tiles or lines occupy all cores, a GPU several subgroups.
 */
export function workgroupOf(facts: AdapterFacts): number {
  return facts.isFallback ? 8 : 64
}

/**
 * For kernels that stream through memory: invocations per workgroup, and units of work for each. On a CPU rasteriser
 * starting a workgroup or an invocation takes as long as several loads: measured on a copy, this is five times as fast
 * as eight invocations of one unit. Such units are spelled out (#for), since SwiftShader is slow at loops.
 */
export function streamOf(facts: AdapterFacts): { workgroup: number; each: number } {
  return facts.isFallback ? { workgroup: 256, each: 4 } : { workgroup: 64, each: 1 }
}

/**
 * Lanes of a subgroup that may share what they load, a workgroup being one subgroup: where subgroups have one size, at
 * least 4 and at most 32; else 0.
 */
export function sharingLanes({ features, subgroupMinSize, subgroupMaxSize }: AdapterFacts): number {
  const fixed = features.subgroups && subgroupMinSize === subgroupMaxSize
  return fixed && subgroupMinSize >= 4 && subgroupMinSize <= 32 ? subgroupMinSize : 0
}
