// Vertices of a polygon moved until its inside is as much like a mask as single moves can make it.

import type { LabelMap } from '../../../models/svd/picture.js'
import { fillPolygon, polygonSpans, type Point } from '../../render/polygon.js'
import type { Box } from '../detection.js'

// Moves as shares of the longer side of the box, from far to near, and how often all vertices get their turn for each.
const reaches = [0.1, 0.06, 0.03, 0.015, 0.008]
const turns = 4
// A move must win so much of the mask's area: vertices do not wander for less.
const leastGain = 0.0003

const directions = Array.from({ length: 8 }, (_, i): Point => {
  const turn = (i * Math.PI) / 4
  return [Math.cos(turn), Math.sin(turn)]
})

/** The polygon with its vertices moved inside a box. */
export function settlePolygon(polygon: readonly Point[], mask: LabelMap, box: Box): Point[] {
  const { width, height, data } = mask
  const inside = { width, height, data: new Uint8Array(data.length) }
  fillPolygon(inside, polygon, 1)
  const corners = [...polygon]
  const least = leastGain * data.reduce((sum, value) => sum + Number(value !== 0), 0)
  const longer = Math.max(box.right - box.left, box.bottom - box.top)
  for (const reach of reaches)
    for (let turn = 0, moved = true; turn < turns && moved; turn++) {
      moved = false
      for (let i = 0; i < corners.length; i++) {
        const [before, [x, y], after] = [corners.at(i - 1)!, corners[i], corners[(i + 1) % corners.length]]
        // What changes sides when the vertex moves lies between its old and new neighbouring sides.
        const between = (to: Point): Point[] => [before, [x, y], after, to]
        let best: { gain: number; to: Point } = { gain: least, to: [x, y] }
        for (const [dx, dy] of directions) {
          const to: Point = [
            Math.min(box.right, Math.max(box.left, x + reach * longer * dx)),
            Math.min(box.bottom, Math.max(box.top, y + reach * longer * dy)),
          ]
          let gain = 0
          polygonSpans(between(to), mask, (row, from, end) => {
            for (let pixel = row * width + from; pixel < row * width + end; pixel++)
              gain += (data[pixel] !== 0) === (inside.data[pixel] !== 0) ? -1 : 1
          })
          if (gain > best.gain) best = { gain, to }
        }
        if (best.gain === least) continue
        polygonSpans(between(best.to), mask, (row, from, end) => {
          for (let pixel = row * width + from; pixel < row * width + end; pixel++) inside.data[pixel] ^= 1
        })
        corners[i] = best.to
        moved = true
      }
    }
  return corners
}
