// Triangles drawn into a picture, the nearest in front.

import { drawTriangles, type RasterPicture } from '../../kernels/raster/reference.js'
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

/** Where vertices are seen, [V x 3]: pixels, and metres in front of the camera. */
export function projectVertices(vertices: ArrayLike<number>, camera: Camera): Float32Array {
  const points = new Float32Array(vertices.length)
  for (let i = 0; i < vertices.length / 3; i++) points.set(project(camera, vectorAt(vertices, i)), 3 * i)
  return points
}

/**
 * Finds the nearest triangle of each pixel. Triangles that reach behind the camera are left out.
 * @throws UsageError for a picture of no or too many pixels
 */
export function rasterize({ vertices, faces }: Mesh, camera: Camera, width: number, height: number): RasterPicture {
  const fits = Number.isInteger(width) && Number.isInteger(height) && width >= 1 && height >= 1
  if (!fits || width * height > maxPixels)
    throw new UsageError({
      where: 'rasterize',
      what: 'a picture of this size cannot be drawn',
      expected: `1 to ${maxPixels} pixels`,
      got: `${width} x ${height}`,
    })
  const picture = {
    width,
    height,
    triangles: new Int32Array(width * height),
    shares: new Float32Array(3 * width * height),
    depth: new Float32Array(width * height),
  }
  drawTriangles(projectVertices(vertices, camera), faces, picture)
  return picture
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
