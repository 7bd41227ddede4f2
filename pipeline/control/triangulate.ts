// Polygons as triangles, by clipping ears.

import type { Point } from '../render/polygon.js'

/** Twice the area of a triangle, above 0 where it turns from x to y. */
function turn([ax, ay]: Point, [bx, by]: Point, [cx, cy]: Point): number {
  return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
}

/**
 * A polygon of n corners as n - 2 triangles, [3 (n - 2)] numbers of corners. Sides that cross give triangles too, though
 * not just those of the inside. For polygons of few corners: the time grows with their third power.
 */
export function triangulate(corners: readonly Point[]): number[] {
  let area = 0
  corners.forEach(([x, y], i) => {
    const [nextX, nextY] = corners[(i + 1) % corners.length]
    area += x * nextY - nextX * y
  })
  const left = corners.map((_, i) => i)
  const triangles: number[] = []
  while (left.length > 2) {
    const around = (i: number) => [-1, 0, 1].map(step => left[(i + step + left.length) % left.length])
    const turns = left.map((_, i) => {
      const [a, b, c] = around(i).map(corner => corners[corner])
      return Math.sign(area) * turn(a, b, c)
    })
    const isEar = (_: number, i: number) => turns[i] > 0 && !holdsCorner(around(i), left, corners)
    // Of a polygon that is flat or crosses itself, any corner will do.
    const ear = [left.findIndex(isEar), turns.indexOf(0), 0].find(i => i >= 0)!
    triangles.push(...around(ear))
    left.splice(ear, 1)
  }
  return triangles
}

/** Whether another of the corners lies inside the triangle of three of them, or on its sides. */
function holdsCorner(triangle: readonly number[], others: readonly number[], corners: readonly Point[]): boolean {
  const [a, b, c] = triangle.map(corner => corners[corner])
  return others.some(other => {
    const point = corners[other]
    if ([a, b, c].some(([x, y]) => x === point[0] && y === point[1])) return false
    const sides = [turn(a, b, point), turn(b, c, point), turn(c, a, point)]
    return sides.every(side => side >= 0) || sides.every(side => side <= 0)
  })
}
