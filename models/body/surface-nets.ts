// A closed mesh out of a field on a grid, by surface nets: a vertex in each cell that the surface crosses, a
// quadrilateral around each edge that it crosses. After Gibson, "Constrained Elastic Surface Nets" (MERL TR-99-24).
// Differs: lines of the grid may be unevenly far apart, so that thin parts get finer cells.

/** The places of a grid's lines along x, y and z, rising. */
export type GridLines = readonly [readonly number[], readonly number[], readonly number[]]

/** A closed mesh. */
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

// Faces of a cell as four corners in turn, and corners that lie across the whole cell.
const cellFaces = [1, 2, 4].flatMap(bit => {
  const [u, v] = [1, 2, 4].filter(other => other !== bit)
  return [0, bit].map(start => [start, start | u, start | u | v, start | v])
})
const across = [0, 1, 2, 3].map(corner => [corner, 7 - corner])

/**
 * Fills corners where two parts of the inside or of the outside touch in a mere edge or point, since the mesh would not
 * be a surface there. Tells whether it has changed `field`, in which case there may be more.
 */
function fillTouching(field: Float32Array, crossed: readonly number[], offsets: readonly number[]): boolean {
  const isInside = (cell: number, corner: number) => field[cell + offsets[corner]] < 0
  const fillOne = (cell: number, among: readonly number[]) => {
    const outside = among.filter(corner => !isInside(cell, corner))
    const at = (corner: number) => field[cell + offsets[corner]]
    field[cell + offsets[outside.reduce((a, b) => (at(b) < at(a) ? b : a))]] = justInside
  }
  let changed = false
  for (const cell of crossed) {
    const touching =
      cellFaces.find(([a, b, c, d]) => {
        const inside = isInside(cell, a)
        return isInside(cell, c) === inside && isInside(cell, b) !== inside && isInside(cell, d) !== inside
      }) ?? (across.some(pair => isAlone(pair, corner => isInside(cell, corner))) ? corners : undefined)
    if (!touching) continue
    fillOne(cell, touching)
    changed = true
  }
  return changed
}

// What a filled corner holds; the surface passes close by it.
const justInside = -1e-3

/** Whether the two corners are unlike all six others. */
function isAlone([a, b]: readonly number[], isInside: (corner: number) => boolean): boolean {
  const inside = isInside(a)
  return isInside(b) === inside && corners.every(corner => corner === a || corner === b || isInside(corner) !== inside)
}

/**
 * The surface where a field is 0: `field` [X x Y x Z] at the crossings of the lines, below 0 inside. The field must be
 * above 0 all around; then the mesh is closed, and each edge has two triangles. Corners of the field where parts would
 * touch in an edge or a point alone are filled.
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
      const fa = field[cell + offsets[a]]
      const fb = field[cell + offsets[b]]
      if (fa < 0 === fb < 0) continue
      const t = fa / (fa - fb)
      for (let axis = 0; axis < 3; axis++) {
        const start = lines[axis][at[axis] + ((a >> axis) & 1)]
        sum[axis] += start + t * (lines[axis][at[axis] + ((b >> axis) & 1)] - start)
      }
      crossings++
    }
    vertexOf[cell] = vertices.length / 3
    vertices.push(sum[0] / crossings, sum[1] / crossings, sum[2] / crossings)
  }
  const crossedCells = () => {
    const cells: number[] = []
    for (let x = 0; x + 1 < xs.length; x++)
      for (let y = 0; y + 1 < ny; y++)
        for (let cell = (x * ny + y) * nz, end = cell + nz - 1; cell < end; cell++)
          if (isCrossed(cell)) cells.push(cell)
    return cells
  }
  let crossed = crossedCells()
  while (fillTouching(field, crossed, offsets)) crossed = crossedCells()
  for (const cell of crossed) addVertex(cell, [Math.floor(cell / (ny * nz)), Math.floor(cell / nz) % ny, cell % nz])

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
      for (let z = 1; z + 1 < nz; z++) for (let axis = 0; axis < 3; axis++) quadrilateral((x * ny + y) * nz + z, axis)
  return { vertices: Float32Array.from(vertices), faces: Int32Array.from(faces) }
}
