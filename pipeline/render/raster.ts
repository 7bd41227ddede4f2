// Triangles drawn into a picture, the nearest in front.

import { vectorAt, type Vector } from '../../models/body/quaternion.js'
import { maxPixels, type Picture } from '../media/picture.js'
import { UsageError } from '../../tensor/index.js'
import { dot, project, type Camera } from './camera.js'

/** A surface of triangles, counter-clockwise from outside. */
export interface Mesh {
  /** [V x 3], metres. */
  readonly vertices: ArrayLike<number>
  /** [F x 3] */
  readonly faces: ArrayLike<number>
}

/** What each pixel shows. */
export interface Raster {
  readonly width: number
  readonly height: number
  /** [height x width]: the triangle, or -1. */
  readonly triangles: Int32Array
  /** [height x width x 3]: how much of the triangle's three corners, at the pixel. */
  readonly shares: Float32Array
  /** [height x width]: metres from the camera along its view; infinite where there is nothing. */
  readonly depth: Float32Array
}

// Nothing nearer than this is drawn, metres.
const nearest = 0.01

/**
 * Finds the nearest triangle of each pixel. Triangles that reach behind the camera are left out.
 * @throws UsageError for a picture of no or too many pixels
 */
export function rasterize({ vertices, faces }: Mesh, camera: Camera, width: number, height: number): Raster {
  const fits = Number.isInteger(width) && Number.isInteger(height) && width >= 1 && height >= 1
  if (!fits || width * height > maxPixels)
    throw new UsageError({
      where: 'rasterize',
      what: 'a picture of this size cannot be drawn',
      expected: `1 to ${maxPixels} pixels`,
      got: `${width} x ${height}`,
    })
  const triangles = new Int32Array(width * height).fill(-1)
  const shares = new Float32Array(3 * width * height)
  const depth = new Float32Array(width * height).fill(Infinity)
  const points = Array.from({ length: vertices.length / 3 }, (_, i) => project(camera, vectorAt(vertices, i)))
  for (let face = 0; face < faces.length / 3; face++) {
    const [a, b, c] = [points[faces[3 * face]], points[faces[3 * face + 1]], points[faces[3 * face + 2]]]
    const area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    if (Math.min(a[2], b[2], c[2]) < nearest || !(Math.abs(area) > 0)) continue
    const range = (axis: 0 | 1, size: number) => ({
      first: Math.max(0, Math.ceil(Math.min(a[axis], b[axis], c[axis]))),
      last: Math.min(size - 1, Math.floor(Math.max(a[axis], b[axis], c[axis]))),
    })
    const [columns, rows] = [range(0, width), range(1, height)]
    for (let y = rows.first; y <= rows.last; y++)
      for (let x = columns.first; x <= columns.last; x++) {
        const u = ((c[0] - b[0]) * (y - b[1]) - (c[1] - b[1]) * (x - b[0])) / area
        const v = ((a[0] - c[0]) * (y - c[1]) - (a[1] - c[1]) * (x - c[0])) / area
        const w = 1 - u - v
        if (u < 0 || v < 0 || w < 0) continue
        // What is even in the picture is one over the depth.
        const z = 1 / (u / a[2] + v / b[2] + w / c[2])
        const pixel = y * width + x
        if (z >= depth[pixel]) continue
        depth[pixel] = z
        triangles[pixel] = face
        shares.set([(u * z) / a[2], (v * z) / b[2], (w * z) / c[2]], 3 * pixel)
      }
  }
  return { width, height, triangles, shares, depth }
}

/** The outward direction at each vertex, 1 long, [V x 3]: that of its triangles, large ones more. */
export function vertexNormals({ vertices, faces }: Mesh): Float32Array {
  const normals = new Float32Array(vertices.length)
  for (let face = 0; face < faces.length; face += 3) {
    const [a, b, c] = [0, 1, 2].map(i => vectorAt(vertices, faces[face + i]))
    const [p, q] = [b, c].map((end): Vector => [end[0] - a[0], end[1] - a[1], end[2] - a[2]])
    const cross = [p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]]
    for (let i = 0; i < 3; i++) for (let axis = 0; axis < 3; axis++) normals[3 * faces[face + i] + axis] += cross[axis]
  }
  for (let vertex = 0; vertex < normals.length; vertex += 3) {
    const length = Math.hypot(normals[vertex], normals[vertex + 1], normals[vertex + 2]) || 1
    for (let axis = 0; axis < 3; axis++) normals[vertex + axis] /= length
  }
  return normals
}

/** A colour, 0..255 each. */
export type Colour = readonly [red: number, green: number, blue: number]

const background: Colour = [246, 246, 244]
const ambient = 0.35

/** A picture of a mesh, each vertex in its colour, lit from above the camera's left shoulder. */
export function drawMesh(
  mesh: Mesh,
  camera: Camera,
  width: number,
  height: number,
  colourOf: (vertex: number) => Colour,
): Picture {
  const normals = vertexNormals(mesh)
  const [right, down, forward] = camera.axes
  const light: Vector = [0, 1, 2].map(
    axis => -0.4 * right[axis] - 0.5 * down[axis] - 0.77 * forward[axis],
  ) as unknown as Vector
  const { triangles, shares } = rasterize(mesh, camera, width, height)
  const data = new Uint8Array(3 * width * height)
  for (let pixel = 0; pixel < triangles.length; pixel++) {
    const face = triangles[pixel]
    if (face < 0) {
      data.set(background, 3 * pixel)
      continue
    }
    const [colour, normal] = [
      [0, 0, 0],
      [0, 0, 0],
    ]
    for (let i = 0; i < 3; i++) {
      const vertex = mesh.faces[3 * face + i]
      const share = shares[3 * pixel + i]
      const own = colourOf(vertex)
      for (let axis = 0; axis < 3; axis++) {
        colour[axis] += share * own[axis]
        normal[axis] += share * normals[3 * vertex + axis]
      }
    }
    // What is seen from inside is dark.
    const facing =
      dot(normal as unknown as Vector, forward) < 0.2 ? Math.max(0, dot(normal as unknown as Vector, light)) : 0
    data.set(
      colour.map(value => Math.min(255, value * (ambient + (1 - ambient) * facing))),
      3 * pixel,
    )
  }
  return { width, height, data }
}
