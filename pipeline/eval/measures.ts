// How far a video is from the true one, as pictures and by the parts and joints that are seen in it.

import type { LabelMap, Picture } from '../../models/svd/picture.js'
import { psnr, ssim } from './similarity.js'
import type { Truth } from './truth.js'

/** What a network sees in a picture. */
export interface Sight {
  /** At the picture's size. */
  readonly labels: LabelMap
  /** Joints of a person, in the order of the body's skeleton; pixels from the top-left one's centre. */
  readonly joints: readonly { readonly x: number; readonly y: number }[]
}

export const measureNames = ['iou', 'joints', 'psnr', 'ssim'] as const
/**
 * `iou`: of the parts seen with the true ones; `joints`: pixels from the true ones, where somebody alone is seen;
 * `psnr`, `ssim`: of the pictures.
 */
export type Measures = Readonly<Record<(typeof measureNames)[number], number>>

/**
 * Measures of a video's frames after the first, which is the picture that it was made from. What cannot be told is NaN:
 * joints without one person alone, part IoU without parts.
 */
export function measure(frames: readonly Picture[], sights: readonly Sight[], truth: Truth): Measures {
  const later = frames.map((_, i) => i).slice(1)
  const mean = (of: (i: number) => number) => later.reduce((sum, i) => sum + of(i), 0) / later.length
  return {
    iou: partIoU(
      later.map(i => sights[i].labels),
      later.map(i => truth.labels[i]),
    ),
    joints: jointError(later, sights, truth),
    psnr: mean(i => psnr(frames[i], truth.frames[i])),
    ssim: mean(i => ssim(frames[i], truth.frames[i])),
  }
}

/** Intersection over union of each true part over all frames together, the mean over the parts. */
export function partIoU(seen: readonly LabelMap[], truth: readonly LabelMap[]): number {
  const [both, either, isTrue] = [new Map<number, number>(), new Map<number, number>(), new Set<number>()]
  const count = (map: Map<number, number>, label: number) => map.set(label, (map.get(label) ?? 0) + 1)
  truth.forEach(({ data }, frame) =>
    data.forEach((label, pixel) => {
      const other = seen[frame].data[pixel]
      isTrue.add(label)
      count(either, label)
      if (other === label) count(both, label)
      else count(either, other)
    }),
  )
  isTrue.delete(0)
  const each = [...isTrue].map(label => (both.get(label) ?? 0) / either.get(label)!)
  return each.reduce((sum, value) => sum + value, 0) / each.length
}

/** Pixels between joints seen and true, the mean over those that can be seen; NaN where there is not one person. */
function jointError(frames: readonly number[], sights: readonly Sight[], { people }: Truth): number {
  if (people?.[0].people !== 1) return NaN
  let [sum, count] = [0, 0]
  for (const frame of frames) {
    const { places, visible } = people[frame]
    sights[frame].joints.forEach(({ x, y }, joint) => {
      if (!visible[joint]) return
      sum += Math.hypot(x - places[3 * joint], y - places[3 * joint + 1])
      count++
    })
  }
  return sum / count
}

/** Means over videos, each measure over those where it could be told. */
export function meanMeasures(all: readonly Measures[]): Measures {
  const mean = (name: keyof Measures) => {
    const values = all.map(measures => measures[name]).filter(value => !Number.isNaN(value))
    return values.reduce((sum, value) => sum + value, 0) / values.length
  }
  return { iou: mean('iou'), joints: mean('joints'), psnr: mean('psnr'), ssim: mean('ssim') }
}
