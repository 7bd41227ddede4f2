// The motion condition: two channels of the UNet's input that say where which part of a body is in each frame. A
// channel of part labels, and one of how certain they are. (ReVision; the labels are listed in docs.)

import { UsageError } from '../../tensor/index.js'
import { conditionChannels } from './latents.js'
import { labelCount, type LabelMap } from './picture.js'
import { resizeNearest } from './resize.js'

/** What is said of one frame. */
export interface PartMask {
  /** One part label a pixel, at the video's size. */
  readonly labels: LabelMap
  /** 0..1: 1 where the motion is given throughout, 0.5 for a target pose. */
  readonly confidence: number
  /** The region that something is said of: its pixels that are not 0. By default the whole frame. */
  readonly region?: LabelMap
}

/**
 * The condition of a video at the latents' size, [frames, 2, height, width]: label / 64, sampled by nearest pixel, and
 * confidence. Frames without a mask hold zeros.
 *
 * @param masks one entry a frame
 * @throws UsageError when there are not as many masks as frames, a map does not hold a label for every pixel, a label
 *   is above 63, or a confidence is not in 0..1
 */
export function motionCondition(
  masks: readonly (PartMask | undefined)[],
  frames: number,
  width: number,
  height: number,
): Float32Array {
  if (masks.length !== frames)
    throw new UsageError({
      where: 'masks',
      what: 'not as many as frames',
      expected: `${frames}, one for each frame`,
      got: String(masks.length),
    })
  const area = width * height
  const out = new Float32Array(frames * conditionChannels * area)
  masks.forEach((mask, frame) => {
    if (!mask) return
    const { confidence } = mask
    if (!(confidence >= 0 && confidence <= 1))
      throw new UsageError({
        where: `mask ${frame}`,
        what: 'bad confidence',
        expected: 'a number in 0..1',
        got: `${confidence}`,
      })
    checkMap(mask.labels, `mask ${frame}`)
    if (mask.region) checkMap(mask.region, `region of mask ${frame}`)
    const labels = resizeNearest(mask.labels, width, height)
    const region = mask.region && resizeNearest(mask.region, width, height)
    const start = frame * conditionChannels * area
    for (let i = 0; i < area; i++) {
      if (region?.data[i] === 0) continue
      out[start + i] = labels.data[i] / labelCount
      out[start + area + i] = confidence
    }
  })
  return out
}

function checkMap({ data, width, height }: LabelMap, where: string): void {
  if (data.length !== width * height)
    throw new UsageError({
      where,
      what: 'not a label map',
      expected: `${width} x ${height} labels`,
      got: String(data.length),
    })
  const bad = data.find(label => label >= labelCount)
  if (bad !== undefined)
    throw new UsageError({ where, what: 'not a part label', expected: `0..${labelCount - 1}`, got: String(bad) })
}
