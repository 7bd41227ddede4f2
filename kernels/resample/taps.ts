// Which pixels enter the results of resizing along an axis.

import { cubicOf, nearestOf, samplingOf, type ResizeParams } from './resize.js'

/** A pixel that enters a result, and its share. */
export type Tap = readonly [pixel: number, weight: number]

/** Weight at a distance t from the sample, in the filter's own unit. */
function weightOf(params: ResizeParams, distance: number): number {
  const t = Math.abs(distance)
  if (params.mode === 'bilinear') return Math.max(0, 1 - t)
  const a = cubicOf(params)
  if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1
  if (t < 2) return ((t - 5) * t + 8) * t * a - 4 * a
  return 0
}

/** For every result along an axis, the pixels that enter it. */
export function tapsOf(params: ResizeParams, input: number, axis: 0 | 1): Tap[][] {
  const sampling = samplingOf(params, input, axis)
  const { scale, shift, support, stretch } = sampling
  return Array.from({ length: params.size[axis] }, (_, i): Tap[] => {
    if (params.mode === 'nearest') return [[nearestOf(i, sampling, input), 1]]
    const centre = scale * i + shift
    // Pixels beyond the edge are left out with antialias, else the edge's stand for them.
    const [least, most] = params.antialias ? [0, input - 1] : [-Infinity, Infinity]
    const first = Math.max(Math.floor(centre - support) + 1, least)
    const last = Math.min(Math.floor(centre + support), most)
    const taps: Tap[] = []
    for (let n = first; n <= last; n++)
      taps.push([Math.min(Math.max(n, 0), input - 1), weightOf(params, (n - centre) / stretch)])
    const total = params.antialias ? taps.reduce((sum, [, weight]) => sum + weight, 0) : 1
    return taps.map(([pixel, weight]) => [pixel, weight / total])
  })
}
