// Outlines of masks.

import type { LabelMap } from '../../../models/svd/picture.js'
import type { Point } from '../../render/polygon.js'

// Ways along the sides of pixels, each to the right of the one before: right, down, left, up.
const ways: readonly Point[] = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
]

/**
 * The outline of the largest part of a mask, clockwise in the picture: the middles of its pixels' outer sides, in pixels
 * from the top-left one's centre. Pixels that touch by a corner alone are apart; holes do not count. Empty for an empty
 * mask.
 */
export function traceOutline({ width, height, data }: LabelMap): Point[] {
  const isIn = (x: number, y: number) => x >= 0 && y >= 0 && x < width && y < height && data[y * width + x] !== 0
  // Pixels whose upper sides an outline went along.
  const passed = new Uint8Array(width * height)
  let largest: Point[] = []
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      if (!isIn(x, y) || isIn(x, y - 1) || passed[y * width + x]) continue
      // Around a hole the way goes the other way round, and the area is below zero.
      const outline = follow(isIn, [x, y], (x, y) => (passed[y * width + x] = 1))
      if (signedArea(outline) > signedArea(largest)) largest = outline
    }
  return largest
}

/** Goes along an outline with the mask to the right hand, from the upper left corner of a pixel with nothing above. */
function follow(
  isIn: (x: number, y: number) => boolean,
  [startX, startY]: Point,
  passUpperSide: (x: number, y: number) => void,
): Point[] {
  const outline: Point[] = []
  let [x, y, way] = [startX, startY, 0]
  do {
    const [dx, dy] = ways[way]
    if (way === 0) passUpperSide(x, y)
    // Corners are counted as the pixel to their lower right, whose centre is half a pixel away.
    outline.push([x + dx / 2 - 0.5, y + dy / 2 - 0.5])
    x += dx
    y += dy
    const isRightIn = isIn(x + Math.min(0, dx - dy), y + Math.min(0, dy + dx))
    const isLeftIn = isIn(x + Math.min(0, dx + dy), y + Math.min(0, dy - dx))
    if (!isRightIn) way = (way + 1) % 4
    else if (isLeftIn) way = (way + 3) % 4
  } while (x !== startX || y !== startY || way !== 0)
  return outline
}

/** The area inside an outline, positive if it goes clockwise in the picture. */
export function signedArea(outline: readonly Point[]): number {
  let twice = 0
  outline.forEach(([x, y], i) => {
    const [nextX, nextY] = outline[(i + 1) % outline.length]
    twice += x * nextY - nextX * y
  })
  return twice / 2
}
