// What an adapter or a processor can do at best, and how near a case comes to it.

import type { Measured } from '../report.js'

/** Multiply-adds, and bytes read and written by a copy. */
export interface Ceiling {
  readonly gflops: number
  readonly gbs: number
}

/** The higher ceiling in each respect; null without two. */
export function bestOf(a: Ceiling | null, b: Ceiling | null): Ceiling | null {
  return a && b && { gflops: Math.max(a.gflops, b.gflops), gbs: Math.max(a.gbs, b.gbs) }
}

/**
 * How near a case comes to the time that the ceilings allow for its operations or its bytes; null if it has no rate.
 */
export function shareOf({ unit, ours, device, flops, bytes }: Measured, { gflops, gbs }: Ceiling): number | null {
  const rate = device ?? ours
  if (rate === null) return null
  const time = (unit === 'GFLOP/s' ? flops : bytes) / rate
  return Math.max(flops / gflops, bytes / gbs) / time
}
