// Rasterising, plain: triangle by triangle over the pixels of its box, the nearest kept.

import { referenceKernel } from '../../tensor/reference/compute.js'
import { depthRange, farthestPixel, pixelSteps, rasterOp } from './raster.js'

type Numbers = ArrayLike<number>

/** A picture that triangles are drawn into; see `Rastered`. */
export interface RasterPicture {
  readonly width: number
  readonly height: number
  /** [height x width] */
  readonly triangles: Int32Array
  /** [height x width x 3] */
  readonly shares: Float32Array
  /** [height x width] */
  readonly depth: Float32Array
}

interface Corner {
  /** Steps of a pixel. */
  readonly x: number
  readonly y: number
  /** Metres. */
  readonly z: number
}

/** The corner at a vertex; nothing if a triangle with it is left out. */
function cornerOf(points: Numbers, vertex: number): Corner | undefined {
  if (!(vertex >= 0 && vertex < points.length / 3)) return undefined
  const [x, y, z] = [points[3 * vertex], points[3 * vertex + 1], points[3 * vertex + 2]]
  const seen = z >= Math.fround(depthRange.nearest) && z <= depthRange.farthest
  if (!seen || !(Math.abs(x) <= farthestPixel && Math.abs(y) <= farthestPixel)) return undefined
  return { x: Math.round(x * pixelSteps), y: Math.round(y * pixelSteps), z }
}

/** Twice the area of from, to and (x, y): above 0 on the right hand, as pixels go down. Exact: below 2^53. */
function sideOf(from: Corner, to: Corner, x: number, y: number): number {
  return (to.x - from.x) * (y - from.y) - (to.y - from.y) * (x - from.x)
}

/** Whether pixels on an edge belong to the triangle on its right: if they are its left or upper edge. */
function hasEdge(from: Corner, to: Corner): boolean {
  return to.y < from.y || (to.y === from.y && to.x > from.x)
}

/** Draws triangles, faces [F x 3] of points [V x 3], into a picture: all its pixels are written. */
export function drawTriangles(points: Numbers, faces: Numbers, picture: RasterPicture): void {
  const { width, height, triangles, shares, depth } = picture
  triangles.fill(-1)
  shares.fill(0)
  depth.fill(Infinity)
  for (let face = 0; face < faces.length / 3; face++) {
    const [a, second, third] = [0, 1, 2].map(i => cornerOf(points, faces[3 * face + i]))
    if (!a || !second || !third) continue
    // Turned so that the inside is to the right of every edge.
    const turned = sideOf(a, second, third.x, third.y) < 0
    const [b, c] = turned ? [third, second] : [second, third]
    const area = sideOf(a, b, c.x, c.y)
    if (area === 0) continue
    const [ofA, ofB, ofC] = [hasEdge(b, c), hasEdge(c, a), hasEdge(a, b)]
    const range = (axis: 'x' | 'y', size: number) => ({
      first: Math.max(0, Math.ceil(Math.min(a[axis], b[axis], c[axis]) / pixelSteps)),
      last: Math.min(size - 1, Math.floor(Math.max(a[axis], b[axis], c[axis]) / pixelSteps)),
    })
    const [columns, rows] = [range('x', width), range('y', height)]
    for (let row = rows.first; row <= rows.last; row++)
      for (let column = columns.first; column <= columns.last; column++) {
        const [x, y] = [column * pixelSteps, row * pixelSteps]
        const [u, v, w] = [sideOf(b, c, x, y), sideOf(c, a, x, y), sideOf(a, b, x, y)]
        if (u < 0 || v < 0 || w < 0 || (u === 0 && !ofA) || (v === 0 && !ofB) || (w === 0 && !ofC)) continue
        // What is even in the picture is one over the depth.
        const [p, q, r] = [u / a.z, v / b.z, w / c.z]
        const total = p + q + r
        const z = Math.fround(area / total)
        const pixel = row * width + column
        if (z >= depth[pixel]) continue
        depth[pixel] = z
        triangles[pixel] = face
        shares[3 * pixel] = p / total
        shares[3 * pixel + 1] = (turned ? r : q) / total
        shares[3 * pixel + 2] = (turned ? q : r) / total
      }
  }
}

export const rasterReference = referenceKernel(rasterOp, ({ points, faces }, outputs, { width, height }) => {
  const [triangles, shares, depth] = outputs.map(({ data }) => data)
  const [batch, vertices] = points.shape
  const area = width * height
  for (let n = 0; n < batch; n++)
    drawTriangles(points.data.subarray(3 * n * vertices, 3 * (n + 1) * vertices), faces.data, {
      width,
      height,
      triangles: (triangles as Int32Array).subarray(n * area, (n + 1) * area),
      shares: (shares as Float32Array).subarray(3 * n * area, 3 * (n + 1) * area),
      depth: (depth as Float32Array).subarray(n * area, (n + 1) * area),
    })
})
