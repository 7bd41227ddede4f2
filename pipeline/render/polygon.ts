// Polygons of any shape drawn into label maps.

import type { LabelMap } from '../../models/svd/picture.js'

/** A place in a picture, pixels from the top-left one's centre. */
export type Point = readonly [x: number, y: number]

/**
 * Tells row by row which pixels' centres are inside a polygon, from one column to before another. Sides may cross: what
 * they go round twice counts as outside. Corners may lie outside of the picture.
 */
export function polygonSpans(
  corners: readonly Point[],
  { width, height }: { readonly width: number; readonly height: number },
  visit: (row: number, from: number, to: number) => void,
): void {
  const rows = corners.map(([, y]) => y)
  const first = Math.max(0, Math.ceil(Math.min(...rows)))
  const last = Math.min(height - 1, Math.floor(Math.max(...rows)))
  for (let y = first; y <= last; y++) {
    const crossings: number[] = []
    corners.forEach(([ax, ay], i) => {
      const [bx, by] = corners[(i + 1) % corners.length]
      // A corner belongs to the side below it alone.
      if (ay <= y !== by <= y) crossings.push(ax + ((y - ay) / (by - ay)) * (bx - ax))
    })
    crossings.sort((a, b) => a - b)
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const from = Math.max(0, Math.ceil(crossings[i]))
      const to = Math.min(width, Math.ceil(crossings[i + 1]))
      if (to > from) visit(y, from, to)
    }
  }
}

/** Gives the label to the pixels inside a polygon, as `polygonSpans` tells them. */
export function fillPolygon(map: LabelMap, corners: readonly Point[], label: number): void {
  polygonSpans(corners, map, (row, from, to) => map.data.fill(label, row * map.width + from, row * map.width + to))
}
