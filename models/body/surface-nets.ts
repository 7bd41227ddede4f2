// A closed mesh out of a field on a grid, by surface nets: a vertex in each cell that the surface crosses, a
// quadrilateral around each edge that it crosses. After Gibson, "Constrained Elastic Surface Nets" (MERL TR-99-24).
// Differs: lines of the grid may be unevenly far apart, so that thin parts get finer cells.

/** The places of a grid's lines along x, y and z, rising. */
export type GridLines = readonly [readonly number[], readonly number[], readonly number[]]

export interface SurfaceMesh {
  /** [V x 3] */
  readonly vertices: Float32Array
  /** [F x 3], counter-clockwise from outside. */
  readonly faces: Int32Array
}

// The corners of a cell, a bit for each axis, and the pairs of them that are joined by edges.
const corners = [0, 1, 2, 3, 4, 5, 6, 7]
const cellEdges = corners.flatMap(corner =>
  [1, 2, 4].filter(bit => (corner & bit) === 0).map(bit => [corner, corner | bit] as const),
)

/**
 * The surface where a field is 0: `field` [X x Y x Z] at the crossings of the lines, below 0 inside. The field must be
 * above 0 all around, and no part of the body thinner than two cells; then the mesh is closed.
 */
export function surfaceNets([xs, ys, zs]: GridLines, field: Float32Array): SurfaceMesh {
  const [ny, nz] = [ys.length, zs.length]
  const strides = [ny * nz, nz, 1]
  const offsetOf = (corner: number) => strides.reduce((sum, stride, axis) => sum + ((corner >> axis) & 1) * stride, 0)
  const offsets = corners.map(offsetOf)
  const vertexOf = new Int32Array(field.length).fill(-1)
  const vertices: number[] = []
  const faces: number[] = []

  const lines = [xs, ys, zs]
  const isCrossed = (cell: number) => {
    const inside = field[cell] < 0
    for (let corner = 1; corner < 8; corner++) if (field[cell + offsets[corner]] < 0 !== inside) return true
    return false
  }
  const addVertex = (cell: number, at: readonly number[]) => {
    const sum = [0, 0, 0]
    let crossings = 0
    for (const [a, b] of cellEdges) {
      const [fa, fb] = [field[cell + offsets[a]], field[cell + offsets[b]]]
      if (fa < 0 === fb < 0) continue
      const t = fa / (fa - fb)
      for (let axis = 0; axis < 3; axis++) {
        const place = (corner: number) => lines[axis][at[axis] + ((corner >> axis) & 1)]
        sum[axis] += place(a) + t * (place(b) - place(a))
      }
      crossings++
    }
    vertexOf[cell] = vertices.length / 3
    vertices.push(...sum.map(value => value / crossings))
  }
  for (let x = 0; x + 1 < xs.length; x++)
    for (let y = 0; y + 1 < ny; y++)
      for (let z = 0; z + 1 < nz; z++) {
        const cell = (x * ny + y) * nz + z
        if (isCrossed(cell)) addVertex(cell, [x, y, z])
      }

  // The four cells around an edge along an axis, in turn.
  const around = (cell: number, axis: number) => {
    const [u, v] = [strides[(axis + 1) % 3], strides[(axis + 2) % 3]]
    return [cell - u - v, cell - v, cell, cell - u].map(index => vertexOf[index])
  }
  const quadrilateral = (cell: number, axis: number) => {
    const inside = field[cell] < 0
    if (inside === field[cell + strides[axis]] < 0) return
    const [a, b, c, d] = around(cell, axis)
    faces.push(...(inside ? [a, b, c, a, c, d] : [a, c, b, a, d, c]))
  }
  for (let x = 1; x + 1 < xs.length; x++)
    for (let y = 1; y + 1 < ny; y++)
      for (let z = 1; z + 1 < nz; z++)
        for (let axis = 0; axis < 3; axis++) quadrilateral((x * ny + y) * nz + z, axis)
  return { vertices: Float32Array.from(vertices), faces: Int32Array.from(faces) }
}
